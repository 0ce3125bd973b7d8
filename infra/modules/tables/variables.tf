variable "table_prefix" {
  description = "What the names of all tables begin with (TABLE_PREFIX)."
  type        = string
}

variable "deletion_protection" {
  description = "Whether a table can't be deleted before this is switched off."
  type        = bool
  default     = true
}

variable "kms_key_arn" {
  description = "The KMS key that encrypts the tables; null for AWS's own, which costs nothing."
  type        = string
  default     = null
}
