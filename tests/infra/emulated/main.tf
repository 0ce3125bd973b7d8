# What the tests apply to the local AWS: the foundation as production has it.

terraform {
  required_version = ">= 1.8"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.100, < 6.0"
    }
  }
}

variable "endpoint" {
  type = string
}

variable "region" {
  type = string
}

variable "site_url" {
  type = string
}

variable "name" {
  type = string
}

variable "database_url" {
  type = string
}

provider "aws" {
  region                      = var.region
  s3_use_path_style           = true
  skip_metadata_api_check     = true
  skip_region_validation      = true
  skip_credentials_validation = true
  max_retries                 = 2

  endpoints {
    cognitoidp = var.endpoint
    dynamodb   = var.endpoint
    iam        = var.endpoint
    kms        = var.endpoint
    s3         = var.endpoint
    sesv2      = var.endpoint
    sns        = var.endpoint
    sqs        = var.endpoint
    ssm        = var.endpoint
    sts        = var.endpoint
  }
}

module "foundation" {
  source = "../../../infra/modules/foundation"

  name           = var.name
  site_url       = var.site_url
  bucket         = "${var.name}-files"
  table_prefix   = "${var.name}-"
  login_domain   = var.name
  mail_domain    = "filevault.test"
  from_address   = "Filevault <no-reply@filevault.test>"
  service        = "ecs-tasks.amazonaws.com"
  database_url   = var.database_url
  program_logins = true
  protected      = false
  emulated       = true
}

output "environment" {
  value = module.foundation.environment
}

output "parameter_prefix" {
  value = module.foundation.parameter_prefix
}

output "secrets_to_set" {
  value = module.foundation.secrets_to_set
}

output "user_pool_id" {
  value = module.foundation.user_pool_id
}

output "policy_arns" {
  value = module.foundation.policy_arns
}
