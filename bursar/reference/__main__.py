"""Write the reference pages into a folder: `python -m bursar.reference docs/reference`."""

from __future__ import annotations

import sys
from pathlib import Path

from bursar.reference.pages import pages


def main(folder: Path) -> None:
    """Write every page into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in pages().items():
        (folder / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
