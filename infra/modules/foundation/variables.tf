variable "name" {
  description = "What the names of all resources begin with."
  type        = string
}

variable "site_url" {
  description = "The site's address, as https://files.example.com."
  type        = string
}

variable "bucket" {
  description = "The name of the bucket of the files; unique in the world."
  type        = string
}

variable "table_prefix" {
  description = "What the names of all tables begin with."
  type        = string
}

variable "login_domain" {
  description = "The prefix of the hosted login's address; unique in its region."
  type        = string
}

variable "mail_domain" {
  description = "The domain that mails come from."
  type        = string
}

variable "from_address" {
  description = "The sender of the product's mails, in that domain."
  type        = string
}

variable "service" {
  description = "Which AWS service runs web and worker: lambda.amazonaws.com or ecs-tasks.amazonaws.com."
  type        = string
}

variable "database_url" {
  description = "The address of the SQL database, with its password where it has one."
  type        = string
  sensitive   = true
}

variable "dsql_cluster_arn" {
  description = "The Aurora DSQL cluster, where that is the SQL database."
  type        = string
  default     = null
}

variable "cloudfront_domain" {
  description = "The host that browsers read files from; empty for S3 itself."
  type        = string
  default     = ""
}

variable "cloudfront_distribution_arns" {
  description = "The distributions that may read files."
  type        = list(string)
  default     = []
}

variable "own_kms_key" {
  description = "Whether a KMS key of one's own encrypts everything."
  type        = bool
  default     = false
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
  description = "Whether programs may get tokens by password at the pool."
  type        = bool
  default     = false
}

variable "protected" {
  description = "Whether data is guarded against `terraform destroy`."
  type        = bool
  default     = true
}

variable "emulated" {
  description = "Whether this is an emulator of AWS, reached without TLS."
  type        = bool
  default     = false
}
