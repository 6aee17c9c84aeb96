"""What the Dockerfile makes of a container: its command, environment and folder."""

import json
import re
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.pages import ROOT

BASE_PATH = "/usr/local/bin:/usr/bin:/bin"


@dataclass(frozen=True)
class Image:
    """The last stage of a Dockerfile."""

    entrypoint: list
    command: list
    env: dict
    folder: str


def image():
    """Return what `deploy/docker/Dockerfile` says; what it installs lies in the environment of this interpreter."""
    text = (ROOT / "deploy" / "docker" / "Dockerfile").read_text(encoding="utf-8").rpartition("\nFROM ")[2]

    def words(name):
        return re.findall(rf"^{name} (.+)$", text, re.MULTILINE)

    env = dict(pair.split("=", 1) for line in words("ENV") for pair in line.split())
    env["PATH"] = env["PATH"].replace("$PATH", BASE_PATH)
    return Image(json.loads(words("ENTRYPOINT")[0]), json.loads(words("CMD")[0]), env, words("WORKDIR")[0])


def root_of(mounts):
    """Yield the options of `bwrap` that lay out a root: the machine's programs, and ours in `/opt/bursar`."""
    for name in ("/usr", "/bin", "/sbin", "/lib", "/lib64"):
        folder = Path(name)
        if folder.is_symlink():
            yield from ("--symlink", str(folder.readlink()), name)
        elif folder.exists():
            yield from ("--ro-bind", name, name)
    yield from ("--proc", "/proc", "--dev", "/dev")
    yield from mounts
    for folder in dict.fromkeys((sys.base_prefix, sys.prefix, str(ROOT))):
        yield from ("--ro-bind", folder, folder)
    yield from ("--ro-bind", sys.prefix, "/opt/bursar", "--setenv", "PYTHONPATH", str(ROOT))
