output "uploads_queue_arn" {
  description = "The queue's ARN."
  value       = module.uploads.arn
}

output "uploads_queue_url" {
  description = "The queue's address (SQS_UPLOADS_URL)."
  value       = module.uploads.url
}

output "queue_names" {
  description = "The queue and its dead letters, for alarms."
  value       = { uploads = module.uploads.name, dead = module.uploads.dead_name }
}

output "files_topic_arn" {
  description = "The topic of available files (SNS_TOPIC_ARN)."
  value       = aws_sns_topic.files.arn
}
