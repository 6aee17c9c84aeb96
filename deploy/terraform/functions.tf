locals {
  environment = {
    BURSAR_CONFIG = var.config
    BURSAR_STATE  = "dynamodb://${aws_dynamodb_table.state.name}?region=${local.region}"
  }
}

resource "aws_cloudwatch_log_group" "run" {
  name              = "/aws/lambda/${var.name}-run"
  retention_in_days = var.log_days
}

resource "aws_cloudwatch_log_group" "deferred" {
  name              = "/aws/lambda/${var.name}-deferred"
  retention_in_days = var.log_days
}

resource "aws_sqs_queue" "failures" {
  name                      = "${var.name}-failures"
  sqs_managed_sse_enabled   = true
  message_retention_seconds = 1209600
}

# --- the scheduled run -------------------------------------------------------------------------------

resource "aws_lambda_function" "run" {
  function_name    = "${var.name}-run"
  description      = "Bursar: judge, warn, ask and act, as far as bursar.yaml lets it."
  role             = aws_iam_role.run.arn
  handler          = "bursar.lambdas.schedule.handler"
  runtime          = var.runtime
  architectures    = [var.architecture]
  filename         = var.zip
  source_code_hash = filebase64sha256(var.zip)
  memory_size      = 1769
  timeout          = 900
  environment {
    variables = local.environment
  }
  logging_config {
    log_format = "Text"
    log_group  = aws_cloudwatch_log_group.run.name
  }
}

resource "aws_lambda_function_event_invoke_config" "run" {
  function_name                = aws_lambda_function.run.function_name
  maximum_retry_attempts       = 0 # The next run goes on.
  maximum_event_age_in_seconds = 600
  destination_config {
    on_failure {
      destination = aws_sqs_queue.failures.arn
    }
  }
}

data "aws_iam_policy_document" "scheduler_trust" {
  statement {
    actions = ["sts:AssumeRole"]
    principals {
      type        = "Service"
      identifiers = ["scheduler.amazonaws.com"]
    }
  }
}

data "aws_iam_policy_document" "scheduler" {
  statement {
    actions   = ["lambda:InvokeFunction"]
    resources = [aws_lambda_function.run.arn]
  }
  statement {
    actions   = ["sqs:SendMessage"]
    resources = [aws_sqs_queue.failures.arn]
  }
}

resource "aws_iam_role" "scheduler" {
  name               = "${var.name}-scheduler"
  assume_role_policy = data.aws_iam_policy_document.scheduler_trust.json
}

resource "aws_iam_role_policy" "scheduler" {
  name   = "run"
  role   = aws_iam_role.scheduler.name
  policy = data.aws_iam_policy_document.scheduler.json
}

resource "aws_scheduler_schedule" "run" {
  name                = "${var.name}-run"
  schedule_expression = var.schedule
  flexible_time_window {
    mode = "OFF"
  }
  target {
    arn      = aws_lambda_function.run.arn
    role_arn = aws_iam_role.scheduler.arn
    retry_policy {
      maximum_retry_attempts       = 2
      maximum_event_age_in_seconds = 300
    }
    dead_letter_config {
      arn = aws_sqs_queue.failures.arn
    }
  }
}

# --- what an answer to Slack does not wait for -------------------------------------------------------

resource "aws_lambda_function" "deferred" {
  function_name    = "${var.name}-deferred"
  description      = "Bursar: count a click and carry out what it approved."
  role             = aws_iam_role.run.arn
  handler          = "bursar.lambdas.deferred.handler"
  runtime          = var.runtime
  architectures    = [var.architecture]
  filename         = var.zip
  source_code_hash = filebase64sha256(var.zip)
  memory_size      = 1769
  timeout          = 900
  environment {
    variables = local.environment
  }
  logging_config {
    log_format = "Text"
    log_group  = aws_cloudwatch_log_group.deferred.name
  }
}

resource "aws_lambda_function_event_invoke_config" "deferred" {
  function_name                = aws_lambda_function.deferred.function_name
  maximum_retry_attempts       = 2
  maximum_event_age_in_seconds = 3600
  destination_config {
    on_failure {
      destination = aws_sqs_queue.failures.arn
    }
  }
}
