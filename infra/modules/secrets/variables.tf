variable "prefix" {
  description = "What the parameters' names begin with, a slash at both ends (SSM_PREFIX)."
  type        = string
}

variable "known" {
  description = "Secrets that Terraform knows, by name."
  type        = map(string)
  default     = {}
  sensitive   = true
}

variable "kms_key_arn" {
  description = "The KMS key that encrypts the parameters; null for AWS's own, which costs nothing."
  type        = string
  default     = null
}
