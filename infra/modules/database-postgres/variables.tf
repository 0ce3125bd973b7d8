variable "name" {
  description = "What the names of all resources begin with."
  type        = string
}

variable "vpc_id" {
  description = "The network."
  type        = string
}

variable "subnet_ids" {
  description = "Its private subnets."
  type        = list(string)
}

variable "vpc_cidr" {
  description = "Its addresses, which may connect."
  type        = string
}

variable "password" {
  description = "Its password: 16 letters and digits or more."
  type        = string
  sensitive   = true

  validation {
    condition     = can(regex("^[A-Za-z0-9]{16,}$", var.password))
    error_message = "The password needs 16 letters and digits or more."
  }
}

variable "instance_class" {
  description = "Its size."
  type        = string
  default     = "db.t4g.micro"
}

variable "multi_az" {
  description = "Whether a twin in another availability zone takes over."
  type        = bool
  default     = true
}

variable "kms_key_arn" {
  description = "The KMS key that encrypts it; null for AWS's own."
  type        = string
  default     = null
}

variable "protected" {
  description = "Whether it can't be deleted before this is switched off."
  type        = bool
  default     = true
}
