"""
Build the zip that AWS Lambda runs: `make lambda`, or `python deploy/lambda/build.py --help`.

The same sources, versions and configuration give the same bytes: files are in order, without dates, and compiled in
advance in a form that depends on their content alone. Versions are those of `constraints.txt`.
"""

from __future__ import annotations

import argparse
import compileall
import hashlib
import py_compile
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
PLATFORMS = {
    "x86_64": ("manylinux2014_x86_64", "manylinux_2_28_x86_64"),
    "arm64": ("manylinux2014_aarch64", "manylinux_2_28_aarch64"),
}
"""What Amazon Linux 2023 runs, by Lambda's names of architectures."""
MOST_UNPACKED = 250_000_000
"""Bytes that Lambda takes."""
LARGEST = 1_000_000
"""Parts above so many bytes are listed."""
EPOCH = (1980, 1, 1, 0, 0, 0)
DROPPED = ("bin", "__pycache__")
CONFIG = {".yaml", ".yml", ".json"}
"""What a configuration's folder may hold; a state or a log beside it does not belong into a zip."""


def main(argv: Sequence[str] | None = None) -> int:
    own = f"{sys.version_info.major}.{sys.version_info.minor}"
    parser = argparse.ArgumentParser(description="Build the zip that AWS Lambda runs.")
    parser.add_argument("-o", "--output", type=Path, default=ROOT / "dist" / "bursar-lambda.zip")
    parser.add_argument("--config", type=Path, help="the folder of bursar.yaml and its policies, to be packed")
    parser.add_argument("--python", default=own, help=f"the version of the runtime [default: {own}]")
    parser.add_argument("--arch", choices=sorted(PLATFORMS), default="x86_64")
    options = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "task"
        install(folder, options.python, options.arch)
        if options.config is not None:
            add_config(options.config, folder / "config")
            add_authors(options.config, folder / "config")
        compiled = options.python == own
        if compiled:
            compile_all(folder)
        unpacked = pack(folder, options.output)
        parts = sizes(folder)
    here = Path.cwd()
    shown = options.output.relative_to(here) if options.output.is_relative_to(here) else options.output
    print(f"{shown}: python{options.python}, {options.arch}")
    print(f"  packed    {mega(options.output.stat().st_size)}")
    print(f"  unpacked  {mega(unpacked)} of {mega(MOST_UNPACKED)}")
    for part, size in parts:
        print(f"    {part:<18}{mega(size):>10}")
    print(f"  sha256    {hashlib.sha256(options.output.read_bytes()).hexdigest()}")
    if not compiled:
        print(
            f"  not compiled in advance: this is Python {own}; a cold start takes about twice as long", file=sys.stderr
        )
    if unpacked > MOST_UNPACKED:
        print("  larger than Lambda takes", file=sys.stderr)
        return 1
    return 0


def install(folder: Path, python: str, arch: str) -> None:
    """Install Bursar and what it needs into `folder`, as wheels for the runtime and nothing built here."""
    with tempfile.TemporaryDirectory() as name:
        _pip("wheel", "--no-deps", "--wheel-dir", name, str(ROOT))
        (wheel,) = Path(name).glob("*.whl")
        platforms = [word for platform in PLATFORMS[arch] for word in ("--platform", platform)]
        _pip(
            "install", "--target", str(folder), "--no-compile", "--only-binary=:all:", "--implementation", "cp",
            "--python-version", python, *platforms, "--constraint", str(HERE / "constraints.txt"), f"{wheel}[slack]",
        )  # fmt: skip
    for path in sorted(folder.rglob("*"), reverse=True):
        if path.name in {"direct_url.json", "RECORD"}:
            path.unlink()  # They tell where and when the wheel was built.
        elif path.is_dir() and (path.name == "__pycache__" or (path.parent == folder and path.name in DROPPED)):
            shutil.rmtree(path)


def _pip(*arguments: str) -> None:
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", *arguments]
    subprocess.run(command, check=True, cwd=ROOT)  # noqa: S603  our own arguments


def add_config(source: Path, folder: Path) -> None:
    """Copy the configuration and its policies."""
    if not (source / "bursar.yaml").is_file():
        raise SystemExit(f"there is no bursar.yaml in {source}")
    for path in sorted(source.rglob("*")):
        inside = path.relative_to(source)
        if path.is_file() and path.suffix in CONFIG and not any(part.startswith(".") for part in inside.parts):
            target = folder / inside
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(path.read_bytes())


def add_authors(source: Path, folder: Path) -> None:
    """Write down who changed each policy last, as git knows it here: a function has no git."""
    config, output = (source / "bursar.yaml").resolve(), (folder / "authors.json").resolve()
    command = [sys.executable, "-m", "bursar", "authors", "--config", str(config), "--output", str(output)]
    subprocess.run(command, check=True, cwd=ROOT)  # noqa: S603  our own arguments


def compile_all(folder: Path) -> None:
    """Compile every module; the folder of a function cannot be written to, so that each cold start would do it."""
    mode = py_compile.PycInvalidationMode.UNCHECKED_HASH
    compileall.compile_dir(folder, quiet=2, stripdir=str(folder), invalidation_mode=mode, workers=0)


def pack(folder: Path, output: Path) -> int:
    """Write the zip; return the bytes of what is in it."""
    output.parent.mkdir(parents=True, exist_ok=True)
    unpacked = 0
    with zipfile.ZipFile(output, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.rglob("*"), key=lambda p: p.relative_to(folder).as_posix()):
            if path.is_file():
                entry = zipfile.ZipInfo(path.relative_to(folder).as_posix(), EPOCH)
                entry.external_attr = 0o644 << 16
                entry.compress_type = zipfile.ZIP_DEFLATED
                content = path.read_bytes()
                archive.writestr(entry, content)
                unpacked += len(content)
    return unpacked


def sizes(folder: Path) -> list[tuple[str, int]]:
    """Return the large parts, the largest first."""
    return sorted(_large(folder), key=lambda part: -part[1])


def _large(folder: Path) -> Iterator[tuple[str, int]]:
    for part in folder.iterdir():
        size = sum(p.stat().st_size for p in ([part] if part.is_file() else part.rglob("*")) if p.is_file())
        if size >= LARGEST:
            yield part.name, size


def mega(size: int) -> str:
    return f"{size / 1_000_000:.1f} MB"


if __name__ == "__main__":
    sys.exit(main())
