variable "name" {
  description = "What the names of all resources begin with."
  type        = string
}

variable "resource_arns" {
  description = "What is backed up."
  type        = list(string)
}

variable "keep_days" {
  description = "How long a copy is kept in this region."
  type        = number
  default     = 35
}

variable "keep_copies_days" {
  description = "How long one is kept in the second region."
  type        = number
  default     = 35
}

variable "lock_for_good_after_days" {
  description = "After so many days (3 or more) nobody can take the lock of the second vault off; null: who may, can."
  type        = number
  default     = null
}

variable "kms_key_arn" {
  description = "The KMS key of this region's vault; null for AWS's own."
  type        = string
  default     = null
}
