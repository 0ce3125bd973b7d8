variable "name" {
  description = "What the names of all resources begin with."
  type        = string
}

variable "issuer" {
  description = "The pipeline's OIDC issuer without https://, as token.actions.githubusercontent.com."
  type        = string
}

variable "subject" {
  description = "Exactly whose tokens count, as repo:owner/name:ref:refs/heads/main."
  type        = string

  validation {
    condition     = !strcontains(var.subject, "*")
    error_message = "The subject is exact: with a * others could deploy."
  }
}

variable "create_provider" {
  description = "Whether the account does not know the issuer yet."
  type        = bool
  default     = true
}

variable "repository_arn" {
  description = "The repository of the image."
  type        = string
}

variable "function_arns" {
  description = "The functions of the lambda compute."
  type        = list(string)
  default     = []
}

variable "service_arns" {
  description = "The services of the fargate compute."
  type        = list(string)
  default     = []
}

variable "task_role_arns" {
  description = "The roles of its tasks."
  type        = list(string)
  default     = []
}
