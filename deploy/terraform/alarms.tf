locals {
  alarms = merge(
    {
      "no-heartbeat" = {
        about      = "No run of Bursar has finished for a while. Nothing is warned of, and no approval is carried out."
        namespace  = "Bursar"
        metric     = "Runs"
        dimensions = { Function = aws_lambda_function.run.function_name }
        statistic  = "Sum"
        period     = var.heartbeat_seconds
        periods    = 1
        operator   = "LessThanThreshold"
        threshold  = 1
        missing    = "breaching"
      }
      "failed-acts" = {
        about      = "An act of Bursar failed; `bursar audit list` and the log tell which."
        namespace  = "Bursar"
        metric     = "Failed"
        dimensions = { Function = aws_lambda_function.run.function_name }
        statistic  = "Sum"
        period     = 300
        periods    = 1
        operator   = "GreaterThanThreshold"
        threshold  = 0
        missing    = "notBreaching"
      }
      "run-errors" = {
        about      = "Runs of Bursar end with an error."
        namespace  = "AWS/Lambda"
        metric     = "Errors"
        dimensions = { FunctionName = aws_lambda_function.run.function_name }
        statistic  = "Sum"
        period     = 900
        periods    = 2
        operator   = "GreaterThanThreshold"
        threshold  = 0
        missing    = "notBreaching"
      }
      "failures-kept" = {
        about      = "Events that could not be dealt with lie in the queue of failures."
        namespace  = "AWS/SQS"
        metric     = "ApproximateNumberOfMessagesVisible"
        dimensions = { QueueName = aws_sqs_queue.failures.name }
        statistic  = "Maximum"
        period     = 300
        periods    = 1
        operator   = "GreaterThanThreshold"
        threshold  = 0
        missing    = "notBreaching"
      }
    },
    var.slack ? {
      "slack-errors" = {
        about      = "The endpoint that Slack calls ends with errors; people cannot approve."
        namespace  = "AWS/Lambda"
        metric     = "Errors"
        dimensions = { FunctionName = aws_lambda_function.slack[0].function_name }
        statistic  = "Sum"
        period     = 300
        periods    = 1
        operator   = "GreaterThanThreshold"
        threshold  = 0
        missing    = "notBreaching"
      }
    } : {},
  )
}

resource "aws_cloudwatch_metric_alarm" "all" {
  for_each            = local.alarms
  alarm_name          = "${var.name}-${each.key}"
  alarm_description   = each.value.about
  namespace           = each.value.namespace
  metric_name         = each.value.metric
  dimensions          = each.value.dimensions
  statistic           = each.value.statistic
  period              = each.value.period
  evaluation_periods  = each.value.periods
  comparison_operator = each.value.operator
  threshold           = each.value.threshold
  treat_missing_data  = each.value.missing
  alarm_actions       = var.alarm_topics
  ok_actions          = each.key == "no-heartbeat" ? var.alarm_topics : []
}
