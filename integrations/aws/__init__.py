"""Amazon Web Services: read-only inventory and CloudWatch metrics."""
