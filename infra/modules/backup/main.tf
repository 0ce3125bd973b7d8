# Daily copies of tables, bucket and database, and of those a copy in a second region that nobody can
# take away before its time, not even who has the account.
resource "aws_backup_vault" "this" {
  #checkov:skip=CKV_AWS_166:A key of one's own costs money each month; var.kms_key_arn sets one
  name          = var.name
  kms_key_arn   = var.kms_key_arn
  force_destroy = false
}

resource "aws_backup_vault" "copy" {
  #checkov:skip=CKV_AWS_166:A key of one's own costs money each month; AWS's own key of that region encrypts
  provider      = aws.copy
  name          = "${var.name}-copy"
  force_destroy = false
}

# Without changeable_for_days it can be taken off by who may (governance); with it, after those days,
# by nobody (compliance).
resource "aws_backup_vault_lock_configuration" "copy" {
  provider            = aws.copy
  backup_vault_name   = aws_backup_vault.copy.name
  min_retention_days  = 7
  max_retention_days  = 400
  changeable_for_days = var.lock_for_good_after_days
}

resource "aws_backup_plan" "this" {
  name = var.name

  rule {
    rule_name                = "daily"
    target_vault_name        = aws_backup_vault.this.name
    schedule                 = "cron(0 3 * * ? *)"
    start_window             = 60
    completion_window        = 720
    enable_continuous_backup = false

    lifecycle {
      delete_after = var.keep_days
    }

    copy_action {
      destination_vault_arn = aws_backup_vault.copy.arn

      lifecycle {
        delete_after = var.keep_copies_days
      }
    }
  }
}

resource "aws_backup_selection" "this" {
  name         = var.name
  plan_id      = aws_backup_plan.this.id
  iam_role_arn = aws_iam_role.this.arn
  resources    = var.resource_arns
}

resource "aws_iam_role" "this" {
  name               = "${var.name}-backup"
  assume_role_policy = data.aws_iam_policy_document.trust.json
}

resource "aws_iam_role_policy_attachment" "this" {
  for_each = toset([
    "arn:aws:iam::aws:policy/service-role/AWSBackupServiceRolePolicyForBackup",
    "arn:aws:iam::aws:policy/service-role/AWSBackupServiceRolePolicyForRestores",
    "arn:aws:iam::aws:policy/AWSBackupServiceRolePolicyForS3Backup",
    "arn:aws:iam::aws:policy/AWSBackupServiceRolePolicyForS3Restore",
  ])

  role       = aws_iam_role.this.name
  policy_arn = each.key
}

data "aws_iam_policy_document" "trust" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["backup.amazonaws.com"]
    }
  }
}
