import time
from datetime import UTC, datetime, timedelta

import pytest
from botocore.exceptions import ClientError

from bursar.demo.process import Times

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
THROTTLED = {"throttled": True}
DENIED = {"denied": True}
BROKEN = {"error_rate": 1}
ROLE = "arn:aws:iam::123456789012:role/sagemaker"


def _launch(ec2, count, **more):
    asked = {"ImageId": "ami-0c0ffee0", "InstanceType": "g5.xlarge", "MinCount": count, "MaxCount": count}
    return [i["InstanceId"] for i in ec2.run_instances(**asked, **more)["Instances"]]


def _error(call, **arguments):
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    response = caught.value.response
    return response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"]


def test_instances_are_paged_one_by_one(aws, client):
    """Twelve instances of one reservation come as pages of 5, 5 and 2, none twice."""
    ec2 = client("ec2")
    launched = _launch(ec2, 12)
    pages = [
        [i["InstanceId"] for r in page["Reservations"] for i in r["Instances"]]
        for page in ec2.get_paginator("describe_instances").paginate(PaginationConfig={"PageSize": 5})
    ]

    assert [len(page) for page in pages] == [5, 5, 2]
    assert sorted(id_ for page in pages for id_ in page) == sorted(launched)


@pytest.mark.parametrize("size", [4, 1001])
def test_page_sizes_that_ec2_refuses_are_refused(aws, client, size):
    """`MaxResults` is 5 to 1000."""
    assert _error(client("ec2").describe_instances, MaxResults=size) == ("InvalidParameterValue", 400)


def test_a_made_up_page_token_is_refused(aws, client):
    """A token that the server did not give is no page."""
    assert _error(client("ec2").describe_instances, NextToken="x")[0] == "InvalidNextToken"


def test_volumes_are_paged(aws, client):
    """Seven root volumes come as pages of 5 and 2."""
    ec2 = client("ec2")
    _launch(ec2, 7)
    pages = ec2.get_paginator("describe_volumes").paginate(PaginationConfig={"PageSize": 5})

    assert [len(page["Volumes"]) for page in pages] == [5, 2]


def test_tags_are_found_by_resource_and_by_filter(aws, client):
    """An instance shows its own tags, and a tag filter finds it."""
    ec2 = client("ec2")
    (tagged,) = _launch(
        ec2, 1, TagSpecifications=[{"ResourceType": "instance", "Tags": [{"Key": "team", "Value": "ml"}]}]
    )
    _launch(ec2, 1)

    found = ec2.describe_instances(Filters=[{"Name": "tag:team", "Values": ["m*"]}])["Reservations"]

    assert [i["InstanceId"] for r in found for i in r["Instances"]] == [tagged]
    assert found[0]["Instances"][0]["Tags"] == [{"Key": "team", "Value": "ml"}]


def test_machines_can_be_backdated(aws, client):
    """Launch and first attachment are separate dates, as after a stop and start."""
    ec2 = client("ec2")
    (machine,) = _launch(ec2, 1)
    created, launched = NOW - timedelta(days=30), NOW - timedelta(hours=5)
    aws.backdate("us-east-1", {machine: Times(created, launched)})

    seen = ec2.describe_instances(InstanceIds=[machine])["Reservations"][0]["Instances"][0]
    (volume,) = ec2.describe_volumes()["Volumes"]

    assert seen["LaunchTime"] == launched
    assert seen["NetworkInterfaces"][0]["Attachment"]["AttachTime"] == created
    assert seen["BlockDeviceMappings"][0]["Ebs"]["AttachTime"] == created
    assert (volume["CreateTime"], volume["Attachments"][0]["AttachTime"]) == (created, created)


def test_endpoints_and_buckets_can_be_backdated(aws, client):
    """Creation and last change of an endpoint of a modern type, and creation of a bucket."""
    sagemaker, s3 = client("sagemaker"), client("s3")
    sagemaker.create_model(ModelName="m", ExecutionRoleArn=ROLE)
    variant = {
        "VariantName": "v",
        "ModelName": "m",
        "InstanceType": "ml.p5.48xlarge",
        "InitialInstanceCount": 1,
    }
    sagemaker.create_endpoint_config(EndpointConfigName="c", ProductionVariants=[variant], EnableNetworkIsolation=True)
    sagemaker.create_endpoint(EndpointName="e", EndpointConfigName="c")
    s3.create_bucket(Bucket="some-bucket")
    created, changed = NOW - timedelta(days=9), NOW - timedelta(days=2)
    aws.backdate("us-east-1", {"endpoint/e": Times(created, changed), "bucket/some-bucket": Times(created)})

    (endpoint,) = sagemaker.list_endpoints()["Endpoints"]
    (bucket,) = s3.list_buckets()["Buckets"]

    assert (endpoint["CreationTime"], endpoint["LastModifiedTime"]) == (created, changed)
    assert bucket["CreationDate"] == created
    assert sagemaker.describe_endpoint_config(EndpointConfigName="c")["EnableNetworkIsolation"] is True


