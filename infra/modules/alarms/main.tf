# One topic for everything that a person should look at.
resource "aws_sns_topic" "this" {
  #checkov:skip=CKV_AWS_26:A key of one's own costs money each month; var.kms_key_arn sets one. Alarms name no person
  name              = "${var.name}-alarms"
  kms_master_key_id = var.kms_key_arn
}

resource "aws_sns_topic_subscription" "email" {
  for_each = toset(var.emails)

  topic_arn = aws_sns_topic.this.arn
  protocol  = "email"
  endpoint  = each.key
}

locals {
  actions = [aws_sns_topic.this.arn]

  # Records of the product's log that call for a person (docs/storage.md, docs/configuration.md).
  messages = {
    bucket-keeps-no-versions = "bucket keeps no versions"
    file-not-published       = "file not published"
    queue-does-not-answer    = "queue does not answer"
    scanner-away             = "scanner away"
    sweep-found-leftovers    = "sweep found leftovers"
    worker-round-failed      = "worker round failed"
  }
  watched = merge([
    for process, group in var.log_groups : {
      for name, text in local.messages : "${process}-${name}" => { group = group, text = text }
    }
  ]...)
}

resource "aws_cloudwatch_log_metric_filter" "messages" {
  for_each = local.watched

  name           = "${var.name}-${each.key}"
  log_group_name = each.value.group
  pattern        = "{ $.message = \"${each.value.text}\" }"

  metric_transformation {
    namespace = var.name
    name      = each.key
    value     = "1"
  }
}

resource "aws_cloudwatch_metric_alarm" "messages" {
  for_each = local.watched

  alarm_name          = "${var.name}-${each.key}"
  alarm_description   = "The log says: ${each.value.text}"
  namespace           = var.name
  metric_name         = aws_cloudwatch_log_metric_filter.messages[each.key].metric_transformation[0].name
  statistic           = "Sum"
  period              = 300
  evaluation_periods  = 1
  threshold           = 1
  comparison_operator = "GreaterThanOrEqualToThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = local.actions
}

# The worker says each minute how long the oldest job has waited. Silence is an alarm too.
resource "aws_cloudwatch_log_metric_filter" "worker_age" {
  name           = "${var.name}-worker-age"
  log_group_name = var.log_groups["worker"]
  pattern        = "{ $.message = \"oldest job\" }"

  metric_transformation {
    namespace = var.name
    name      = "worker-age"
    value     = "$.seconds"
    unit      = "Seconds"
  }
}

resource "aws_cloudwatch_metric_alarm" "worker_age" {
  alarm_name          = "${var.name}-worker-age"
  alarm_description   = "Due work has waited for five minutes, or no worker runs"
  namespace           = var.name
  metric_name         = aws_cloudwatch_log_metric_filter.worker_age.metric_transformation[0].name
  statistic           = "Maximum"
  period              = 60
  evaluation_periods  = 10
  datapoints_to_alarm = 5
  threshold           = 300
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "breaching"
  alarm_actions       = local.actions
  ok_actions          = local.actions
}

locals {
  service_alarms = merge(
    {
      dead-letters = {
        description = "A message about an upload could not be handled"
        namespace   = "AWS/SQS", metric = "ApproximateNumberOfMessagesVisible", statistic = "Maximum"
        dimensions  = { QueueName = var.queue_names["dead"] }, period = 300, periods = 1, threshold = 0
      }
      mail-dead-letters = {
        description = "What SES told of a mail could not be handled"
        namespace   = "AWS/SQS", metric = "ApproximateNumberOfMessagesVisible", statistic = "Maximum"
        dimensions  = { QueueName = var.queue_names["mail_dead"] }, period = 300, periods = 1, threshold = 0
      }
      uploads-wait = {
        description = "No worker reads the queue of uploads"
        namespace   = "AWS/SQS", metric = "ApproximateAgeOfOldestMessage", statistic = "Maximum"
        dimensions  = { QueueName = var.queue_names["uploads"] }, period = 300, periods = 1, threshold = 900
      }
      bounces = {
        description = "More than 3 % of the mails bounce; at 5 % SES looks at the account"
        namespace   = "AWS/SES", metric = "Reputation.BounceRate", statistic = "Maximum"
        dimensions  = {}, period = 3600, periods = 1, threshold = 0.03
      }
      complaints = {
        description = "More than 0.05 % of the mails are complained about; at 0.1 % SES looks at the account"
        namespace   = "AWS/SES", metric = "Reputation.ComplaintRate", statistic = "Maximum"
        dimensions  = {}, period = 3600, periods = 1, threshold = 0.0005
      }
    },
    var.compute != "lambda" ? {} : {
      errors = {
        description = "Requests end with 5xx"
        namespace   = "AWS/ApiGateway", metric = "5XXError", statistic = "Sum"
        dimensions  = { ApiName = var.api_name }, period = 300, periods = 1, threshold = 5
      }
    },
    var.compute != "fargate" ? {} : {
      errors = {
        description = "Requests end with 5xx"
        namespace   = "AWS/ApplicationELB", metric = "HTTPCode_Target_5XX_Count", statistic = "Sum"
        dimensions  = { LoadBalancer = var.load_balancer }, period = 300, periods = 1, threshold = 5
      }
      unanswered = {
        description = "The load balancer finds no web server"
        namespace   = "AWS/ApplicationELB", metric = "HTTPCode_ELB_5XX_Count", statistic = "Sum"
        dimensions  = { LoadBalancer = var.load_balancer }, period = 300, periods = 1, threshold = 5
      }
    },
  )
}

resource "aws_cloudwatch_metric_alarm" "services" {
  for_each = local.service_alarms

  alarm_name          = "${var.name}-${each.key}"
  alarm_description   = each.value.description
  namespace           = each.value.namespace
  metric_name         = each.value.metric
  dimensions          = each.value.dimensions
  statistic           = each.value.statistic
  period              = each.value.period
  evaluation_periods  = each.value.periods
  threshold           = each.value.threshold
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = local.actions
  ok_actions          = local.actions
}

resource "aws_budgets_budget" "this" {
  name         = var.name
  budget_type  = "COST"
  limit_amount = tostring(var.monthly_budget)
  limit_unit   = "USD"
  time_unit    = "MONTHLY"

  notification {
    comparison_operator        = "GREATER_THAN"
    threshold                  = 80
    threshold_type             = "PERCENTAGE"
    notification_type          = "ACTUAL"
    subscriber_email_addresses = var.emails
  }

  notification {
    comparison_operator        = "GREATER_THAN"
    threshold                  = 100
    threshold_type             = "PERCENTAGE"
    notification_type          = "FORECASTED"
    subscriber_email_addresses = var.emails
  }
}
