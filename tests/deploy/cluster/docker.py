"""`docker build` and `docker push`, without building: what was pushed, the cluster can pull."""

import argparse
import os
import sys
from pathlib import Path


def main(argv):
    parser = argparse.ArgumentParser(prog="docker")
    verbs = parser.add_subparsers(dest="verb", required=True)
    build = verbs.add_parser("build")
    build.add_argument("-f", "--file", type=Path, required=True)
    build.add_argument("-t", "--tag", required=True)
    build.add_argument("context", type=Path)
    verbs.add_parser("push").add_argument("tag")
    asked = parser.parse_args(argv)
    built, pushed = (Path(os.environ["CLUSTER"]) / name for name in ("built", "images"))
    if asked.verb == "build":
        assert asked.file.is_file()
        assert (asked.context / "pyproject.toml").is_file()
        built.write_text(asked.tag, encoding="utf-8")
    else:
        assert built.read_text(encoding="utf-8") == asked.tag, "it was not built"
        pushed.write_text(asked.tag + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
