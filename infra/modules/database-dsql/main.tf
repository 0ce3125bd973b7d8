data "aws_region" "current" {}

resource "aws_dsql_cluster" "this" {
  deletion_protection_enabled = var.protected
}
