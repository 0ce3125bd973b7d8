variable "name" {
  description = "What the names of all resources begin with."
  type        = string
}

variable "site_url" {
  description = "The site's address (SITE_URL)."
  type        = string
}

variable "login_domain" {
  description = "The prefix of the hosted login's address; unique in its region."
  type        = string
}

variable "self_signup" {
  description = "Whether people may make accounts themselves. A new account sees its own vault and cases alone."
  type        = bool
  default     = false
}

variable "mfa" {
  description = "OFF, OPTIONAL or ON, by authenticator app."
  type        = string
  default     = "ON"

  validation {
    condition     = contains(["OFF", "OPTIONAL", "ON"], var.mfa)
    error_message = "mfa is OFF, OPTIONAL or ON."
  }
}

variable "admin_group" {
  description = "The group whose members may use /admin/ (OIDC_ADMIN_GROUP)."
  type        = string
  default     = "filevault-admins"
}

variable "program_logins" {
  description = "Whether programs may get tokens by password at the pool (docs/api.md)."
  type        = bool
  default     = false
}

variable "ses_identity_arn" {
  description = "The SES identity that Cognito's own mails come from; null for Cognito's, 50 a day at most."
  type        = string
  default     = null
}

variable "from_address" {
  description = "The sender of Cognito's own mails, at that identity."
  type        = string
  default     = null
}

variable "deletion_protection" {
  description = "Whether the pool can't be deleted before this is switched off."
  type        = bool
  default     = true
}
