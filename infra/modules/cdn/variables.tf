variable "name" {
  description = "What the names of all resources begin with."
  type        = string
}

variable "domain" {
  description = "The host that browsers read files from (CLOUDFRONT_DOMAIN)."
  type        = string
}

variable "site_url" {
  description = "The site, whose pages may show files in frames and read them by script."
  type        = string
}

variable "bucket_domain" {
  description = "The bucket's regional host."
  type        = string
}

variable "certificate_arn" {
  description = "A certificate of us-east-1 for the host."
  type        = string
}

variable "public_keys" {
  description = "Public RSA keys (PEM) by a name of their generation."
  type        = map(string)

  validation {
    condition     = length(var.public_keys) > 0
    error_message = "Without a public key nothing could be read."
  }
}

variable "price_class" {
  description = "Which of the edge locations are used."
  type        = string
  default     = "PriceClass_100"
}
