variable "name" {
  description = "Name of the queue; that of the dead letters ends in -dead."
  type        = string
}

variable "policy" {
  description = "Who may send to it, as JSON."
  type        = string
}

variable "kms_key_arn" {
  description = "KMS key that encrypts the messages; null for SQS's own."
  type        = string
  default     = null
}
