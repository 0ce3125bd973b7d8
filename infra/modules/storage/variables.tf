variable "bucket" {
  description = "The bucket's name (FILEVAULT_BUCKET); its access logs go to the same with -logs."
  type        = string
}

variable "site_url" {
  description = "The site's address, the only origin from which browsers may use the bucket (SITE_URL)."
  type        = string
}

variable "uploads_queue_arn" {
  description = "The queue that is told of new objects."
  type        = string
}

variable "cloudfront_distribution_arns" {
  description = "The distributions that may read files."
  type        = list(string)
  default     = []
}

variable "kms_key_arn" {
  description = "The KMS key that encrypts files; null for S3's own, which costs nothing."
  type        = string
  default     = null
}

variable "force_destroy" {
  description = "Whether `terraform destroy` may take the files with it."
  type        = bool
  default     = false
}

variable "require_tls" {
  description = "Whether requests without TLS are refused. False for an emulator alone."
  type        = bool
  default     = true
}
