locals {
  functions = {
    web = {
      memory  = var.web_memory
      timeout = 29
      storage = 512
      command = null
      adapter = {}
    }
    worker = {
      memory  = var.worker_memory
      timeout = 900
      storage = 2048
      command = ["gunicorn", "filevault.scheduled:application", "--threads", "1"]
      # A run that failed counts as one, which the figures of the function show.
      adapter = { AWS_LWA_ERROR_STATUS_CODES = "500-599" }
    }
  }

  # The adapter and gunicorn; each function answers one request at a time.
  lambda_environment = {
    AWS_LWA_PORT                 = "8000"
    AWS_LWA_READINESS_CHECK_PATH = "/healthz"
    WEB_CONCURRENCY              = "1"
    GUNICORN_CMD_ARGS            = "--timeout 900"
    # The adapter speaks from this machine, CloudFront before it; both say whom they speak for.
    TRUSTED_PROXIES     = join(",", concat(["127.0.0.1/32"], local.cloudfront))
    EXTRA_ALLOWED_HOSTS = local.host
    # An answer through API Gateway is whole, ends after 29 seconds and holds 10 MB at most.
    ZIP_DOWNLOADS = "0"
  }

  # Lambda sets AWS_DEFAULT_REGION itself, and refuses to be told.
  environment = merge({ for key, value in var.environment : key => value if key != "AWS_DEFAULT_REGION" }, local.lambda_environment, var.settings)

  cloudfront = [for entry in data.aws_ec2_managed_prefix_list.cloudfront.entries : entry.cidr]
  host       = "${aws_api_gateway_rest_api.site.id}.execute-api.${data.aws_region.current.name}.amazonaws.com"
}

data "aws_region" "current" {}
data "aws_caller_identity" "current" {}

data "aws_ec2_managed_prefix_list" "cloudfront" {
  name = "com.amazonaws.global.cloudfront.origin-facing"
}

resource "aws_cloudwatch_log_group" "this" {
  #checkov:skip=CKV_AWS_158:A key of one's own costs money each month; var.kms_key_arn sets one. Logs hold nothing personal
  for_each = local.functions

  name              = "/aws/lambda/${var.name}-${each.key}"
  retention_in_days = 365
  kms_key_id        = var.kms_key_arn
}

data "aws_iam_policy_document" "logs" {
  for_each = local.functions

  statement {
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    resources = ["${aws_cloudwatch_log_group.this[each.key].arn}:*"]
  }
}

resource "aws_iam_role_policy" "logs" {
  for_each = local.functions

  name   = "logs"
  role   = var.role_names[each.key]
  policy = data.aws_iam_policy_document.logs[each.key].json
}

resource "aws_lambda_function" "this" {
  #checkov:skip=CKV_AWS_115:How many run at once is bounded by the account; var.web_concurrency sets a bound of one's own
  #checkov:skip=CKV_AWS_116:Nobody waits for the worker's answer: the next minute's run does what one left
  #checkov:skip=CKV_AWS_117:It needs no network of its own: tables, bucket and database are reached by TLS and role
  #checkov:skip=CKV_AWS_173:Its environment holds no secrets, those are in Parameter Store
  #checkov:skip=CKV_AWS_50:The product's log has each request with its time
  #checkov:skip=CKV_AWS_272:Code signing is for zip files; an image is named by its digest
  for_each = local.functions

  function_name                  = "${var.name}-${each.key}"
  role                           = var.role_arns[each.key]
  package_type                   = "Image"
  image_uri                      = var.image
  architectures                  = [var.architecture]
  memory_size                    = each.value.memory
  timeout                        = each.value.timeout
  reserved_concurrent_executions = each.key == "web" ? var.web_concurrency : -1
  kms_key_arn                    = var.kms_key_arn

  environment {
    variables = merge(local.environment, each.value.adapter)
  }

  ephemeral_storage {
    size = each.value.storage
  }

  dynamic "image_config" {
    for_each = each.value.command == null ? [] : [each.value.command]
    content {
      command = image_config.value
    }
  }

  depends_on = [aws_cloudwatch_log_group.this, aws_iam_role_policy.logs]
}
