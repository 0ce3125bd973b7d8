# What SES tells of mails that did not arrive, for the worker: so that an invitation shows it.
resource "aws_sqs_queue" "events" {
  name                              = local.events
  policy                            = data.aws_iam_policy_document.events.json
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
  name                      = "${local.events}-dead"
  message_retention_seconds = 1209600
  sqs_managed_sse_enabled   = var.kms_key_arn == null ? true : null
  kms_master_key_id         = var.kms_key_arn
}

data "aws_iam_policy_document" "events" {
  statement {
    sid       = "TheTopicTells"
    actions   = ["sqs:SendMessage"]
    resources = [local.events_arn]

    principals {
      type        = "Service"
      identifiers = ["sns.amazonaws.com"]
    }

    condition {
      test     = "ArnEquals"
      variable = "aws:SourceArn"
      values   = [aws_sns_topic.troubles.arn]
    }
  }
}

resource "aws_sns_topic_subscription" "events" {
  topic_arn = aws_sns_topic.troubles.arn
  protocol  = "sqs"
  endpoint  = aws_sqs_queue.events.arn
}
