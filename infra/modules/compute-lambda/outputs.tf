output "origin_domain" {
  description = "The host that CloudFront asks."
  value       = local.host
}

output "origin_path" {
  description = "What paths begin with there."
  value       = "/${aws_api_gateway_stage.site.stage_name}"
}

output "origin_headers" {
  description = "The header without which the API answers nobody."
  sensitive   = true
  value       = { "x-api-key" = aws_api_gateway_api_key.cloudfront.value }
}

output "log_groups" {
  description = "The logs of web server and worker."
  value       = { for name, group in aws_cloudwatch_log_group.this : name => group.name }
}

output "function_names" {
  description = "The functions."
  value       = { for name, function in aws_lambda_function.this : name => function.function_name }
}

output "function_arns" {
  description = "The same by ARN."
  value       = { for name, function in aws_lambda_function.this : name => function.arn }
}

output "api_name" {
  description = "The API, for alarms."
  value       = aws_api_gateway_rest_api.site.name
}
