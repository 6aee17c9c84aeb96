"""RE2 patterns: linear in the length of the text, whatever the pattern."""

from __future__ import annotations

from typing import Any


def compile_pattern(pattern: str) -> Any:
    """Return the compiled RE2 pattern; raise `ValueError` with the library's reason."""
    import re2

    options = re2.Options()
    options.log_errors = False
    options.max_mem = 1 << 20
    try:
        return re2.compile(pattern, options)
    except re2.error as error:
        reason = error.args[0] if error.args else error
        text = reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason)
        raise ValueError(text) from error
