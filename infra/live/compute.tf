# One of two, by `compute`. The foundation stays as it is when it changes.

module "database_dsql" {
  source = "../modules/database-dsql"
  count  = local.lambda && local.own_database ? 1 : 0

  protected = var.protected
}

module "compute_lambda" {
  source = "../modules/compute-lambda"
  count  = local.lambda && local.is_complete ? 1 : 0

  name         = var.name
  image        = var.image
  architecture = var.architecture
  role_arns    = module.foundation.role_arns
  role_names   = module.foundation.role_names
  environment  = module.foundation.environment
  settings     = var.settings
  kms_key_arn  = module.foundation.kms_key_arn
  work         = var.work
}

module "network" {
  source = "../modules/network"
  count  = local.lambda ? 0 : 1

  name = var.name
}

module "database_postgres" {
  source = "../modules/database-postgres"
  count  = !local.lambda && local.own_database ? 1 : 0

  name       = var.name
  vpc_id     = module.network[0].vpc_id
  subnet_ids = module.network[0].private_subnet_ids
  vpc_cidr   = module.network[0].cidr
  password   = var.database_password
  protected  = var.protected

  kms_key_arn = module.foundation.kms_key_arn
}

module "compute_fargate" {
  source = "../modules/compute-fargate"
  count  = !local.lambda && local.is_complete ? 1 : 0

  name               = var.name
  image              = var.image
  architecture       = upper(var.architecture)
  repository_arn     = module.registry.arn
  role_arns          = module.foundation.role_arns
  environment        = module.foundation.environment
  settings           = var.settings
  vpc_id             = module.network[0].vpc_id
  vpc_cidr           = module.network[0].cidr
  subnet_ids         = module.network[0].private_subnet_ids
  certificate_arn    = var.regional_certificate_arn
  uploads_queue_name = module.foundation.queue_names["uploads"]
  kms_key_arn        = module.foundation.kms_key_arn
  work               = var.work
}
