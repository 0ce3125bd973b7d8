# Made with a placeholder that the product refuses to start with, and set by the operator: a secret
# that never passed through Terraform stands in no state file.
resource "aws_ssm_parameter" "set_by_operator" {
  #checkov:skip=CKV_AWS_337:A key of one's own costs money each month; var.kms_key_arn sets one, else AWS's key encrypts
  for_each = var.names

  name   = "${var.prefix}${each.key}"
  type   = "SecureString"
  value  = "change-me"
  key_id = var.kms_key_arn

  lifecycle {
    ignore_changes = [value]
  }
}

# What Terraform knows anyway, such as the client secret that Cognito made.
resource "aws_ssm_parameter" "known" {
  #checkov:skip=CKV_AWS_337:A key of one's own costs money each month; var.kms_key_arn sets one, else AWS's key encrypts
  for_each = nonsensitive(toset(keys(var.known)))

  name   = "${var.prefix}${each.key}"
  type   = "SecureString"
  value  = var.known[each.key]
  key_id = var.kms_key_arn
}
