variable "name" {
  description = "What the names of all resources begin with."
  type        = string
}

variable "bucket" {
  description = "The name of the bucket that tells of new objects."
  type        = string
}

variable "kms_key_arn" {
  description = "The KMS key of queues and topic; null for SQS's own, which costs nothing."
  type        = string
  default     = null
}
