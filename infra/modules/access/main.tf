data "aws_caller_identity" "current" {}
data "aws_region" "current" {}

locals {
  item_actions = [
    "dynamodb:BatchGetItem",
    "dynamodb:ConditionCheckItem",
    "dynamodb:DeleteItem",
    "dynamodb:DescribeTable",
    "dynamodb:GetItem",
    "dynamodb:PutItem",
    "dynamodb:Query",
    "dynamodb:UpdateItem",
  ]
  tables  = values(var.table_arns)
  files   = ["${var.bucket_arn}/cases/*", "${var.bucket_arn}/users/*"]
  secrets = "arn:aws:ssm:${data.aws_region.current.name}:${data.aws_caller_identity.current.account_id}:parameter${trimsuffix(var.parameter_prefix, "/")}"
  scanned = [for name in ["AuditEvent", "File", "RetentionEnd", "StreamHead"] : var.table_arns[name]]
}

# What web server and worker both may: rows, files, and reading their secrets.
data "aws_iam_policy_document" "both" {
  statement {
    sid       = "Rows"
    actions   = local.item_actions
    resources = local.tables
  }

  statement {
    sid       = "Indexes"
    actions   = ["dynamodb:Query"]
    resources = [for arn in local.tables : "${arn}/index/*"]
  }

  statement {
    sid = "Files"
    actions = [
      "s3:AbortMultipartUpload",
      "s3:GetObject",
      "s3:GetObjectVersion",
      "s3:ListMultipartUploadParts",
      "s3:PutObject",
    ]
    resources = local.files
  }

  # Without it S3 answers 403 and not 404 for what isn't there. No condition on s3:prefix: a HEAD
  # request has none, and would be refused.
  statement {
    sid       = "WhatIsNotThere"
    actions   = ["s3:ListBucket"]
    resources = [var.bucket_arn]
  }

  statement {
    sid       = "Secrets"
    actions   = ["ssm:GetParametersByPath"]
    resources = [local.secrets, "${local.secrets}/*"]
  }

  dynamic "statement" {
    for_each = var.kms_key_arn == null ? [] : [var.kms_key_arn]
    content {
      sid       = "Key"
      actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
      resources = [statement.value]
    }
  }

  dynamic "statement" {
    for_each = var.dsql_cluster_arn == null ? [] : [var.dsql_cluster_arn]
    content {
      sid       = "Database"
      actions   = ["dsql:DbConnectAdmin"]
      resources = [statement.value]
    }
  }
}

# What the worker may besides: take bytes away, sweep, read the queues, send mails and messages.
data "aws_iam_policy_document" "worker" {
  source_policy_documents = [data.aws_iam_policy_document.both.json]

  statement {
    sid       = "TakeFilesAway"
    actions   = ["s3:DeleteObject", "s3:DeleteObjectVersion"]
    resources = local.files
  }

  # The audit trail's checkpoints: nobody takes them away, and only the worker writes them.
  statement {
    sid       = "Checkpoints"
    actions   = ["s3:GetObject", "s3:GetObjectVersion", "s3:PutObject", "s3:PutObjectRetention"]
    resources = ["${var.bucket_arn}/checkpoints/*"]
  }

  statement {
    sid       = "SweepTheBucket"
    actions   = ["s3:ListBucketMultipartUploads", "s3:ListBucketVersions"]
    resources = [var.bucket_arn]
  }

  # sweep_uploads, verify_audit and enforce_retention; nothing else reads a table as a whole.
  statement {
    sid       = "ReadWholeTables"
    actions   = ["dynamodb:Scan"]
    resources = local.scanned
  }

  statement {
    sid = "Queues"
    actions = [
      "sqs:ChangeMessageVisibility",
      "sqs:DeleteMessage",
      "sqs:GetQueueAttributes",
      "sqs:ReceiveMessage",
    ]
    resources = [var.uploads_queue_arn, var.mail_events_queue_arn]
  }

  statement {
    sid       = "Mails"
    actions   = ["ses:SendEmail", "ses:SendRawEmail"]
    resources = [var.mail_identity_arn, var.mail_configuration_set_arn]
  }

  statement {
    sid       = "TellOthers"
    actions   = ["sns:Publish"]
    resources = [var.files_topic_arn]
  }
}

# What `manage.py doctor` looks at, run with the worker's role.
data "aws_iam_policy_document" "doctor" {
  source_policy_documents = [data.aws_iam_policy_document.worker.json]

  statement {
    sid       = "DoctorTables"
    actions   = ["dynamodb:DescribeContinuousBackups", "dynamodb:DescribeTimeToLive"]
    resources = local.tables
  }

  statement {
    sid = "DoctorBucket"
    actions = [
      "s3:GetBucketCORS",
      "s3:GetBucketNotification",
      "s3:GetBucketObjectLockConfiguration",
      "s3:GetBucketPolicy",
      "s3:GetBucketPublicAccessBlock",
      "s3:GetBucketVersioning",
      "s3:GetEncryptionConfiguration",
      "s3:GetLifecycleConfiguration",
    ]
    resources = [var.bucket_arn]
  }

  statement {
    sid       = "DoctorMail"
    actions   = ["ses:GetEmailIdentity"]
    resources = [var.mail_identity_arn]
  }

  # It has no resource.
  statement {
    sid       = "DoctorMailAccount"
    actions   = ["ses:GetAccount"]
    resources = ["*"]
  }

  statement {
    sid       = "DoctorTopic"
    actions   = ["sns:GetTopicAttributes"]
    resources = [var.files_topic_arn]
  }
}

data "aws_iam_policy_document" "trust" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = [var.service]
    }

    # ECS says for which account it asks; Lambda only takes roles that were passed to it.
    dynamic "condition" {
      for_each = var.service == "ecs-tasks.amazonaws.com" ? [1] : []
      content {
        test     = "StringEquals"
        variable = "aws:SourceAccount"
        values   = [data.aws_caller_identity.current.account_id]
      }
    }
  }
}

locals {
  policies = {
    web    = data.aws_iam_policy_document.both.json
    worker = data.aws_iam_policy_document.doctor.json
  }
}

resource "aws_iam_policy" "this" {
  for_each = local.policies

  name   = "${var.name}-${each.key}"
  policy = each.value
}

resource "aws_iam_role" "this" {
  for_each = local.policies

  name               = "${var.name}-${each.key}"
  assume_role_policy = data.aws_iam_policy_document.trust.json
}

resource "aws_iam_role_policy_attachment" "this" {
  for_each = local.policies

  role       = aws_iam_role.this[each.key].name
  policy_arn = aws_iam_policy.this[each.key].arn
}
