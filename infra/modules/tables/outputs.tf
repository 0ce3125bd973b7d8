output "arns" {
  description = "The tables' ARNs by entity."
  value       = { for name, table in aws_dynamodb_table.this : name => table.arn }
}
