data "aws_region" "current" {}
data "aws_caller_identity" "current" {}

locals {
  processes = {
    web = {
      cpu     = var.web_cpu
      memory  = var.web_memory
      command = null
      health  = ["CMD", "python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/healthz', timeout=3)"]
    }
    worker = {
      cpu     = var.worker_cpu
      memory  = var.worker_memory
      command = ["python", "manage.py", "run_worker", "--heartbeat", "/tmp/heartbeat"]
      # It touches the file each round; a unit of work may take some minutes.
      health = ["CMD", "python", "-c", "import os, sys, time; sys.exit(time.time() - os.path.getmtime('/tmp/heartbeat') > 600)"]
    }
  }
  # The load balancer speaks from the network, CloudFront before it; both say whom they speak for.
  proxies     = concat([var.vpc_cidr], [for entry in data.aws_ec2_managed_prefix_list.cloudfront.entries : entry.cidr])
  environment = merge(var.environment, { TRUSTED_PROXIES = join(",", local.proxies) }, var.settings)
}

resource "aws_ecs_cluster" "this" {
  name = var.name

  setting {
    name  = "containerInsights"
    value = "enabled"
  }
}

resource "aws_cloudwatch_log_group" "this" {
  #checkov:skip=CKV_AWS_158:A key of one's own costs money each month; var.kms_key_arn sets one. Logs hold nothing personal
  for_each = local.processes

  name              = "/${var.name}/${each.key}"
  retention_in_days = 365
  kms_key_id        = var.kms_key_arn
}

resource "aws_ecs_task_definition" "this" {
  for_each = local.processes

  family                   = "${var.name}-${each.key}"
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = each.value.cpu
  memory                   = each.value.memory
  task_role_arn            = var.role_arns[each.key]
  execution_role_arn       = aws_iam_role.execution.arn

  runtime_platform {
    operating_system_family = "LINUX"
    cpu_architecture        = var.architecture
  }

  # Room for previews; everything else of the file system can't be written.
  volume {
    name = "tmp"
  }

  container_definitions = jsonencode([{
    name                   = each.key
    image                  = var.image
    essential              = true
    command                = each.value.command
    user                   = "10001"
    readonlyRootFilesystem = true
    linuxParameters        = { initProcessEnabled = true }
    stopTimeout            = 60
    mountPoints            = [{ sourceVolume = "tmp", containerPath = "/tmp", readOnly = false }]
    portMappings           = each.key == "web" ? [{ containerPort = 8000, protocol = "tcp" }] : []
    environment            = [for key in sort(keys(local.environment)) : { name = key, value = local.environment[key] }]

    healthCheck = {
      command     = each.value.health
      interval    = 30
      timeout     = 5
      retries     = 3
      startPeriod = 60
    }

    logConfiguration = {
      logDriver = "awslogs"
      options = {
        awslogs-group         = aws_cloudwatch_log_group.this[each.key].name
        awslogs-region        = data.aws_region.current.name
        awslogs-stream-prefix = each.key
      }
    }
  }])
}

resource "aws_ecs_service" "this" {
  for_each = local.processes

  name                               = each.key
  cluster                            = aws_ecs_cluster.this.id
  task_definition                    = aws_ecs_task_definition.this[each.key].arn
  launch_type                        = "FARGATE"
  desired_count                      = each.key == "web" ? var.web_least : 1
  deployment_minimum_healthy_percent = 100
  deployment_maximum_percent         = 200
  enable_execute_command             = false
  propagate_tags                     = "SERVICE"

  deployment_circuit_breaker {
    enable   = true
    rollback = true
  }

  network_configuration {
    subnets          = var.subnet_ids
    security_groups  = [aws_security_group.tasks.id]
    assign_public_ip = false
  }

  dynamic "load_balancer" {
    for_each = each.key == "web" ? [1] : []
    content {
      target_group_arn = aws_lb_target_group.web.arn
      container_name   = "web"
      container_port   = 8000
    }
  }

  # Scaling moves it.
  lifecycle {
    ignore_changes = [desired_count]
  }

  depends_on = [aws_lb_listener.https]
}
