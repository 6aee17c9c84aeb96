resource "aws_cloudwatch_log_group" "slack" {
  count             = var.slack ? 1 : 0
  name              = "/aws/lambda/${var.name}-slack"
  retention_in_days = var.log_days
}

resource "aws_iam_role" "slack" {
  count              = var.slack ? 1 : 0
  name               = "${var.name}-slack"
  description        = "The endpoint that Slack calls. It can neither read the cloud nor change anything in it."
  assume_role_policy = data.aws_iam_policy_document.lambda.json
}

resource "aws_iam_role_policy_attachment" "slack_state" {
  count      = var.slack ? 1 : 0
  role       = aws_iam_role.slack[0].name
  policy_arn = aws_iam_policy.state.arn
}

data "aws_iam_policy_document" "slack" {
  count = var.slack ? 1 : 0
  statement {
    sid       = "Later"
    actions   = ["lambda:InvokeFunction"]
    resources = [aws_lambda_function.deferred.arn]
  }
  statement {
    sid       = "Logs"
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    resources = ["${aws_cloudwatch_log_group.slack[0].arn}:*"]
  }
}

resource "aws_iam_role_policy" "slack" {
  count  = var.slack ? 1 : 0
  name   = "slack"
  role   = aws_iam_role.slack[0].name
  policy = data.aws_iam_policy_document.slack[0].json
}

resource "aws_lambda_function" "slack" {
  count                          = var.slack ? 1 : 0
  function_name                  = "${var.name}-slack"
  description                    = "Bursar: what Slack calls when somebody clicks."
  role                           = aws_iam_role.slack[0].arn
  handler                        = "bursar.lambdas.slack.handler"
  runtime                        = var.runtime
  architectures                  = [var.architecture]
  filename                       = var.zip
  source_code_hash               = filebase64sha256(var.zip)
  memory_size                    = 1769
  timeout                        = 15
  reserved_concurrent_executions = var.slack_concurrency
  environment {
    variables = merge(local.environment, { BURSAR_DEFERRED = aws_lambda_function.deferred.function_name })
  }
  logging_config {
    log_format = "Text"
    log_group  = aws_cloudwatch_log_group.slack[0].name
  }
}

resource "aws_lambda_function_url" "slack" {
  count              = var.slack ? 1 : 0
  function_name      = aws_lambda_function.slack[0].function_name
  authorization_type = "NONE" # Slack signs its requests, but not as AWS does: the handler checks its signature.
}

# Since October 2025 a public address needs both permissions. The second has a condition that older versions of the
# provider cannot write; without the condition everybody could invoke the function by its API.
resource "aws_lambda_permission" "slack_url" {
  count                  = var.slack ? 1 : 0
  statement_id           = "url-may-be-called"
  function_name          = aws_lambda_function.slack[0].function_name
  action                 = "lambda:InvokeFunctionUrl"
  principal              = "*"
  function_url_auth_type = "NONE"
}

resource "aws_cloudformation_stack" "slack_url" {
  count = var.slack ? 1 : 0
  name  = "${var.name}-slack-url"
  template_body = jsonencode({
    Resources = {
      MayBeInvokedByUrl = {
        Type = "AWS::Lambda::Permission"
        Properties = {
          FunctionName          = aws_lambda_function.slack[0].function_name
          Action                = "lambda:InvokeFunction"
          Principal             = "*"
          InvokedViaFunctionUrl = true
        }
      }
    }
  })
}
