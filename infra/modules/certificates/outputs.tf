output "arn" {
  description = "The certificate. It is good once its state is ISSUED."
  value       = aws_acm_certificate.this.arn
}

output "dns_records" {
  description = "Records that prove the domains."
  value = [
    for each in aws_acm_certificate.this.domain_validation_options : {
      name  = each.resource_record_name
      type  = each.resource_record_type
      value = each.resource_record_value
    }
  ]
}
