data "aws_caller_identity" "here" {}
data "aws_partition" "here" {}

locals {
  account     = data.aws_caller_identity.here.account_id
  partition   = data.aws_partition.here.partition
  region      = split(":", aws_dynamodb_table.state.arn)[3]
  bucket      = startswith(var.config, "s3://") ? split("/", var.config)[2] : ""
  read_policy = coalesce(var.read_policy, file("${path.module}/iam/read.json"))
  act_policy  = coalesce(var.act_policy, file("${path.module}/iam/act.json"))
}

data "aws_iam_policy_document" "lambda" {
  statement {
    actions = ["sts:AssumeRole"]
    principals {
      type        = "Service"
      identifiers = ["lambda.amazonaws.com"]
    }
  }
}

# --- the state and the secrets, for every function ---------------------------------------------------

data "aws_iam_policy_document" "state" {
  statement {
    sid = "State"
    actions = [
      "dynamodb:ConditionCheckItem",
      "dynamodb:DeleteItem",
      "dynamodb:GetItem",
      "dynamodb:PutItem",
      "dynamodb:Query",
      "dynamodb:UpdateItem",
    ]
    resources = [aws_dynamodb_table.state.arn]
  }
  statement {
    sid       = "Secrets"
    actions   = ["secretsmanager:GetSecretValue"]
    resources = ["arn:${local.partition}:secretsmanager:${local.region}:${local.account}:secret:${var.secret_prefix}*"]
  }
  statement {
    sid       = "Parameters"
    actions   = ["ssm:GetParameter", "ssm:GetParametersByPath"]
    resources = ["arn:${local.partition}:ssm:${local.region}:${local.account}:parameter/${var.secret_prefix}*"]
  }
  dynamic "statement" {
    for_each = local.bucket == "" ? [] : [local.bucket]
    content {
      sid       = "Configuration"
      actions   = ["s3:GetObject", "s3:ListBucket"]
      resources = ["arn:${local.partition}:s3:::${statement.value}", "arn:${local.partition}:s3:::${statement.value}/*"]
    }
  }
}

resource "aws_iam_policy" "state" {
  name        = "${var.name}-state"
  description = "Read and write Bursar's state, and read its secrets."
  policy      = data.aws_iam_policy_document.state.json
}

# --- runs: they read, and may assume the role that acts ----------------------------------------------

resource "aws_iam_role" "run" {
  name               = "${var.name}-run"
  description        = "Bursar's runs. It reads, and may assume the role that acts; it changes nothing itself."
  assume_role_policy = data.aws_iam_policy_document.lambda.json
}

resource "aws_iam_role_policy_attachment" "run_state" {
  role       = aws_iam_role.run.name
  policy_arn = aws_iam_policy.state.arn
}

resource "aws_iam_role_policy" "read" {
  name   = "read"
  role   = aws_iam_role.run.name
  policy = local.read_policy
}

data "aws_iam_policy_document" "run" {
  statement {
    sid     = "OtherRoles"
    actions = ["sts:AssumeRole"]
    resources = [
      "arn:${local.partition}:iam::*:role/${var.act_role_name}",
      "arn:${local.partition}:iam::*:role/${var.read_role_name}",
    ]
  }
  statement {
    sid       = "Logs"
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    resources = ["${aws_cloudwatch_log_group.run.arn}:*", "${aws_cloudwatch_log_group.deferred.arn}:*"]
  }
  statement {
    sid       = "Failures"
    actions   = ["sqs:SendMessage"]
    resources = [aws_sqs_queue.failures.arn]
  }
}

resource "aws_iam_role_policy" "run" {
  name   = "run"
  role   = aws_iam_role.run.name
  policy = data.aws_iam_policy_document.run.json
}

# --- the role that acts, in this account -------------------------------------------------------------

data "aws_iam_policy_document" "act_trust" {
  statement {
    actions = ["sts:AssumeRole"]
    principals {
      type        = "AWS"
      identifiers = [aws_iam_role.run.arn]
    }
    dynamic "condition" {
      for_each = nonsensitive(var.external_id == null) ? [] : [1]
      content {
        test     = "StringEquals"
        variable = "sts:ExternalId"
        values   = [var.external_id]
      }
    }
  }
}

resource "aws_iam_role" "act" {
  name                 = var.act_role_name
  description          = "What Bursar may change in this account. Assumed by its runs alone."
  max_session_duration = 3600
  assume_role_policy   = data.aws_iam_policy_document.act_trust.json
}

resource "aws_iam_role_policy" "act" {
  name   = "act"
  role   = aws_iam_role.act.name
  policy = local.act_policy
}
