variable "name" {
  description = "What the names of all resources begin with."
  type        = string
}

variable "image" {
  description = "The image in ECR, by its digest."
  type        = string
}

variable "architecture" {
  description = "What the image was built for."
  type        = string
  default     = "x86_64"
}

variable "role_arns" {
  description = "The roles of web server and worker."
  type        = map(string)
}

variable "role_names" {
  description = "The same by name."
  type        = map(string)
}

variable "environment" {
  description = "The variables of the product but for secrets."
  type        = map(string)
}

variable "settings" {
  description = "Further ones, or other values."
  type        = map(string)
  default     = {}
}

variable "web_memory" {
  description = "Of the web server, in MB; its share of a processor grows with it."
  type        = number
  default     = 1024
}

variable "worker_memory" {
  description = "Of the worker, in MB."
  type        = number
  default     = 2048
}

variable "web_concurrency" {
  description = "How many web servers run at once at most; -1 for the account's own bound."
  type        = number
  default     = -1
}

variable "kms_key_arn" {
  description = "The KMS key of logs and variables; null for AWS's own."
  type        = string
  default     = null
}

variable "work" {
  description = "Whether the worker is woken; false while a backup is put back."
  type        = bool
  default     = true
}
