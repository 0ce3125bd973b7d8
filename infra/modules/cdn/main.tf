resource "aws_cloudfront_origin_access_control" "files" {
  name                              = "${var.name}-files"
  origin_access_control_origin_type = "s3"
  signing_behavior                  = "always"
  signing_protocol                  = "sigv4"
}

# A new generation is added here, and taken away once nothing is signed with it any more.
resource "aws_cloudfront_public_key" "this" {
  for_each = var.public_keys

  name        = "${var.name}-${each.key}"
  encoded_key = each.value
}

resource "aws_cloudfront_key_group" "this" {
  name  = var.name
  items = [for key in aws_cloudfront_public_key.this : key.id]
}

# What the address says of version, name and type is part of the cache's key, and thereby reaches S3.
resource "aws_cloudfront_cache_policy" "files" {
  name        = "${var.name}-files"
  min_ttl     = 0
  default_ttl = 60
  max_ttl     = 120

  parameters_in_cache_key_and_forwarded_to_origin {
    cookies_config {
      cookie_behavior = "none"
    }

    headers_config {
      header_behavior = "none"
    }

    query_strings_config {
      query_string_behavior = "whitelist"

      query_strings {
        items = [
          "response-cache-control",
          "response-content-disposition",
          "response-content-type",
          "versionId",
        ]
      }
    }
  }
}

resource "aws_cloudfront_response_headers_policy" "files" {
  name = "${var.name}-files"

  # The site's pages read large files by script, and go on where a line broke.
  cors_config {
    access_control_allow_credentials = false
    access_control_max_age_sec       = 600
    origin_override                  = true

    access_control_allow_headers {
      items = ["range"]
    }

    access_control_allow_methods {
      items = ["GET", "HEAD"]
    }

    access_control_allow_origins {
      items = [var.site_url]
    }

    access_control_expose_headers {
      items = ["Content-Range", "ETag"]
    }
  }

  security_headers_config {
    content_type_options {
      override = true
    }

    # No sandbox, in which browsers show no PDF.
    content_security_policy {
      content_security_policy = "default-src 'none'; object-src 'self'; style-src 'unsafe-inline'; frame-ancestors ${var.site_url}"
      override                = true
    }

    strict_transport_security {
      access_control_max_age_sec = 31536000
      include_subdomains         = true
      preload                    = true
      override                   = true
    }

    referrer_policy {
      referrer_policy = "no-referrer"
      override        = true
    }
  }
}

resource "aws_cloudfront_distribution" "files" {
  #checkov:skip=CKV_AWS_86:Its log would hold signed addresses; S3's access log says who read what
  #checkov:skip=CKV_AWS_68:Only signed addresses are answered; there is nothing here to try passwords on
  #checkov:skip=CKV2_AWS_47:Only signed addresses are answered, by S3, which runs no Java of ours
  #checkov:skip=CKV_AWS_310:There is one bucket; a second region holds its backup, not a twin
  #checkov:skip=CKV_AWS_374:Clients travel; where they are is no sign of who they are
  #checkov:skip=CKV_AWS_305:There is no page here
  enabled         = true
  is_ipv6_enabled = true
  comment         = "${var.name}: files"
  aliases         = [var.domain]
  http_version    = "http2and3"
  price_class     = var.price_class

  origin {
    origin_id                = "files"
    domain_name              = var.bucket_domain
    origin_access_control_id = aws_cloudfront_origin_access_control.files.id
  }

  default_cache_behavior {
    target_origin_id           = "files"
    viewer_protocol_policy     = "https-only"
    allowed_methods            = ["GET", "HEAD"]
    cached_methods             = ["GET", "HEAD"]
    cache_policy_id            = aws_cloudfront_cache_policy.files.id
    response_headers_policy_id = aws_cloudfront_response_headers_policy.files.id
    trusted_key_groups         = [aws_cloudfront_key_group.this.id]
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
