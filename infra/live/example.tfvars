region      = "eu-central-1"
copy_region = "eu-west-1"

site_domain      = "files.example.com"
downloads_domain = "downloads.example.com"
bucket           = "example-filevault"
login_domain     = "example-filevault"
mail_domain      = "example.com"
from_address     = "Filevault <no-reply@example.com>"

compute      = "lambda"
alarm_emails = ["operations@example.com"]

# Once they are there (README.md):
# certificate_arn          = "arn:aws:acm:us-east-1:…"
# regional_certificate_arn = "arn:aws:acm:eu-central-1:…"
# image                    = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/filevault@sha256:…"
