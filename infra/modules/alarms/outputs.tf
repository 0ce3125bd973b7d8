output "topic_arn" {
  description = "The topic of the alarms."
  value       = aws_sns_topic.this.arn
}
