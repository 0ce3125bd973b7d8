locals {
  encryption = var.kms_key_arn == null ? "AES256" : "aws:kms"
}

resource "aws_s3_bucket" "files" {
  #checkov:skip=CKV_AWS_144:A copy in a second region is the backup plan's (module backup), with a lock on it
  #checkov:skip=CKV_AWS_145:A key of one's own costs money each month; var.kms_key_arn sets one, else S3's key encrypts
  bucket              = var.bucket
  object_lock_enabled = true
  force_destroy       = var.force_destroy
}

resource "aws_s3_bucket_public_access_block" "files" {
  bucket                  = aws_s3_bucket.files.id
  block_public_acls       = true
  ignore_public_acls      = true
  block_public_policy     = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_ownership_controls" "files" {
  bucket = aws_s3_bucket.files.id

  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_versioning" "files" {
  bucket = aws_s3_bucket.files.id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "files" {
  bucket = aws_s3_bucket.files.id

  rule {
    bucket_key_enabled = var.kms_key_arn != null

    apply_server_side_encryption_by_default {
      sse_algorithm     = local.encryption
      kms_master_key_id = var.kms_key_arn
    }
  }
}

# No rule may ever expire a version under cases/ or users/: a file's row names the version that was
# checked, and that one can be noncurrent.
resource "aws_s3_bucket_lifecycle_configuration" "files" {
  #checkov:skip=CKV_AWS_300:The rule aborts uploads in parts of the whole bucket, by an empty prefix
  bucket     = aws_s3_bucket.files.id
  depends_on = [aws_s3_bucket_versioning.files]

  rule {
    id     = "abort-incomplete-uploads"
    status = "Enabled"

    filter {
      prefix = ""
    }

    # Long after the worker should have done it (UPLOAD_RESUME_SECONDS).
    abort_incomplete_multipart_upload {
      days_after_initiation = 7
    }
  }

  # Intelligent-Tiering alone, without its archive tiers: every file answers at once.
  rule {
    id     = "tier-what-rests"
    status = "Enabled"

    filter {
      prefix = ""
    }

    transition {
      days          = 30
      storage_class = "INTELLIGENT_TIERING"
    }

    noncurrent_version_transition {
      noncurrent_days = 30
      storage_class   = "INTELLIGENT_TIERING"
    }
  }
}

resource "aws_s3_bucket_cors_configuration" "files" {
  bucket = aws_s3_bucket.files.id

  cors_rule {
    allowed_origins = [var.site_url]
    allowed_methods = ["PUT", "POST", "GET", "HEAD"]
    allowed_headers = ["content-type", "range", "x-amz-checksum-sha256", "x-amz-server-side-encryption*"]
    expose_headers  = ["Content-Range", "ETag"]
    max_age_seconds = 600
  }
}

resource "aws_s3_bucket_notification" "files" {
  bucket = aws_s3_bucket.files.id

  queue {
    id        = "uploads"
    queue_arn = var.uploads_queue_arn
    events    = ["s3:ObjectCreated:*"]
  }
}

resource "aws_s3_bucket_policy" "files" {
  bucket     = aws_s3_bucket.files.id
  policy     = data.aws_iam_policy_document.files.json
  depends_on = [aws_s3_bucket_public_access_block.files]
}

data "aws_iam_policy_document" "files" {
  dynamic "statement" {
    for_each = var.require_tls ? [1] : []
    content {
      sid       = "RefuseWhatIsNotTls"
      effect    = "Deny"
      actions   = ["s3:*"]
      resources = [aws_s3_bucket.files.arn, "${aws_s3_bucket.files.arn}/*"]

      principals {
        type        = "*"
        identifiers = ["*"]
      }

      condition {
        test     = "Bool"
        variable = "aws:SecureTransport"
        values   = ["false"]
      }
    }
  }

  dynamic "statement" {
    for_each = length(var.cloudfront_distribution_arns) > 0 ? [1] : []
    content {
      sid       = "CloudFrontReads"
      actions   = ["s3:GetObject", "s3:GetObjectVersion"]
      resources = ["${aws_s3_bucket.files.arn}/cases/*", "${aws_s3_bucket.files.arn}/users/*"]

      principals {
        type        = "Service"
        identifiers = ["cloudfront.amazonaws.com"]
      }

      condition {
        test     = "StringEquals"
        variable = "aws:SourceArn"
        values   = var.cloudfront_distribution_arns
      }
    }
  }
}
