output "distribution_arn" {
  description = "The distribution, for the bucket's policy."
  value       = aws_cloudfront_distribution.files.arn
}

output "target" {
  description = "What the CNAME record of the host points to."
  value       = aws_cloudfront_distribution.files.domain_name
}

output "key_ids" {
  description = "The ids of the public keys by name: the first half of each pair in CLOUDFRONT_KEYS."
  value       = { for name, key in aws_cloudfront_public_key.this : name => key.id }
}
