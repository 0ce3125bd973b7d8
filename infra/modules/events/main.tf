data "aws_caller_identity" "current" {}
data "aws_region" "current" {}

locals {
  uploads     = "${var.name}-uploads"
  uploads_arn = "arn:aws:sqs:${data.aws_region.current.name}:${data.aws_caller_identity.current.account_id}:${local.uploads}"
}

# New objects are told here, so that an upload whose tab was closed arrives all the same.
resource "aws_sqs_queue" "uploads" {
  name                              = local.uploads
  policy                            = data.aws_iam_policy_document.uploads.json
  visibility_timeout_seconds        = 120
  sqs_managed_sse_enabled           = var.kms_key_arn == null ? true : null
  kms_master_key_id                 = var.kms_key_arn
  kms_data_key_reuse_period_seconds = var.kms_key_arn == null ? null : 300

  redrive_policy = jsonencode({
    deadLetterTargetArn = aws_sqs_queue.dead.arn
    maxReceiveCount     = 5
  })
}

# What could not be handled: kept for 14 days, to be looked at and moved back.
resource "aws_sqs_queue" "dead" {
  name                      = "${local.uploads}-dead"
  message_retention_seconds = 1209600
  sqs_managed_sse_enabled   = var.kms_key_arn == null ? true : null
  kms_master_key_id         = var.kms_key_arn
}

# By the bucket's name and not its ARN: the bucket's notification needs this queue first.
data "aws_iam_policy_document" "uploads" {
  statement {
    sid       = "TheBucketTells"
    actions   = ["sqs:SendMessage"]
    resources = [local.uploads_arn]

    principals {
      type        = "Service"
      identifiers = ["s3.amazonaws.com"]
    }

    condition {
      test     = "ArnLike"
      variable = "aws:SourceArn"
      values   = ["arn:aws:s3:::${var.bucket}"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [data.aws_caller_identity.current.account_id]
    }
  }
}

# Told of each file that became available; other systems subscribe to it.
resource "aws_sns_topic" "files" {
  #checkov:skip=CKV_AWS_26:A key of one's own costs money each month; var.kms_key_arn sets one. Messages hold ids, sizes and types alone
  name              = "${var.name}-files"
  kms_master_key_id = var.kms_key_arn
}
