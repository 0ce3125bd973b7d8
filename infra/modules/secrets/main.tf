# What Terraform knows anyway, such as the client secret that Cognito made. The operator's own secrets
# are not made here, not even as placeholders: the provider would read their values into the state.
resource "aws_ssm_parameter" "known" {
  #checkov:skip=CKV_AWS_337:A key of one's own costs money each month; var.kms_key_arn sets one, else AWS's key encrypts
  for_each = nonsensitive(toset(keys(var.known)))

  name   = "${var.prefix}${each.key}"
  type   = "SecureString"
  value  = var.known[each.key]
  key_id = var.kms_key_arn
}
