# tables.json is made from the code's own classes: `make tables`. A test holds it fresh.
locals {
  tables = jsondecode(file("${path.module}/tables.json"))
}

resource "aws_dynamodb_table" "this" {
  #checkov:skip=CKV_AWS_119:A key of one's own costs money each month; var.kms_key_arn sets one, else AWS's key encrypts
  #checkov:skip=CKV2_AWS_16:Auto scaling is for provisioned tables; these are on demand
  for_each = local.tables

  name                        = "${var.table_prefix}${each.key}"
  billing_mode                = "PAY_PER_REQUEST"
  hash_key                    = each.value.hashKey
  range_key                   = each.value.rangeKey
  deletion_protection_enabled = var.deletion_protection

  dynamic "attribute" {
    for_each = each.value.attributes
    content {
      name = attribute.key
      type = attribute.value
    }
  }

  dynamic "global_secondary_index" {
    for_each = each.value.indexes
    content {
      name               = global_secondary_index.key
      hash_key           = global_secondary_index.value.hashKey
      range_key          = global_secondary_index.value.rangeKey
      projection_type    = global_secondary_index.value.projection
      non_key_attributes = length(global_secondary_index.value.projected) > 0 ? global_secondary_index.value.projected : null
    }
  }

  dynamic "ttl" {
    for_each = each.value.ttl == null ? [] : [each.value.ttl]
    content {
      attribute_name = ttl.value
      enabled        = true
    }
  }

  point_in_time_recovery {
    enabled = true
  }

  dynamic "server_side_encryption" {
    for_each = var.kms_key_arn == null ? [] : [var.kms_key_arn]
    content {
      enabled     = true
      kms_key_arn = server_side_encryption.value
    }
  }
}
