variable "protected" {
  description = "Whether it can't be deleted before this is switched off."
  type        = bool
  default     = true
}
