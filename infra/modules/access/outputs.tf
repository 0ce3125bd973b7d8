output "role_arns" {
  description = "The roles, `web` and `worker`."
  value       = { for name, role in aws_iam_role.this : name => role.arn }
}

output "role_names" {
  description = "The same by name."
  value       = { for name, role in aws_iam_role.this : name => role.name }
}

output "policy_arns" {
  description = "Their policies."
  value       = { for name, policy in aws_iam_policy.this : name => policy.arn }
}
