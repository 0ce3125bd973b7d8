variable "name" {
  description = "What the names of all resources begin with."
  type        = string
}

variable "emails" {
  description = "Who is told."
  type        = list(string)

  validation {
    condition     = length(var.emails) > 0
    error_message = "Somebody has to be told."
  }
}

variable "monthly_budget" {
  description = "US dollars a month above which (at 80 % already) somebody is told."
  type        = number
}

variable "log_groups" {
  description = "The logs of web server and worker."
  type        = map(string)
}

variable "queue_names" {
  description = "The queues of uploads and of mails' events, and their dead letters."
  type        = map(string)
}

variable "compute" {
  description = "lambda or fargate. Said, since what is not made yet can't be asked."
  type        = string
}

variable "api_name" {
  description = "The API of the lambda compute."
  type        = string
  default     = null
}

variable "load_balancer" {
  description = "The load balancer of the fargate compute."
  type        = string
  default     = null
}

variable "kms_key_arn" {
  description = "The KMS key of the topic; null for none."
  type        = string
  default     = null
}
