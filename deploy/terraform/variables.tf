variable "name" {
  description = "What every part is named after."
  type        = string
  default     = "bursar"
  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,30}$", var.name))
    error_message = "Small letters, digits and hyphens, at most 31."
  }
}

variable "zip" {
  description = "The zip that `make lambda` built."
  type        = string
}

variable "runtime" {
  description = "The runtime that `make lambda` printed."
  type        = string
  default     = "python3.11"
}

variable "architecture" {
  description = "The architecture that `make lambda` printed: x86_64 or arm64."
  type        = string
  default     = "x86_64"
}

variable "schedule" {
  description = "When to run, as EventBridge Scheduler writes it."
  type        = string
  default     = "rate(15 minutes)"
}

variable "heartbeat_seconds" {
  description = "After so long without a finished run there is an alarm: a multiple of 60, twice as long as the schedule or longer."
  type        = number
  default     = 3600
}

variable "config" {
  description = "Where bursar.yaml is: `config` in the zip, s3://BUCKET/PREFIX, or ssm:/PATH."
  type        = string
  default     = "config"
}

variable "secret_prefix" {
  description = "How the names of secrets in Secrets Manager, and of parameters in Parameter Store, begin."
  type        = string
  default     = "bursar/"
}

variable "read_policy" {
  description = "What the runs may read: the output of `bursar iam read`. Null is what all shipped policies need."
  type        = string
  default     = null
}

variable "act_policy" {
  description = "What the role that acts may do: the output of `bursar iam act`. Null is what all shipped policies need."
  type        = string
  default     = null
}

variable "act_role_name" {
  description = "The role that acts, `aws.act.role` of bursar.yaml; the same name in every account that is acted on."
  type        = string
  default     = "BursarAct"
}

variable "read_role_name" {
  description = "The role that reads other accounts, `aws.role` of bursar.yaml."
  type        = string
  default     = "BursarRead"
}

variable "external_id" {
  description = "The external id of the role that acts, `aws.act.external_id` of bursar.yaml. Null is none."
  type        = string
  default     = null
  sensitive   = true
}

variable "alarm_topics" {
  description = "The ARNs of the SNS topics that alarms go to."
  type        = list(string)
  default     = []
}

variable "log_days" {
  description = "How long logs are kept."
  type        = number
  default     = 90
}

variable "slack" {
  description = "Whether there is an endpoint that Slack calls."
  type        = bool
  default     = true
}

variable "slack_concurrency" {
  description = "At most so many copies of the public endpoint at once, set aside from the account's; -1 is no bound."
  type        = number
  default     = -1
}
