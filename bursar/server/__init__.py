"""`bursar serve`: the web page, health, metrics, Slack's clicks and the schedule, over the configured store."""
