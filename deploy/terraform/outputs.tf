output "slack_request_url" {
  description = "The Request URL of the Slack app's interactivity."
  value       = var.slack ? "${aws_lambda_function_url.slack[0].function_url}slack/interactions" : null
}

output "run_role" {
  description = "Who has to be trusted by the roles that read and act in other accounts."
  value       = aws_iam_role.run.arn
}

output "state" {
  description = "The address of the state, for `bursar` on other machines."
  value       = local.environment.BURSAR_STATE
}
