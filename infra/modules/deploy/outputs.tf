output "role_arn" {
  description = "The role that the pipeline takes."
  value       = aws_iam_role.this.arn
}
