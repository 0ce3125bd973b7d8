# What SES tells of mails that did not arrive, for the worker: so that an invitation shows it.
module "events" {
  source      = "../queue"
  name        = local.events
  policy      = data.aws_iam_policy_document.events.json
  kms_key_arn = var.kms_key_arn
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
  endpoint  = module.events.arn
}
