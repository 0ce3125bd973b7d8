terraform {
  required_version = ">= 1.8"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.100, < 6.0"
    }
  }

  # Where the state is kept: a private, versioned, encrypted bucket that few may read.
  # `terraform init -backend-config=backend.hcl` names it.
  backend "s3" {}
}

provider "aws" {
  region = var.region

  default_tags {
    tags = { Application = var.name }
  }
}

# CloudFront takes certificates and web ACLs from here alone.
provider "aws" {
  alias  = "global"
  region = "us-east-1"

  default_tags {
    tags = { Application = var.name }
  }
}

provider "aws" {
  alias  = "copy"
  region = var.copy_region

  default_tags {
    tags = { Application = var.name }
  }
}
