"""The front doors: parse input, build the adapters, call the engine, render, exit."""

import sys
from pathlib import Path

_LIB = Path(__file__).parent / "lib"
if _LIB.is_dir() and str(_LIB) not in sys.path:
    # A wheel carries `engine`, `actions`, `integrations` and `policies` inside this package, so that
    # no top-level package of a general name lands in site-packages.
    sys.path.insert(0, str(_LIB))
