# A REST API because it can ask for a key: nobody gets past CloudFront, and so past its TLS, its WAF and
# the address that it says. A function URL with a signature (OAC) would refuse every form: browsers
# don't send the hash of a body.
resource "aws_api_gateway_rest_api" "site" {
  #checkov:skip=CKV_AWS_237:It is replaced in place; CloudFront learns its new address in the same run
  name                         = var.name
  binary_media_types           = ["*/*"]
  disable_execute_api_endpoint = false

  endpoint_configuration {
    types = ["REGIONAL"]
  }
}

resource "aws_api_gateway_resource" "all" {
  rest_api_id = aws_api_gateway_rest_api.site.id
  parent_id   = aws_api_gateway_rest_api.site.root_resource_id
  path_part   = "{proxy+}"
}

locals {
  resources = {
    root = aws_api_gateway_rest_api.site.root_resource_id
    all  = aws_api_gateway_resource.all.id
  }
}

resource "aws_api_gateway_method" "this" {
  #checkov:skip=CKV2_AWS_53:The product checks what it is asked
  for_each = local.resources

  rest_api_id      = aws_api_gateway_rest_api.site.id
  resource_id      = each.value
  http_method      = "ANY"
  authorization    = "NONE"
  api_key_required = true
}

resource "aws_api_gateway_integration" "this" {
  for_each = local.resources

  rest_api_id             = aws_api_gateway_rest_api.site.id
  resource_id             = each.value
  http_method             = aws_api_gateway_method.this[each.key].http_method
  type                    = "AWS_PROXY"
  integration_http_method = "POST"
  uri                     = aws_lambda_function.this["web"].invoke_arn
}

resource "aws_lambda_permission" "api" {
  statement_id  = "api"
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.this["web"].function_name
  principal     = "apigateway.amazonaws.com"
  source_arn    = "${aws_api_gateway_rest_api.site.execution_arn}/*"
}

resource "aws_api_gateway_deployment" "site" {
  rest_api_id = aws_api_gateway_rest_api.site.id

  triggers = {
    shape = sha1(jsonencode([
      aws_api_gateway_rest_api.site.binary_media_types,
      [for each in aws_api_gateway_method.this : [each.id, each.api_key_required]],
      [for each in aws_api_gateway_integration.this : [each.id, each.uri]],
    ]))
  }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_api_gateway_stage" "site" {
  #checkov:skip=CKV_AWS_120:Pages are nobody else's; static files are kept at CloudFront
  #checkov:skip=CKV_AWS_76:Its log would hold invitation links with their tokens; the product writes its own without
  #checkov:skip=CKV_AWS_73:The product's log has each request with its time
  #checkov:skip=CKV2_AWS_4:Its log would hold invitation links with their tokens; the product writes its own without
  #checkov:skip=CKV2_AWS_29:The web ACL, where there is one, is CloudFront's, and nobody else has the key
  #checkov:skip=CKV2_AWS_51:The API key is CloudFront's proof; it has no client certificate to show
  rest_api_id   = aws_api_gateway_rest_api.site.id
  deployment_id = aws_api_gateway_deployment.site.id
  stage_name    = "site"
}

resource "aws_api_gateway_api_key" "cloudfront" {
  name = "${var.name}-cloudfront"
}

resource "aws_api_gateway_usage_plan" "cloudfront" {
  name = "${var.name}-cloudfront"

  api_stages {
    api_id = aws_api_gateway_rest_api.site.id
    stage  = aws_api_gateway_stage.site.stage_name
  }
}

resource "aws_api_gateway_usage_plan_key" "cloudfront" {
  key_id        = aws_api_gateway_api_key.cloudfront.id
  key_type      = "API_KEY"
  usage_plan_id = aws_api_gateway_usage_plan.cloudfront.id
}
