output "bucket" {
  description = "The bucket's name."
  value       = aws_s3_bucket.files.id
}

output "bucket_arn" {
  description = "The bucket's ARN."
  value       = aws_s3_bucket.files.arn
}

output "bucket_domain" {
  description = "The bucket's regional host, CloudFront's origin."
  value       = aws_s3_bucket.files.bucket_regional_domain_name
}

output "logs_bucket_domain" {
  description = "The host of the bucket for logs."
  value       = aws_s3_bucket.logs.bucket_domain_name
}
