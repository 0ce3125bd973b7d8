variable "name" {
  description = "What the names of all resources begin with."
  type        = string
}

variable "limit" {
  description = "Requests of one address in five minutes."
  type        = number
  default     = 3000
}

variable "entrance_limit" {
  description = "Requests of one address to login and invitations in five minutes."
  type        = number
  default     = 300
}
