"""Approvals in Slack: messages, the endpoint, the counting of clicks; over `integrations.slack`."""
