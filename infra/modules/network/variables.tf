variable "name" {
  description = "What the names of all resources begin with."
  type        = string
}

variable "cidr" {
  description = "Its addresses."
  type        = string
  default     = "10.40.0.0/16"
}

variable "zones" {
  description = "The letters of its two availability zones. Named, since a list that grows would move subnets."
  type        = list(string)
  default     = ["a", "b"]
}
