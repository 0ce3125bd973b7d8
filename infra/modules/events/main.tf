data "aws_caller_identity" "current" {}
data "aws_region" "current" {}

locals {
  uploads     = "${var.name}-uploads"
  uploads_arn = "arn:aws:sqs:${data.aws_region.current.name}:${data.aws_caller_identity.current.account_id}:${local.uploads}"
}

# New objects are told here, so that an upload whose tab was closed arrives all the same.
module "uploads" {
  source      = "../queue"
  name        = local.uploads
  policy      = data.aws_iam_policy_document.uploads.json
  kms_key_arn = var.kms_key_arn
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
