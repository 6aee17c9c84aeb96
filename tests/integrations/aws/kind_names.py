"""The names of the kinds that most tests are about."""

INSTANCE = "aws.ec2.instance"
VOLUME = "aws.ebs.volume"
BUCKET = "aws.s3.bucket"
ENDPOINT = "aws.sagemaker.endpoint"
NOTEBOOK = "aws.sagemaker.notebook"
