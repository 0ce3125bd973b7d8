variable "name" {
  description = "What the names of all resources begin with."
  type        = string
}

variable "cloudfront_distribution_arns" {
  description = "The distributions that read files encrypted by this key."
  type        = list(string)
  default     = []
}
