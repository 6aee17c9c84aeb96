"""Every AWS action this integration calls; each only reads."""

from integrations.aws.registry import AWS_KINDS

SHARED_ACTIONS = ("cloudwatch:GetMetricData", "cloudwatch:ListMetrics", "sts:GetCallerIdentity")
"""What every run may call, whatever kinds it reads."""

FLEET_ACTIONS = (
    "ec2:DescribeRegions",
    "organizations:ListAccounts",
    "organizations:ListAccountsForParent",
    "organizations:ListOrganizationalUnitsForParent",
    "organizations:ListTagsForResource",
    "sts:AssumeRole",
)
"""What a run over several accounts may call beside that."""

PRICE_ACTIONS = (
    "ce:GetSavingsPlansCoverage",
    "ec2:DescribeReservedInstances",
    "ec2:DescribeSpotPriceHistory",
    "pricing:GetPriceListFileUrl",
    "pricing:GetProducts",
    "pricing:ListPriceLists",
    "savingsplans:DescribeSavingsPlans",
)
"""What prices and commitments are read with, where the configuration asks for them; in the home account alone."""

BULK_ACTIONS = ("tag:GetResources",)
"""What a run may call beside that where `aws.bulk_tags` is set."""

KIND_ACTIONS = frozenset(action for source in AWS_KINDS.values() for action in source.actions)
"""What the collectors call to read the kinds."""

READ_ACTIONS: tuple[str, ...] = tuple(
    sorted({*SHARED_ACTIONS, *FLEET_ACTIONS, *PRICE_ACTIONS, *BULK_ACTIONS, *KIND_ACTIONS})
)
"""IAM names, which differ from those of the API for some S3 calls."""

SERVICES = {"monitoring": "cloudwatch", "tagging": "tag"}
"""IAM names of services that sign their calls with another."""

OPERATIONS: dict[str, str] = {
    "s3:DeleteBucketEncryption": "s3:PutEncryptionConfiguration",
    "s3:DeleteBucketTagging": "s3:PutBucketTagging",
    "s3:DeletePublicAccessBlock": "s3:PutBucketPublicAccessBlock",
    "s3:GetBucketEncryption": "s3:GetEncryptionConfiguration",
    "s3:GetPublicAccessBlock": "s3:GetBucketPublicAccessBlock",
    "s3:ListBuckets": "s3:ListAllMyBuckets",
    "s3:PutBucketEncryption": "s3:PutEncryptionConfiguration",
    "s3:PutPublicAccessBlock": "s3:PutBucketPublicAccessBlock",
}
"""IAM names of operations that have another."""


def action_of(signing_name: str, operation: str) -> str:
    """Return the IAM name of an operation of the service that signs as `signing_name`."""
    action = f"{SERVICES.get(signing_name, signing_name)}:{operation}"
    return OPERATIONS.get(action, action)
