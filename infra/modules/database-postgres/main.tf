resource "aws_db_subnet_group" "this" {
  name       = var.name
  subnet_ids = var.subnet_ids
}

resource "aws_security_group" "this" {
  name        = "${var.name}-database"
  description = "PostgreSQL, for the tasks alone"
  vpc_id      = var.vpc_id
}

# By address: the tasks come after the database, since they are told its own.
resource "aws_vpc_security_group_ingress_rule" "tasks" {
  security_group_id = aws_security_group.this.id
  description       = "The tasks, in private subnets"
  cidr_ipv4         = var.vpc_cidr
  ip_protocol       = "tcp"
  from_port         = 5432
  to_port           = 5432
}

resource "aws_db_parameter_group" "this" {
  name   = var.name
  family = "postgres16"

  parameter {
    name  = "rds.force_ssl"
    value = "1"
  }

  parameter {
    name  = "log_statement"
    value = "ddl"
  }

  parameter {
    name  = "log_min_duration_statement"
    value = "1000"
  }
}

resource "aws_db_instance" "this" {
  #checkov:skip=CKV_AWS_161:The address with its password is in Parameter Store, which web and worker read by their roles
  #checkov:skip=CKV_AWS_118:It holds Django's own tables, a few rows; its figures each minute are enough
  #checkov:skip=CKV_AWS_353:It holds Django's own tables, a few rows; there is nothing to tune
  #checkov:skip=CKV_AWS_354:Performance Insights are off
  identifier                      = var.name
  engine                          = "postgres"
  engine_version                  = "16"
  instance_class                  = var.instance_class
  allocated_storage               = 20
  storage_type                    = "gp3"
  storage_encrypted               = true
  kms_key_id                      = var.kms_key_arn
  db_name                         = "filevault"
  username                        = "filevault"
  password                        = var.password
  multi_az                        = var.multi_az
  publicly_accessible             = false
  db_subnet_group_name            = aws_db_subnet_group.this.name
  vpc_security_group_ids          = [aws_security_group.this.id]
  parameter_group_name            = aws_db_parameter_group.this.name
  auto_minor_version_upgrade      = true
  backup_retention_period         = 14
  copy_tags_to_snapshot           = true
  deletion_protection             = var.protected
  skip_final_snapshot             = !var.protected
  final_snapshot_identifier       = "${var.name}-final"
  enabled_cloudwatch_logs_exports = ["postgresql", "upgrade"]
}
