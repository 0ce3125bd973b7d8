output "target" {
  description = "What the CNAME or ALIAS record of the site points to."
  value       = aws_cloudfront_distribution.site.domain_name
}
