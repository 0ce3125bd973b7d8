output "arn" {
  description = "The cluster."
  value       = aws_dsql_cluster.this.arn
}

output "url" {
  description = "Its address (DATABASE_URL). Without a password: each connection has a token of the role."
  value       = "dsql://admin@${aws_dsql_cluster.this.identifier}.dsql.${data.aws_region.current.name}.on.aws/postgres"
}
