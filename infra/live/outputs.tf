output "dns_records" {
  description = "Records to add where the DNS is hosted: they prove certificates and the sender of mails."
  value = concat(
    module.certificate.dns_records,
    flatten(module.regional_certificate[*].dns_records),
    module.foundation.mail_dns_records,
  )
}

output "site_target" {
  description = "What the CNAME or ALIAS record of the site points to."
  value       = one(module.edge[*].target)
}

output "downloads_target" {
  description = "What the CNAME record of the downloads points to."
  value       = one(module.cdn[*].target)
}

output "certificate_arn" {
  description = "For `certificate_arn`, once ACM says ISSUED."
  value       = module.certificate.arn
}

output "regional_certificate_arn" {
  description = "For `regional_certificate_arn`, once ACM says ISSUED."
  value       = one(module.regional_certificate[*].arn)
}

output "registry" {
  description = "Where the image is pushed to."
  value       = module.registry.url
}

output "secrets_to_set" {
  description = "Parameters to make before the first start."
  value       = module.foundation.secrets_to_set
}

output "cloudfront_key_ids" {
  description = "The first halves of the pairs in CLOUDFRONT_KEYS."
  value       = one(module.cdn[*].key_ids)
}

output "user_pool_id" {
  description = "Where the practitioners' accounts are made."
  value       = module.foundation.user_pool_id
}

output "environment" {
  description = "The variables of the product but for secrets."
  value       = module.foundation.environment
}

output "worker_function" {
  description = "The function that migrates the database, with lambda."
  value       = try(module.compute_lambda[0].function_names["worker"], null)
}

output "cluster" {
  description = "The cluster, with fargate."
  value       = one(module.compute_fargate[*].cluster_name)
}

output "deploy_role_arn" {
  description = "The role that the pipeline takes."
  value       = one(module.deploy[*].role_arn)
}
