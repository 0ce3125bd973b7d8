variable "name" {
  description = "What the names of all resources begin with."
  type        = string
}

variable "domain" {
  description = "The domain that mails come from."
  type        = string
}

variable "kms_key_arn" {
  description = "The KMS key of topic and queues; null for none."
  type        = string
  default     = null
}
