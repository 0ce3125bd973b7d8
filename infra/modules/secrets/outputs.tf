output "parameter_arns" {
  description = "The parameters by the variable that each holds."
  value = merge(
    { for name, each in aws_ssm_parameter.set_by_operator : name => each.arn },
    { for name, each in aws_ssm_parameter.known : name => each.arn },
  )
}
