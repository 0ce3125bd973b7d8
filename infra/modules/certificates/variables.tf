variable "domains" {
  description = "The hosts that it is for."
  type        = list(string)
}
