output "arn" {
  description = "The key's ARN (FILEVAULT_KMS_KEY_ID)."
  value       = aws_kms_key.this.arn
}
