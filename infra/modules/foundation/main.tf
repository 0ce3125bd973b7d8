# Everything that holds data or says who may use it: what stays when the compute changes.

module "key" {
  source = "../key"
  count  = var.own_kms_key ? 1 : 0

  name                         = var.name
  cloudfront_distribution_arns = var.cloudfront_distribution_arns
}

locals {
  kms_key_arn = one(module.key[*].arn)
}

module "events" {
  source = "../events"

  name        = var.name
  bucket      = var.bucket
  kms_key_arn = local.kms_key_arn
}

module "storage" {
  source = "../storage"

  bucket                       = var.bucket
  site_url                     = var.site_url
  uploads_queue_arn            = module.events.uploads_queue_arn
  cloudfront_distribution_arns = var.cloudfront_distribution_arns
  kms_key_arn                  = local.kms_key_arn
  force_destroy                = !var.protected
  require_tls                  = !var.emulated
}

module "tables" {
  source = "../tables"

  table_prefix        = var.table_prefix
  deletion_protection = var.protected
  kms_key_arn         = local.kms_key_arn
}

module "mail" {
  source = "../mail"

  name        = var.name
  domain      = var.mail_domain
  kms_key_arn = local.kms_key_arn
}

module "identity" {
  source = "../identity"

  name                = var.name
  site_url            = var.site_url
  login_domain        = var.login_domain
  self_signup         = var.self_signup
  mfa                 = var.mfa
  program_logins      = var.program_logins
  deletion_protection = var.protected
}

module "secrets" {
  source = "../secrets"

  prefix      = local.parameter_prefix
  known       = local.known_secrets
  kms_key_arn = local.kms_key_arn
}

module "access" {
  source = "../access"

  name                       = var.name
  service                    = var.service
  table_arns                 = module.tables.arns
  bucket_arn                 = module.storage.bucket_arn
  uploads_queue_arn          = module.events.uploads_queue_arn
  mail_events_queue_arn      = module.mail.events_queue_arn
  files_topic_arn            = module.events.files_topic_arn
  mail_identity_arn          = module.mail.identity_arn
  mail_configuration_set_arn = module.mail.configuration_set_arn
  parameter_prefix           = local.parameter_prefix
  kms_key_arn                = local.kms_key_arn
  dsql_cluster_arn           = var.dsql_cluster_arn
}
