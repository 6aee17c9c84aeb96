"""`bursar agent`: the GPUs of this machine, sampled and published."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import click

from bursar.commands.options import LengthType

RESERVED = frozenset(
    {"gpu", "uuid", "modelName", "GPU_I_ID", "mig_uuid", "hostname", "instance_id", "xid", "value", "state"}
)
LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*", re.ASCII)


class SizeType(click.ParamType[int]):
    """`64MiB`."""

    name = "SIZE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        from engine.units import UnitError, parse_bytes

        if isinstance(value, int):
            return value
        try:
            return parse_bytes(str(value))
        except UnitError as error:
            self.fail(error.message, param, ctx)


class AddressType(click.ParamType[tuple[str, int]]):
    """`127.0.0.1:9836` or `[::1]:9836`."""

    name = "ADDRESS:PORT"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, int]:
        if isinstance(value, tuple):
            return value
        host, colon, port = str(value).rpartition(":")
        if not colon or not host or not port.isdigit() or int(port) > 65_535:
            self.fail(f"`{value}` is not an address such as 127.0.0.1:9836", param, ctx)
        return host.strip("[]"), int(port)


class LabelType(click.ParamType[tuple[str, str]]):
    """`cluster=a100`."""

    name = "NAME=VALUE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        if isinstance(value, tuple):
            return value
        name, equals, text = str(value).partition("=")
        if not equals or not LABEL.fullmatch(name) or name.startswith("__"):
            self.fail(f"`{value}` is not a label such as cluster=a100", param, ctx)
        if name in RESERVED:
            self.fail(f"`{name}` is a label that the agent sets itself", param, ctx)
        return name, text


@click.command("agent", short_help="Sample the GPUs of this machine and publish what they do.")
@click.option("--interval", type=LengthType(), default="15s", show_default=True, help="Time between samples.")
@click.option("--once", is_flag=True, help="Take one sample and end; print it where nothing else is asked for.")
@click.option("--listen", type=AddressType(), help="Serve the newest sample to Prometheus here.")
@click.option("--jsonl", type=click.Path(path_type=Path, dir_okay=False), help="Append each sample to this file.")
@click.option("--jsonl-size", type=SizeType(), default="64MiB", show_default=True, help="Rename it when so large.")
@click.option("--jsonl-keep", type=click.IntRange(0, 1000), default=8, show_default=True, help="Keep so many old ones.")
@click.option("--cloudwatch", is_flag=True, help="Send the samples to CloudWatch, once a minute.")
@click.option("--region", metavar="REGION", default="", help="The region for CloudWatch. [default: where this runs]")
@click.option("--instance-id", metavar="ID", help="The provider's id of this machine. [default: ask EC2, by IMDSv2]")
@click.option("--host", metavar="NAME", help="The name of this machine; in Kubernetes, of the node.")
@click.option("--label", "labels", type=LabelType(), multiple=True, help="A label for all series. Repeatable.")
def command(interval: timedelta, once: bool, labels: tuple[tuple[str, str], ...], **chosen: Any) -> int:
    """Sample the GPUs of this machine through NVIDIA's driver and publish what they do.

    Without --listen, --jsonl or --cloudwatch it serves Prometheus on 127.0.0.1:9836, which only this machine
    reaches. What the driver does not say is left out, never written as 0. SIGTERM and Ctrl-C end it.
    """
    from bursar.agent import Wanted, serve

    return serve(Wanted(interval=interval.total_seconds(), once=once, labels=dict(labels), **chosen))
