output "vpc_id" {
  description = "The network."
  value       = aws_vpc.this.id
}

output "cidr" {
  description = "Its addresses (TRUSTED_PROXIES)."
  value       = aws_vpc.this.cidr_block
}

output "private_subnet_ids" {
  description = "Its private subnets."
  value       = [for each in aws_subnet.private : each.id]
}
