"""The parts of AWS that know nothing of each other, as ARNs name them."""


def partition_of(region: str) -> str:
    """Return the part of AWS that a region is in."""
    if region.startswith("cn-"):
        return "aws-cn"
    return "aws-us-gov" if region.startswith("us-gov-") else "aws"
