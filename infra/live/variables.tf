variable "name" {
  description = "What the names of all resources begin with; not longer than 20 characters."
  type        = string
  default     = "filevault"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,19}$", var.name))
    error_message = "Small letters, digits and hyphens, 20 at most."
  }
}

variable "region" {
  description = "Where the data is."
  type        = string
}

variable "copy_region" {
  description = "Where the copies of the backups are."
  type        = string
}

variable "site_domain" {
  description = "The site's host, as files.example.com."
  type        = string
}

variable "downloads_domain" {
  description = "The host of downloads by CloudFront, as downloads.example.com; empty for S3 itself."
  type        = string
  default     = ""
}

variable "bucket" {
  description = "The name of the bucket of the files; unique in the world."
  type        = string
}

variable "table_prefix" {
  description = "What the names of the tables begin with, where it isn't the name and a hyphen: after a restore."
  type        = string
  default     = null
}

variable "login_domain" {
  description = "The prefix of the hosted login; unique in its region."
  type        = string
}

variable "mail_domain" {
  description = "The domain that mails come from."
  type        = string
}

variable "from_address" {
  description = "The sender of the mails, as Filevault <no-reply@example.com>."
  type        = string
}

variable "compute" {
  description = "lambda: nothing to pay while nobody asks. fargate: for steady load."
  type        = string
  default     = "lambda"

  validation {
    condition     = contains(["fargate", "lambda"], var.compute)
    error_message = "compute is lambda or fargate."
  }
}

variable "image" {
  description = "The image in the registry, by its digest (…@sha256:…); empty until it is pushed."
  type        = string
  default     = ""
}

variable "architecture" {
  description = "What the image was built for: x86_64 or arm64."
  type        = string
  default     = "x86_64"
}

variable "settings" {
  description = "Further variables of the product, or other values (docs/configuration.md)."
  type        = map(string)
  default     = {}
}

variable "certificate_arn" {
  description = "The certificate of us-east-1 for site and downloads, once it is issued; empty until then."
  type        = string
  default     = ""
}

variable "regional_certificate_arn" {
  description = "For fargate: the certificate of the region for the site, once it is issued; empty until then."
  type        = string
  default     = ""
}

variable "cloudfront_public_keys" {
  description = "Public RSA keys (PEM) for signed downloads, by a name of their generation."
  type        = map(string)
  default     = {}
}

variable "downloads_over_cloudfront" {
  description = "Whether downloads go by CloudFront: once CLOUDFRONT_KEYS is set."
  type        = bool
  default     = false
}

variable "database_password" {
  description = "For fargate: of PostgreSQL, 16 letters and digits or more. Best given as TF_VAR_database_password."
  type        = string
  default     = null
  sensitive   = true
}

variable "database_url" {
  description = "Another PostgreSQL of yours (postgres://…), instead of the one that would be made here."
  type        = string
  default     = null
  sensitive   = true
}

variable "self_signup" {
  description = "Whether people may make practitioners' accounts themselves."
  type        = bool
  default     = false
}

variable "mfa" {
  description = "OFF, OPTIONAL or ON."
  type        = string
  default     = "ON"
}

variable "program_logins" {
  description = "Whether programs may get tokens by password at the pool (docs/api.md)."
  type        = bool
  default     = false
}

variable "own_kms_key" {
  description = "Whether a KMS key of your own encrypts everything."
  type        = bool
  default     = false
}

variable "waf" {
  description = "Whether there is a web ACL; null: with fargate alone, since it costs money each month."
  type        = bool
  default     = null
}

variable "backup" {
  description = "Whether AWS Backup keeps copies, here and in the second region."
  type        = bool
  default     = true
}

variable "backup_lock_for_good_after_days" {
  description = "After so many days nobody can take the second vault's lock off; null: who may, can."
  type        = number
  default     = null
}

variable "alarm_emails" {
  description = "Who is told when something is wrong."
  type        = list(string)
}

variable "monthly_budget" {
  description = "US dollars a month of which somebody is told."
  type        = number
  default     = 50
}

variable "deploy_issuer" {
  description = "The pipeline's OIDC issuer without https://."
  type        = string
  default     = "token.actions.githubusercontent.com"
}

variable "deploy_subject" {
  description = "Whose tokens may deploy, exactly, as repo:owner/name:ref:refs/heads/main; empty for no such role."
  type        = string
  default     = ""
}

variable "deploy_create_provider" {
  description = "Whether the account does not know the issuer yet."
  type        = bool
  default     = true
}

variable "protected" {
  description = "Whether data is guarded against `terraform destroy`."
  type        = bool
  default     = true
}

variable "work" {
  description = "Whether workers run; false while a backup is put back (docs/operations.md)."
  type        = bool
  default     = true
}
