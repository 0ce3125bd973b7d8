# The variables of the product's processes. A test compares them with .env.example.

data "aws_region" "current" {}

locals {
  parameter_prefix = "/${var.name}/"

  # From Parameter Store, under SSM_PREFIX. Those that aren't known here the operator puts there
  # (`secrets_to_set`), and CLOUDFRONT_KEYS, whose ids are known once its public keys were applied.
  secrets = toset(["DATABASE_URL", "INVITATION_SIGNING_KEYS", "OIDC_CLIENT_SECRET", "SECRET_KEY", "SIGNING_KEYS"])

  known_secrets = {
    OIDC_CLIENT_SECRET = module.identity.client_secret
    DATABASE_URL       = var.database_url
  }

  environment = {
    SITE_URL             = var.site_url
    AWS_DEFAULT_REGION   = data.aws_region.current.name
    FILEVAULT_BUCKET     = module.storage.bucket
    FILEVAULT_KMS_KEY_ID = local.kms_key_arn == null ? "" : local.kms_key_arn
    TABLE_PREFIX         = var.table_prefix
    OIDC_ISSUER          = module.identity.issuer
    OIDC_CLIENT_ID       = module.identity.client_id
    OIDC_ADMIN_GROUP     = module.identity.admin_group
    OIDC_LOGOUT_URL      = module.identity.logout_url
    DEFAULT_FROM_EMAIL   = var.from_address
    SQS_UPLOADS_URL      = module.events.uploads_queue_url
    SQS_MAIL_URL         = module.mail.events_queue_url
    SNS_TOPIC_ARN        = module.events.files_topic_arn
    CLOUDFRONT_DOMAIN    = var.cloudfront_domain
    SSM_PREFIX           = local.parameter_prefix
  }
}
