variable "name" {
  description = "What the names of all resources begin with."
  type        = string
}

variable "domain" {
  description = "The site's host."
  type        = string
}

variable "certificate_arn" {
  description = "A certificate of us-east-1 for the host."
  type        = string
}

variable "origin_domain" {
  description = "The host of the load balancer or the API behind it."
  type        = string
}

variable "origin_path" {
  description = "What paths begin with there."
  type        = string
  default     = ""
}

variable "origin_headers" {
  description = "Headers that prove to the origin that CloudFront asks."
  type        = map(string)
  default     = {}
  sensitive   = true
}

variable "forward_host" {
  description = "Whether the origin hears the site's own name."
  type        = bool
}

variable "vpc_origin_id" {
  description = "The VPC origin, where the origin is inside a network."
  type        = string
  default     = null
}

variable "web_acl_arn" {
  description = "The web ACL (module waf), if there is one."
  type        = string
  default     = null
}

variable "price_class" {
  description = "Which of the edge locations are used."
  type        = string
  default     = "PriceClass_100"
}