def test_buckets_are_listed_by_region_and_in_pages(aws, client):
    """Each bucket says where it is, and a region's list holds its own only."""
    s3 = client("s3")
    west = {"CreateBucketConfiguration": {"LocationConstraint": "us-west-2"}}
    s3.create_bucket(Bucket="bucket-east")
    s3.create_bucket(Bucket="bucket-west", **west)
    pages = s3.get_paginator("list_buckets").paginate(PaginationConfig={"PageSize": 1})

    assert [b["Name"] for b in s3.list_buckets(BucketRegion="us-west-2")["Buckets"]] == ["bucket-west"]
    assert [[(b["Name"], b["BucketRegion"]) for b in page["Buckets"]] for page in pages] == [
        [("bucket-east", "us-east-1")],
        [("bucket-west", "us-west-2")],
    ]


def test_every_bucket_is_encrypted_and_the_volumes_own_key_is_managed_by_aws(aws, client):
    """What holds in every real account: SSE-S3 by default, and `aws/ebs` is not the customer's."""
    s3, ec2, kms = client("s3"), client("ec2"), client("kms")
    s3.create_bucket(Bucket="some-bucket")
    volume = ec2.create_volume(AvailabilityZone="us-east-1a", Size=1, VolumeType="gp3", Encrypted=True)
    own = kms.create_key()["KeyMetadata"]

    rules = s3.get_bucket_encryption(Bucket="some-bucket")["ServerSideEncryptionConfiguration"]["Rules"]
    assert rules[0]["ApplyServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}
    assert kms.describe_key(KeyId=volume["KmsKeyId"])["KeyMetadata"]["KeyManager"] == "AWS"
    assert own["KeyManager"] == "CUSTOMER"


@pytest.mark.parametrize(
    ("service", "operation", "arguments", "throttled", "denied", "broken"),
    [
        (
            "ec2",
            "describe_instances",
            {},
            ("RequestLimitExceeded", 503),
            ("UnauthorizedOperation", 403),
            ("InternalError", 500),
        ),
        (
            "s3",
            "get_bucket_encryption",
            {"Bucket": "some-bucket"},
            ("SlowDown", 503),
            ("AccessDenied", 403),
            ("InternalError", 500),
        ),
        (
            "sagemaker",
            "list_endpoints",
            {},
            ("ThrottlingException", 400),
            ("AccessDeniedException", 400),
            ("InternalServerError", 500),
        ),
        (
            "cloudwatch",
            "list_metrics",
            {},
            ("Throttling", 400),
            ("AccessDenied", 400),
            ("InternalFailure", 500),
        ),
        (
            "sts",
            "get_caller_identity",
            {},
            ("Throttling", 400),
            ("AccessDenied", 403),
            ("InternalFailure", 500),
        ),
    ],
)
def test_faults_have_the_shape_of_the_called_service(
    aws, client, service, operation, arguments, throttled, denied, broken
):
    """The SDK reads code and status of a refusal as it would from the real service."""
    call = getattr(client(service), operation)
    seen = []
    for fault in (THROTTLED, DENIED, BROKEN):
        aws.faults({f"{service}:*": fault})
        seen.append(_error(call, **arguments))

    assert seen == [throttled, denied, broken]


def test_a_fault_can_cut_a_list_short(aws, client):
    """The first page comes, the second is refused, and without faults all is well again."""
    ec2 = client("ec2")
    _launch(ec2, 6)
    aws.faults({"ec2:DescribeInstances": {"denied": True, "after": 2}})
    token = ec2.describe_instances(MaxResults=5)["NextToken"]

    assert _error(ec2.describe_instances, MaxResults=5, NextToken=token) == ("UnauthorizedOperation", 403)
    aws.faults({})
    assert "NextToken" not in ec2.describe_instances(MaxResults=5, NextToken=token)


def test_a_fault_can_be_confined_to_a_region(aws, client):
    """The same call passes elsewhere."""
    aws.faults({"ec2:DescribeInstances": {"denied": True, "region": "us-west-2"}})

    assert client("ec2").describe_instances()["Reservations"] == []
    assert _error(client("ec2", "us-west-2").describe_instances) == ("UnauthorizedOperation", 403)


def test_latency_delays_a_call(aws, client):
    """A call takes at least as long as the fault says."""
    ec2 = client("ec2")
    aws.faults({"ec2:*": {"latency_ms": 200}})
    started = time.monotonic()
    ec2.describe_instances()

    assert time.monotonic() - started >= 0.2


def test_the_call_log_names_what_was_called_in_order_and_forgets_it(aws, client):
    """Calls of every protocol, refused ones included; reading the log empties it."""
    aws.faults({"sts:*": DENIED})
    client("ec2").describe_instances()
    client("s3").list_buckets()
    client("sagemaker").list_endpoints()
    client("cloudwatch").list_metrics()
    _error(client("sts").get_caller_identity)

    assert aws.calls() == [
        "ec2:DescribeInstances",
        "s3:ListBuckets",
        "sagemaker:ListEndpoints",
        "cloudwatch:ListMetrics",
        "sts:GetCallerIdentity",
    ]
    assert aws.calls() == []


def _query(id_, metric, period=60, stat="Average"):
    return {"Id": id_, "MetricStat": {"Metric": metric, "Period": period, "Stat": stat}}


def test_a_loaded_series_is_listed_and_read_back_exactly(aws, client):
    """Five-minute averages of 1 … 10 a minute, over the wire: 3.0 and 8.0."""
    cloudwatch = client("cloudwatch")
    aws.set_now(NOW)
    start = NOW - timedelta(minutes=10)
    aws.put_series("us-east-1", "CWAgent", "m", {"InstanceId": "i-1"}, start, 60, range(1, 11))

    (metric,) = cloudwatch.list_metrics(Namespace="CWAgent")["Metrics"]
    answer = cloudwatch.get_metric_data(
        StartTime=start,
        EndTime=NOW,
        MetricDataQueries=[_query("q", metric, 300)],
        ScanBy="TimestampAscending",
    )

    (result,) = answer["MetricDataResults"]
    assert (result["Id"], result["StatusCode"]) == ("q", "Complete")
    assert result["Values"] == [3.0, 8.0]
    assert result["Timestamps"] == [start, start + timedelta(minutes=5)]
    assert client("cloudwatch", "us-west-2").list_metrics()["Metrics"] == []


def test_published_data_are_read_back_with_loaded_ones(aws, client):
    """`PutMetricData` of single values, counted values and a statistic set joins the same store."""
    cloudwatch = client("cloudwatch")
    aws.set_now(NOW)
    at = NOW - timedelta(minutes=1)
    cloudwatch.put_metric_data(
        Namespace="NS",
        MetricData=[
            {"MetricName": "m", "Timestamp": at, "Value": 2.0},
            {"MetricName": "m", "Timestamp": at, "Values": [4.0], "Counts": [2.0]},
            {
                "MetricName": "m",
                "Timestamp": at,
                "StatisticValues": {"SampleCount": 2, "Sum": 10, "Minimum": 1, "Maximum": 9},
            },
        ],
    )
    metric = {"Namespace": "NS", "MetricName": "m"}
    answer = cloudwatch.get_metric_data(
        StartTime=at,
        EndTime=NOW,
        MetricDataQueries=[
            _query(f"q{i}", metric, 60, stat)
            for i, stat in enumerate(("SampleCount", "Sum", "Minimum", "Maximum", "Average"))
        ],
    )

    assert [r["Values"] for r in answer["MetricDataResults"]] == [[5.0], [20.0], [1.0], [9.0], [4.0]]


def test_statistics_are_read_as_data_points(aws, client):
    """GetMetricStatistics answers from the same series."""
    aws.set_now(NOW)
    start = NOW - timedelta(minutes=5)
    aws.put_series("us-east-1", "NS", "m", {}, start, 60, [1, 2, 3, 4, 5], "Percent")

    (point,) = client("cloudwatch").get_metric_statistics(
        Namespace="NS",
        MetricName="m",
        StartTime=start,
        EndTime=NOW,
        Period=300,
        Statistics=["Average", "Maximum"],
    )["Datapoints"]

    assert point == {"Timestamp": start, "Average": 3.0, "Maximum": 5.0, "Unit": "Percent"}


def test_too_many_queries_are_a_validation_error(aws, client):
    """The refusal keeps the code that the query protocol gave it."""
    queries = [_query(f"q{i}", {"Namespace": "NS", "MetricName": "m"}) for i in range(501)]
    call = client("cloudwatch").get_metric_data

    assert _error(call, StartTime=NOW - timedelta(hours=1), EndTime=NOW, MetricDataQueries=queries) == (
        "ValidationError",
        400,
    )


def test_resetting_empties_the_account(aws, client):
    """Resources, series, faults and calls are gone."""
    ec2, cloudwatch = client("ec2"), client("cloudwatch")
    _launch(ec2, 1)
    aws.put_series("us-east-1", "NS", "m", {}, NOW, 60, [1.0])
    aws.faults({"ec2:*": DENIED})
    aws.reset()

    assert aws.calls() == []
    assert ec2.describe_instances()["Reservations"] == []
    aws.set_now(NOW)
    assert cloudwatch.list_metrics()["Metrics"] == []


def test_metrics_can_be_cleared_alone(aws, client):
    """Series go, resources stay."""
    ec2 = client("ec2")
    launched = _launch(ec2, 1)
    aws.set_now(NOW)
    aws.put_series("us-east-1", "NS", "m", {}, NOW, 60, [1.0])
    aws.clear_metrics()

    assert client("cloudwatch").list_metrics()["Metrics"] == []
    assert ec2.describe_instances(InstanceIds=launched)["Reservations"]
