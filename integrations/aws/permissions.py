"""Every AWS action this integration calls; each only reads."""

from integrations.aws.registry import AWS_KINDS

SHARED_ACTIONS = ("cloudwatch:GetMetricData", "cloudwatch:ListMetrics", "sts:GetCallerIdentity")
"""What every run may call, whatever kinds it reads."""

READ_ACTIONS: tuple[str, ...] = tuple(
    sorted({*SHARED_ACTIONS, *(action for source in AWS_KINDS.values() for action in source.actions)})
)
"""IAM names, which differ from those of the API for some S3 calls."""

OPERATIONS: dict[str, str] = {
    "s3:GetBucketEncryption": "s3:GetEncryptionConfiguration",
    "s3:GetPublicAccessBlock": "s3:GetBucketPublicAccessBlock",
    "s3:ListBuckets": "s3:ListAllMyBuckets",
}
"""IAM names of operations that have another."""
