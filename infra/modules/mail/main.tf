data "aws_caller_identity" "current" {}
data "aws_region" "current" {}

locals {
  configuration_set = "${var.name}-mail"
  events            = "${var.name}-mail-events"
  events_arn        = "arn:aws:sqs:${data.aws_region.current.name}:${data.aws_caller_identity.current.account_id}:${local.events}"
}

resource "aws_sesv2_email_identity" "this" {
  email_identity         = var.domain
  configuration_set_name = aws_sesv2_configuration_set.this.configuration_set_name
}

resource "aws_sesv2_configuration_set" "this" {
  configuration_set_name = local.configuration_set

  delivery_options {
    tls_policy = "REQUIRE"
  }

  reputation_options {
    reputation_metrics_enabled = true
  }

  suppression_options {
    suppressed_reasons = ["BOUNCE", "COMPLAINT"]
  }
}

resource "aws_sesv2_configuration_set_event_destination" "troubles" {
  configuration_set_name = aws_sesv2_configuration_set.this.configuration_set_name
  event_destination_name = "troubles"

  event_destination {
    enabled              = true
    matching_event_types = ["BOUNCE", "COMPLAINT", "REJECT", "RENDERING_FAILURE"]

    sns_destination {
      topic_arn = aws_sns_topic.troubles.arn
    }
  }

  depends_on = [aws_sns_topic_policy.troubles]
}

# Mails that did not arrive. They name their recipients: subscribe who may know that.
resource "aws_sns_topic" "troubles" {
  #checkov:skip=CKV_AWS_26:A key of one's own costs money each month; var.kms_key_arn sets one
  name              = "${var.name}-mail-troubles"
  kms_master_key_id = var.kms_key_arn
}

resource "aws_sns_topic_policy" "troubles" {
  arn    = aws_sns_topic.troubles.arn
  policy = data.aws_iam_policy_document.troubles.json
}

data "aws_iam_policy_document" "troubles" {
  statement {
    sid       = "SesTells"
    actions   = ["sns:Publish"]
    resources = [aws_sns_topic.troubles.arn]

    principals {
      type        = "Service"
      identifiers = ["ses.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [data.aws_caller_identity.current.account_id]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceArn"
      values   = ["arn:aws:ses:${data.aws_region.current.name}:${data.aws_caller_identity.current.account_id}:configuration-set/${local.configuration_set}"]
    }
  }
}
