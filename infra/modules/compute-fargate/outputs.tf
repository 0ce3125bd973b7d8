output "origin_domain" {
  description = "The load balancer's host."
  value       = aws_lb.this.dns_name
}

output "vpc_origin_id" {
  description = "The load balancer as CloudFront reaches it."
  value       = aws_cloudfront_vpc_origin.this.id
}

output "log_groups" {
  description = "The logs of web server and worker."
  value       = { for name, group in aws_cloudwatch_log_group.this : name => group.name }
}

output "cluster_name" {
  description = "The cluster."
  value       = aws_ecs_cluster.this.name
}

output "cluster_arn" {
  description = "The same by ARN."
  value       = aws_ecs_cluster.this.arn
}

output "service_arns" {
  description = "The services."
  value       = { for name, service in aws_ecs_service.this : name => service.id }
}

output "execution_role_arn" {
  description = "The role that starts the tasks."
  value       = aws_iam_role.execution.arn
}

output "load_balancer" {
  description = "The load balancer, for alarms."
  value       = aws_lb.this.arn_suffix
}
