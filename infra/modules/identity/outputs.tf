output "user_pool_id" {
  description = "The pool's id."
  value       = aws_cognito_user_pool.this.id
}

output "issuer" {
  description = "The issuer in its tokens (OIDC_ISSUER)."
  value       = "https://cognito-idp.${data.aws_region.current.name}.amazonaws.com/${aws_cognito_user_pool.this.id}"
}

output "client_id" {
  description = "The site at the pool (OIDC_CLIENT_ID)."
  value       = aws_cognito_user_pool_client.site.id
}

output "client_secret" {
  description = "Its secret (OIDC_CLIENT_SECRET)."
  value       = aws_cognito_user_pool_client.site.client_secret
  sensitive   = true
}

output "logout_url" {
  description = "The hosted logout (OIDC_LOGOUT_URL)."
  value       = "https://${aws_cognito_user_pool_domain.this.domain}.auth.${data.aws_region.current.name}.amazoncognito.com/logout"
}

output "admin_group" {
  description = "The group of the admins (OIDC_ADMIN_GROUP)."
  value       = aws_cognito_user_group.admins.name
}
