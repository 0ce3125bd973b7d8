# The whole service. It is made in three steps, each by `terraform apply`, as the README tells:
#   1. what needs nothing: data, login, mail, registry, certificates (their records are an output);
#   2. with `image`, once it is pushed, and `certificate_arn`, once ACM says ISSUED: compute and edge;
#   3. with `downloads_over_cloudfront`, once CLOUDFRONT_KEYS is set: downloads by CloudFront.

locals {
  site_url = "https://${var.site_domain}"
  lambda   = var.compute == "lambda"
  # Whether one is made here. Said so that nothing secret decides what is made.
  own_database = nonsensitive(var.database_url == null)
  proved       = var.certificate_arn != ""
  is_complete  = local.proved && var.image != "" && (local.lambda || var.regional_certificate_arn != "")
  cdn          = local.proved && var.downloads_domain != "" && length(var.cloudfront_public_keys) > 0
  waf          = coalesce(var.waf, !local.lambda)
}

module "foundation" {
  source = "../modules/foundation"

  name                         = var.name
  site_url                     = local.site_url
  bucket                       = var.bucket
  table_prefix                 = coalesce(var.table_prefix, "${var.name}-")
  login_domain                 = var.login_domain
  mail_domain                  = var.mail_domain
  from_address                 = var.from_address
  service                      = local.lambda ? "lambda.amazonaws.com" : "ecs-tasks.amazonaws.com"
  database_url                 = coalesce(var.database_url, one(concat(module.database_dsql[*].url, module.database_postgres[*].url)))
  dsql_cluster_arn             = one(module.database_dsql[*].arn)
  cloudfront_domain            = local.cdn && var.downloads_over_cloudfront ? var.downloads_domain : ""
  cloudfront_distribution_arns = module.cdn[*].distribution_arn
  own_kms_key                  = var.own_kms_key
  self_signup                  = var.self_signup
  mfa                          = var.mfa
  program_logins               = var.program_logins
  protected                    = var.protected
}

module "registry" {
  source = "../modules/registry"

  name = var.name
}

module "certificate" {
  source = "../modules/certificates"

  providers = { aws = aws.global }

  domains = compact([var.site_domain, var.downloads_domain])
}

module "regional_certificate" {
  source = "../modules/certificates"
  count  = local.lambda ? 0 : 1

  domains = [var.site_domain]
}

module "cdn" {
  source = "../modules/cdn"
  count  = local.cdn ? 1 : 0

  name            = var.name
  domain          = var.downloads_domain
  site_url        = local.site_url
  bucket_domain   = module.foundation.bucket_domain
  certificate_arn = var.certificate_arn
  public_keys     = var.cloudfront_public_keys
}

module "waf" {
  source = "../modules/waf"
  count  = local.is_complete && local.waf ? 1 : 0

  providers = { aws = aws.global }

  name = var.name
}

module "edge" {
  source = "../modules/edge"
  count  = local.is_complete ? 1 : 0

  name            = var.name
  domain          = var.site_domain
  certificate_arn = var.certificate_arn
  origin_domain   = local.lambda ? module.compute_lambda[0].origin_domain : module.compute_fargate[0].origin_domain
  origin_path     = local.lambda ? module.compute_lambda[0].origin_path : ""
  origin_headers  = local.lambda ? module.compute_lambda[0].origin_headers : {}
  vpc_origin_id   = one(module.compute_fargate[*].vpc_origin_id)
  forward_host    = !local.lambda
  web_acl_arn     = one(module.waf[*].arn)
}

module "backup" {
  source = "../modules/backup"
  count  = var.backup ? 1 : 0

  providers = { aws = aws, aws.copy = aws.copy }

  name                     = var.name
  resource_arns            = concat(values(module.foundation.table_arns), [module.foundation.bucket_arn], module.database_postgres[*].arn)
  lock_for_good_after_days = var.backup_lock_for_good_after_days
}

module "alarms" {
  source = "../modules/alarms"
  count  = local.is_complete ? 1 : 0

  name           = var.name
  emails         = var.alarm_emails
  monthly_budget = var.monthly_budget
  compute        = var.compute
  kms_key_arn    = module.foundation.kms_key_arn
  log_groups     = local.lambda ? module.compute_lambda[0].log_groups : module.compute_fargate[0].log_groups
  queue_names    = module.foundation.queue_names
  api_name       = one(module.compute_lambda[*].api_name)
  load_balancer  = one(module.compute_fargate[*].load_balancer)
}

resource "aws_sns_topic_subscription" "mail_troubles" {
  for_each = toset(var.alarm_emails)

  topic_arn = module.foundation.mail_troubles_topic_arn
  protocol  = "email"
  endpoint  = each.key
}

module "deploy" {
  source = "../modules/deploy"
  count  = var.deploy_subject == "" ? 0 : 1

  name            = var.name
  issuer          = var.deploy_issuer
  subject         = var.deploy_subject
  create_provider = var.deploy_create_provider
  repository_arn  = module.registry.arn
  function_arns   = flatten([for each in module.compute_lambda : values(each.function_arns)])
  service_arns    = flatten([for each in module.compute_fargate : values(each.service_arns)])
  task_role_arns  = flatten([for each in module.compute_fargate : concat(values(module.foundation.role_arns), [each.execution_role_arn])])
}
