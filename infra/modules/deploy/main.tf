# What a pipeline may do without keys: push an image and let the compute take it. Terraform itself is
# run by a person.
resource "aws_iam_openid_connect_provider" "this" {
  count = var.create_provider ? 1 : 0

  url            = "https://${var.issuer}"
  client_id_list = ["sts.amazonaws.com"]
}

data "aws_caller_identity" "current" {}

resource "aws_iam_role" "this" {
  name                 = "${var.name}-deploy"
  assume_role_policy   = data.aws_iam_policy_document.trust.json
  max_session_duration = 3600
}

resource "aws_iam_role_policy" "this" {
  name   = "deploy"
  role   = aws_iam_role.this.id
  policy = data.aws_iam_policy_document.this.json
}

data "aws_iam_policy_document" "trust" {
  statement {
    actions = ["sts:AssumeRoleWithWebIdentity"]

    principals {
      type        = "Federated"
      identifiers = ["arn:aws:iam::${data.aws_caller_identity.current.account_id}:oidc-provider/${var.issuer}"]
    }

    condition {
      test     = "StringEquals"
      variable = "${var.issuer}:aud"
      values   = ["sts.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "${var.issuer}:sub"
      values   = [var.subject]
    }
  }
}

data "aws_iam_policy_document" "this" {
  #checkov:skip=CKV_AWS_356:A token for the registry and a task definition have no resource that could be named before
  #checkov:skip=CKV_AWS_111:A task definition has no resource that could be named before
  statement {
    sid       = "RegistryToken"
    actions   = ["ecr:GetAuthorizationToken"]
    resources = ["*"]
  }

  statement {
    sid = "PushTheImage"
    actions = [
      "ecr:BatchCheckLayerAvailability",
      "ecr:BatchGetImage",
      "ecr:CompleteLayerUpload",
      "ecr:DescribeImages",
      "ecr:GetDownloadUrlForLayer",
      "ecr:InitiateLayerUpload",
      "ecr:PutImage",
      "ecr:UploadLayerPart",
    ]
    resources = [var.repository_arn]
  }

  dynamic "statement" {
    for_each = length(var.function_arns) > 0 ? [1] : []
    content {
      sid       = "UpdateTheFunctions"
      actions   = ["lambda:GetFunction", "lambda:GetFunctionConfiguration", "lambda:InvokeFunction", "lambda:UpdateFunctionCode"]
      resources = var.function_arns
    }
  }

  dynamic "statement" {
    for_each = length(var.service_arns) > 0 ? [1] : []
    content {
      sid       = "UpdateTheServices"
      actions   = ["ecs:DescribeServices", "ecs:UpdateService"]
      resources = var.service_arns
    }
  }

  dynamic "statement" {
    for_each = length(var.service_arns) > 0 ? [1] : []
    content {
      sid       = "DescribeTheTasks"
      actions   = ["ecs:DescribeTaskDefinition", "ecs:RegisterTaskDefinition"]
      resources = ["*"]
    }
  }

  dynamic "statement" {
    for_each = length(var.service_arns) > 0 ? [1] : []
    content {
      sid       = "PassTheTasksRoles"
      actions   = ["iam:PassRole"]
      resources = var.task_role_arns

      condition {
        test     = "StringEquals"
        variable = "iam:PassedToService"
        values   = ["ecs-tasks.amazonaws.com"]
      }
    }
  }
}
