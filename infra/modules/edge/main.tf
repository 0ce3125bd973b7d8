locals {
  # AWS's own policies, the same in every account.
  caching_disabled        = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"
  caching_optimized       = "658327ea-f89d-4fab-a63d-7e88639e58f6"
  all_viewer              = "216adef6-5c7f-47e4-b989-5492eafa07d3"
  all_viewer_without_host = "b689b0a8-53d0-40ab-baf2-68738e2966ac"
}

# A load balancer proves itself by the site's own certificate, so that it has to hear the site's
# name. An API of API Gateway has to hear its own.
resource "aws_cloudfront_origin_request_policy" "host" {
  count = var.forward_host ? 1 : 0

  name = "${var.name}-host"

  cookies_config {
    cookie_behavior = "none"
  }

  headers_config {
    header_behavior = "whitelist"

    headers {
      items = ["Host"]
    }
  }

  query_strings_config {
    query_string_behavior = "none"
  }
}

resource "aws_cloudfront_distribution" "site" {
  #checkov:skip=CKV_AWS_86:Its log would hold invitation links with their tokens; the product writes its own without
  #checkov:skip=CKV_AWS_68:A web ACL costs money each month; var.web_acl_arn sets one
  #checkov:skip=CKV2_AWS_47:A web ACL costs money each month; var.web_acl_arn sets one. There is no Java here
  #checkov:skip=CKV_AWS_310:There is one origin, over several availability zones
  #checkov:skip=CKV_AWS_374:Clients travel; where they are is no sign of who they are
  #checkov:skip=CKV_AWS_305:The product answers / itself
  #checkov:skip=CKV2_AWS_32:The product sets its security headers itself, with a nonce a page
  enabled         = true
  is_ipv6_enabled = true
  comment         = "${var.name}: site"
  aliases         = [var.domain]
  http_version    = "http2and3"
  price_class     = var.price_class
  web_acl_id      = var.web_acl_arn

  origin {
    origin_id   = "site"
    domain_name = var.origin_domain
    origin_path = var.origin_path

    dynamic "custom_header" {
      for_each = nonsensitive(keys(var.origin_headers))
      content {
        name  = custom_header.value
        value = var.origin_headers[custom_header.value]
      }
    }

    dynamic "custom_origin_config" {
      for_each = var.vpc_origin_id == null ? [1] : []
      content {
        http_port              = 80
        https_port             = 443
        origin_protocol_policy = "https-only"
        origin_ssl_protocols   = ["TLSv1.2"]
        origin_read_timeout    = 30
      }
    }

    dynamic "vpc_origin_config" {
      for_each = var.vpc_origin_id == null ? [] : [var.vpc_origin_id]
      content {
        vpc_origin_id       = vpc_origin_config.value
        origin_read_timeout = 60
      }
    }
  }

  default_cache_behavior {
    target_origin_id         = "site"
    viewer_protocol_policy   = "redirect-to-https"
    allowed_methods          = ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"]
    cached_methods           = ["GET", "HEAD"]
    compress                 = false
    cache_policy_id          = local.caching_disabled
    origin_request_policy_id = var.forward_host ? local.all_viewer : local.all_viewer_without_host
  }

  # Names with a hash of their content: kept for as long as the product says.
  ordered_cache_behavior {
    path_pattern             = "/static/*"
    target_origin_id         = "site"
    viewer_protocol_policy   = "redirect-to-https"
    allowed_methods          = ["GET", "HEAD"]
    cached_methods           = ["GET", "HEAD"]
    compress                 = true
    cache_policy_id          = local.caching_optimized
    origin_request_policy_id = one(aws_cloudfront_origin_request_policy.host[*].id)
  }

  restrictions {
    geo_restriction {
      restriction_type = "none"
    }
  }

  viewer_certificate {
    acm_certificate_arn      = var.certificate_arn
    minimum_protocol_version = "TLSv1.2_2021"
    ssl_support_method       = "sni-only"
  }
}
