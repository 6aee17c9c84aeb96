"""What changes an AWS account: one remediation of one kind of resource a file."""
