"""EKS Pod Identity: pods of a service account that is associated with a role find credentials of that role."""

import json
import secrets

from starlette.responses import JSONResponse

FOLDER = "/var/run/secrets/pods.eks.amazonaws.com/serviceaccount"
FILE = "eks-pod-identity-token"
VOLUME = "eks-pod-identity-token"


class PodIdentity:
    """What the webhook adds to pods, and the agent that they then ask."""

    def __init__(self, folder, aws_endpoint):
        self.associations = folder / "associations"
        self.associations.mkdir()
        self.aws, self.address, self.roles = aws_endpoint, "", {}

    def add_to(self, pod):
        """Add to a pod what it finds its credentials with; nothing where its account has no role."""
        meta, spec = pod["metadata"], pod["spec"]
        file = self.associations / f"{meta['namespace']}.{spec.get('serviceAccountName', 'default')}"
        if not file.exists():
            return
        token = secrets.token_hex()
        self.roles[token] = json.loads(file.read_text())["roleArn"]
        env = {
            "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{self.address}/pod-identity",
            "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": f"{FOLDER}/{FILE}",
            "AWS_REGION": "us-east-1",
            "AWS_ENDPOINT_URL": self.aws,
        }
        pod["metadata"].setdefault("annotations", {})["test/token"] = token
        spec.setdefault("volumes", []).append(
            {"name": VOLUME, "projected": {"sources": [{"serviceAccountToken": {"path": FILE}}]}}
        )
        for container in spec["containers"]:
            container.setdefault("env", []).extend({"name": key, "value": value} for key, value in env.items())
            container.setdefault("volumeMounts", []).append({"name": VOLUME, "mountPath": FOLDER, "readOnly": True})

    async def credentials(self, request):
        """Answer a pod: the credentials of its role, for the token that it has in a file."""
        role = self.roles.get(request.headers.get("authorization", ""))
        if role is None:
            return JSONResponse({"message": "no such token"}, status_code=403)
        import asyncio

        return JSONResponse(await asyncio.to_thread(self._assumed, role))

    def _assumed(self, role):
        import boto3

        client = boto3.client("sts", "us-east-1", endpoint_url=self.aws)
        found = client.assume_role(RoleArn=role, RoleSessionName="eks-cluster-bursar")["Credentials"]
        return {
            "AccessKeyId": found["AccessKeyId"],
            "SecretAccessKey": found["SecretAccessKey"],
            "Token": found["SessionToken"],
            "AccountId": role.split(":")[4],
            "Expiration": found["Expiration"].strftime("%Y-%m-%dT%H:%M:%SZ"),
        }
