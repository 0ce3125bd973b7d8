variable "name" {
  description = "What the names of all resources begin with."
  type        = string
}

variable "service" {
  description = "Which AWS service runs web and worker: lambda.amazonaws.com or ecs-tasks.amazonaws.com."
  type        = string
}

variable "table_arns" {
  description = "The tables' ARNs by entity."
  type        = map(string)
}

variable "bucket_arn" {
  description = "The bucket of the files."
  type        = string
}

variable "uploads_queue_arn" {
  description = "The queue of uploads, which the worker reads."
  type        = string
}

variable "mail_events_queue_arn" {
  description = "The queue of SES's events, which the worker reads."
  type        = string
}

variable "files_topic_arn" {
  description = "The topic that the worker publishes to."
  type        = string
}

variable "mail_identity_arn" {
  description = "The SES identity that the worker sends from."
  type        = string
}

variable "mail_configuration_set_arn" {
  description = "The configuration set that its mails go through."
  type        = string
}

variable "parameter_prefix" {
  description = "What the names of the secrets' parameters begin with."
  type        = string
}

variable "kms_key_arn" {
  description = "The KMS key of files, tables, queues and parameters, if it is one's own."
  type        = string
  default     = null
}

variable "dsql_cluster_arn" {
  description = "The Aurora DSQL cluster, where that is the SQL database."
  type        = string
  default     = null
}
