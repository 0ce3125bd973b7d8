# Asked for here, proved by records that whoever hosts the DNS adds. What needs a certificate is made
# once its ARN is given: nothing here waits for the proof.
resource "aws_acm_certificate" "this" {
  domain_name               = var.domains[0]
  subject_alternative_names = slice(var.domains, 1, length(var.domains))
  validation_method         = "DNS"

  options {
    certificate_transparency_logging_preference = "ENABLED"
  }

  lifecycle {
    create_before_destroy = true
  }
}
