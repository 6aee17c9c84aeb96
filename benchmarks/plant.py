"""
Put the fleet into an emulated account: `python -m benchmarks.plant ENDPOINT FILE COUNT AT_FAULT NOW`.

FILE gets the ids. With `--telemetry` it is read instead, and the running machines in it get two days of telemetry.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import boto3

from benchmarks.fleet import REGION, STOPPED, Machine, machines, moment
from bursar.demo.process import Series, Server, Times

BUSY = 10
"""One machine in so many works."""
STEP = 300


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("endpoint")
    parser.add_argument("file", type=Path)
    parser.add_argument("count", type=int)
    parser.add_argument("at_fault", type=int)
    parser.add_argument("now", type=moment)
    parser.add_argument("--telemetry", action="store_true")
    asked = parser.parse_args()
    server = Server(asked.endpoint)
    if asked.telemetry:
        for name, number in json.loads(asked.file.read_text("utf-8")).items():
            if number % STOPPED != STOPPED - 1:
                server.load(REGION, series(name, number, asked.now))
        return
    planted = launch(server, list(machines(asked.count, asked.at_fault)))
    server.backdate(REGION, {name: Times(one.created(asked.now)) for name, one in planted.items()})
    asked.file.write_text(json.dumps({name: one.number for name, one in planted.items()}), "utf-8")


def launch(server: Server, fleet: list[Machine]) -> dict[str, Machine]:
    """Start the machines, those that are alike together; return them by the ids they got."""
    ec2 = boto3.client("ec2", region_name=REGION, endpoint_url=server.endpoint)
    alike: dict[tuple[object, ...], list[Machine]] = defaultdict(list)
    for machine in fleet:
        alike[machine.type, machine.tags].append(machine)
    planted: dict[str, Machine] = {}
    for group in alike.values():
        tags = [{"Key": key, "Value": value} for key, value in group[0].tags]
        made = ec2.run_instances(
            ImageId="ami-0c0ffee0",
            InstanceType=group[0].type,
            MinCount=len(group),
            MaxCount=len(group),
            TagSpecifications=[{"ResourceType": "instance", "Tags": tags}],
        )
        planted.update({one["InstanceId"]: machine for one, machine in zip(made["Instances"], group, strict=True)})
    stopped = [name for name, machine in planted.items() if machine.state == "stopped"]
    if stopped:
        ec2.stop_instances(InstanceIds=stopped)
    return planted


def series(name: str, number: int, now: datetime) -> Iterator[Series]:
    """Yield two days of two metrics, a value every five minutes up to now."""
    end = datetime.fromtimestamp(now.timestamp() // STEP * STEP, now.tzinfo)
    count = 2 * 86400 // STEP
    busy = number % BUSY == 0
    for metric, value in (("CPUUtilization", 60.0 if busy else 1.5), ("NetworkIn", 5e7 if busy else 1000.0)):
        values = [value] * count
        start = end - timedelta(seconds=STEP * count)
        yield Series("AWS/EC2", metric, {"InstanceId": name}, start, STEP, values)


if __name__ == "__main__":
    main()
