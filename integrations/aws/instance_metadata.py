"""Which EC2 instance this is, by the instance metadata service in its second version (IMDSv2)."""

from __future__ import annotations

from collections.abc import Mapping

ADDRESS = "http://169.254.169.254"
TTL = "60"


def instance_identity(environment: Mapping[str, str], seconds: float = 1.0) -> tuple[str, str]:
    """
    Return instance id and region; both empty where this is no EC2 instance or it does not say.

    The service is the one of `AWS_EC2_METADATA_SERVICE_ENDPOINT`, and none with `AWS_EC2_METADATA_DISABLED`.
    """
    from urllib3 import PoolManager, Retry, Timeout
    from urllib3.exceptions import HTTPError

    if environment.get("AWS_EC2_METADATA_DISABLED", "").lower() == "true":
        return "", ""
    base = environment.get("AWS_EC2_METADATA_SERVICE_ENDPOINT", ADDRESS).rstrip("/")
    with PoolManager(timeout=Timeout(seconds), retries=Retry(total=1, redirect=0)) as pool:

        def read(path: str, method: str = "GET", **headers: str) -> str:
            sent = {f"X-aws-ec2-metadata-{name}": value for name, value in headers.items()}
            answer = pool.request(method, f"{base}/latest/{path}", headers=sent)
            return answer.data.decode("ascii", "replace").strip() if answer.status == 200 else ""

        try:
            token = read("api/token", "PUT", **{"token-ttl-seconds": TTL})
            if not token:
                return "", ""
            found = {path: read(f"meta-data/{path}", token=token) for path in ("instance-id", "placement/region")}
        except HTTPError:
            return "", ""
    return found["instance-id"], found["placement/region"]
