"""API calls, wall time and memory of a plan over the demo's emulated AWS account, with all shipped policies."""

from __future__ import annotations

import time
from collections import Counter
from datetime import UTC, datetime

from actions.catalog import remediations
from bursar.config import Config
from bursar.demo.company import build
from bursar.demo.estate import REGIONS
from bursar.demo.process import running_server
from bursar.loading import load
from bursar.wiring import context_at
from engine.planning import Installation, run
from integrations.aws.live import live_estate
from integrations.aws.session import AwsSettings


def main() -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    with running_server() as server:
        build(server.endpoint, now)
        settings = AwsSettings(regions=REGIONS, endpoint_url=server.endpoint, access_key=("demo", "demo"))
        for title, packs in (("all packs", ("pack:all",)), ("pack:idle", ("pack:idle",))):
            config = Config(policies=packs, aws=settings)
            policies = load(config, ())
            server.calls()
            start, cpu = time.perf_counter(), time.process_time()
            with live_estate(settings, now) as estate:
                plan = run(policies, estate, context_at(now, config), Installation(remediations()))
            calls = Counter(server.calls())
            telemetry = sum(count for call, count in calls.items() if call.startswith("cloudwatch:"))
            print(
                f"  {title}: {plan.resources} resources x {len(policies.policies)} policies in "
                f"{time.perf_counter() - start:.1f} s ({time.process_time() - cpu:.1f} s of CPU), "
                f"{calls.total()} API calls, {telemetry} of them for telemetry"
            )


if __name__ == "__main__":
    main()
