output "vault_arn" {
  description = "The vault of this region."
  value       = aws_backup_vault.this.arn
}

output "copy_vault_arn" {
  description = "The locked vault of the second region."
  value       = aws_backup_vault.copy.arn
}
