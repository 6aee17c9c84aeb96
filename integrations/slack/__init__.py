"""Slack: signatures, payloads, messages within its limits, and the calls. The only place that knows `slack_sdk`."""
