output "arn" {
  description = "The queue's ARN."
  value       = aws_sqs_queue.this.arn
}

output "url" {
  description = "The queue's address."
  value       = aws_sqs_queue.this.url
}

output "name" {
  description = "The queue's name."
  value       = aws_sqs_queue.this.name
}

output "dead_name" {
  description = "The name of the queue of dead letters."
  value       = aws_sqs_queue.dead.name
}
