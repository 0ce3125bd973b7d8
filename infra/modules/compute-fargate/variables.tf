variable "name" {
  description = "What the names of all resources begin with."
  type        = string
}

variable "image" {
  description = "The image in ECR, by its digest."
  type        = string
}

variable "architecture" {
  description = "What the image was built for: X86_64 or ARM64."
  type        = string
  default     = "X86_64"
}

variable "repository_arn" {
  description = "The repository of the image."
  type        = string
}

variable "role_arns" {
  description = "The roles of web server and worker."
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

variable "vpc_id" {
  description = "The network."
  type        = string
}

variable "vpc_cidr" {
  description = "Its addresses: the load balancer speaks from there."
  type        = string
}

variable "subnet_ids" {
  description = "Its private subnets."
  type        = list(string)
}

variable "certificate_arn" {
  description = "A certificate of this region for the site's host."
  type        = string
}

variable "web_cpu" {
  description = "Of a web server: 1024 is a processor."
  type        = number
  default     = 512
}

variable "web_memory" {
  description = "Of a web server, in MB."
  type        = number
  default     = 1024
}

variable "web_least" {
  description = "How many web servers there are at least."
  type        = number
  default     = 2
}

variable "web_most" {
  description = "How many web servers there are at most."
  type        = number
  default     = 10
}

variable "requests_per_web" {
  description = "Requests a minute above which another web server is started."
  type        = number
  default     = 600
}

variable "worker_cpu" {
  description = "Of a worker."
  type        = number
  default     = 512
}

variable "worker_memory" {
  description = "Of a worker, in MB."
  type        = number
  default     = 2048
}

variable "worker_most" {
  description = "How many workers there are at most."
  type        = number
  default     = 6
}

variable "uploads_queue_name" {
  description = "The queue whose age adds workers."
  type        = string
}

variable "kms_key_arn" {
  description = "The KMS key of the logs; null for AWS's own."
  type        = string
  default     = null
}

variable "work" {
  description = "Whether workers run; false while a backup is put back."
  type        = bool
  default     = true
}
