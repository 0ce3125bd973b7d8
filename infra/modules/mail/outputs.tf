output "identity_arn" {
  description = "The identity that may be sent from."
  value       = aws_sesv2_email_identity.this.arn
}

output "configuration_set_arn" {
  description = "The configuration set that every mail goes through."
  value       = aws_sesv2_configuration_set.this.arn
}

output "troubles_topic_arn" {
  description = "Told of bounces, complaints and rejected mails."
  value       = aws_sns_topic.troubles.arn
}

output "dns_records" {
  description = "CNAME records that prove the domain and sign its mails (DKIM)."
  value = [
    for token in try(aws_sesv2_email_identity.this.dkim_signing_attributes[0].tokens, []) : {
      name  = "${token}._domainkey.${var.domain}"
      type  = "CNAME"
      value = "${token}.dkim.amazonses.com"
    }
  ]
}

output "events_queue_arn" {
  description = "The ARN of the queue of SES's events."
  value       = module.events.arn
}

output "events_queue_url" {
  description = "Its address (SQS_MAIL_URL)."
  value       = module.events.url
}

output "queue_names" {
  description = "The queue and its dead letters, for alarms."
  value       = { mail = module.events.name, mail_dead = module.events.dead_name }
}
