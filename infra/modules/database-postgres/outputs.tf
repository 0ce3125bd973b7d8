output "arn" {
  description = "The instance."
  value       = aws_db_instance.this.arn
}

output "url" {
  description = "Its address (DATABASE_URL)."
  sensitive   = true
  value       = "postgres://filevault:${var.password}@${aws_db_instance.this.endpoint}/filevault?sslmode=require"
}
