output "environment" {
  description = "The variables of the product's processes but for secrets."
  value       = local.environment
}

output "kms_key_arn" {
  description = "The KMS key of one's own, if there is one."
  value       = local.kms_key_arn
}

output "parameter_prefix" {
  description = "What the names of the secrets' parameters begin with (SSM_PREFIX)."
  value       = local.parameter_prefix
}

output "secrets_to_set" {
  description = "The parameters that the operator makes before the first start."
  value       = [for name in setsubtract(local.secrets, keys(local.known_secrets)) : "${local.parameter_prefix}${name}"]
}

output "role_arns" {
  description = "The roles of web server and worker."
  value       = module.access.role_arns
}

output "role_names" {
  description = "The same by name."
  value       = module.access.role_names
}

output "policy_arns" {
  description = "Their policies."
  value       = module.access.policy_arns
}

output "bucket_arn" {
  description = "The bucket of the files."
  value       = module.storage.bucket_arn
}

output "bucket_domain" {
  description = "The bucket's regional host."
  value       = module.storage.bucket_domain
}

output "logs_bucket_domain" {
  description = "The host of the bucket for logs."
  value       = module.storage.logs_bucket_domain
}

output "table_arns" {
  description = "The tables' ARNs by entity."
  value       = module.tables.arns
}

output "user_pool_id" {
  description = "The pool of the practitioners and admins."
  value       = module.identity.user_pool_id
}

output "issuer" {
  description = "The login provider."
  value       = module.identity.issuer
}

output "queue_names" {
  description = "The queues of uploads and of mails' events, and their dead letters."
  value       = merge(module.events.queue_names, module.mail.queue_names)
}

output "uploads_queue_arn" {
  description = "The queue of uploads."
  value       = module.events.uploads_queue_arn
}

output "mail_dns_records" {
  description = "Records that prove the sender's domain."
  value       = module.mail.dns_records
}

output "mail_troubles_topic_arn" {
  description = "Told of bounces, complaints and rejected mails."
  value       = module.mail.troubles_topic_arn
}
