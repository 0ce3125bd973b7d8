output "parameter_arns" {
  description = "The parameters by the variable that each holds."
  value       = { for name, each in aws_ssm_parameter.known : name => each.arn }
}
