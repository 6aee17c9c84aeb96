"""
Well-typed expressions about the test kind, each written in Bursar's surface and in CEL's.

Bursar's text has as few parentheses as its precedences allow, and its spellings vary; CEL's has all
parentheses. So a difference in precedence is a difference in value. Every choice comes from a
`random.Random`: a seeded one in the long runs, one that hypothesis steers where failures shrink.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from random import Random

from engine.expr.calls import MOST_NESTED
from tests.engine.expr.resources import FUNCTIONS, KEYS, STATES, TEXTS, WINDOWS

OR, AND, NOT, COMPARISON, SUM, PRODUCT, UNARY, PRIMARY = range(8)
"""Precedences, loosest first."""
PATTERNS = ("^ml-[0-9]+$", "a.*b", "(?i)PROD", "^$", r"\w+", "é|😀", "(a|b)*c?$", r"\\", "[^a-z]", "")
NUMBER_FIELDS = {
    "": ("resource.accelerator.count", "resource.vcpus"),
    "GiB": ("resource.volume.size_gib",),
    "percent": ("resource.share",),
    "usd": ("cost.hourly", "cost.monthly"),
}
TEXT_FIELDS = ("resource.name", "resource.region", "resource.model", "resource.kind", "resource.state")
TIME_FIELDS = ("resource.created", "resource.launched")
SPANS = ((0, "s"), (1, "s"), (90, "m"), (1, "h"), (4, "h"), (1, "d"), (2, "w"))
SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
UNITS = {
    "percent": (("5%", 5.0), ("0%", 0.0), ("2.25%", 2.25), ("100%", 100.0)),
    "GiB": (("40GiB", 40.0), ("0.5GiB", 0.5), ("512MiB", 0.5), ("0.0078125TiB", 8.0)),
    "bytes": (("1kB", 1000.0), ("1KiB", 1024.0), ("1MiB", 1048576.0), ("0.001MB", 1000.0)),
    "usd": (("182.5", 182.5), ("1825", 1825.0), ("5840", 5840.0)),
}
"""Numbers as they are written beside a unit, and what they stand for there."""
PLAIN = ("0", "1", "2", "8", "40", "0.5", "2.25", "1e2", "100")


@dataclass(frozen=True)
class Written:
    """One expression in both languages."""

    ours: str
    cel: str
    level: int = PRIMARY
    unit: str = ""

    def at(self, level: int) -> str:
        """Return Bursar's text as an operand of something that binds as `level`."""
        return self.ours if self.level >= level else f"({self.ours})"


class Writer:
    """
    Writes random expressions.

    `shared` keeps to what means the same in CEL for complete resources. `claims` allows `has`, `null`
    and the tags as a whole, which turn absence into an answer; `defaults` allows `default`.
    """

    def __init__(self, rng: Random, *, shared: bool = False, claims: bool = True, defaults: bool = True) -> None:
        self.rng = rng
        self.shared = shared
        self.claims = claims
        self.defaults = defaults
        self.variables: list[str] = []

    def chance(self, share: float) -> bool:
        return self.rng.random() < share

    def any(self, depth: int = 4) -> Written:
        """Return an expression of any type."""
        return self.rng.choice((self.number, self.text, self.duration, self.time))(depth)

    # --- conditions

    def condition(self, depth: int = 4) -> Written:
        """Return a condition of at most `depth` levels, roughly."""
        if depth <= 0:
            return self.flag()
        kinds = [self.logic] * 4 + [self.negation] * 2 + [self.numbers] * 3 + [self.texts] * 3
        kinds += [self.membership] * 3 + [self.text_test] * 2 + [self.times, self.durations] * 2
        kinds += [self.flags, *([self.quantifier] * 2 if len(self.variables) < MOST_NESTED else [])]
        if self.claims:
            kinds += [self.claim] * 2
        return self.rng.choice(kinds)(depth - 1)

    def flag(self, depth: int = 0) -> Written:
        field = self.rng.choice(("resource.running", "resource.encrypted"))
        if self.defaults and not self.shared and self.chance(0.1):
            return Written(f"default({field}, {self.rng.choice(('true', 'false'))})", "")
        if self.chance(0.1):
            field = self.rng.choice(("true", "false"))
        return Written(field, field)

    def logic(self, depth: int) -> Written:
        operands = [self.condition(depth) for _ in range(self.rng.choice((2, 2, 2, 3, 4)))]
        level, spellings = self.rng.choice(((OR, ("or", "||")), (AND, ("and", "&&"))))
        ours = operands[0].at(level)
        for operand in operands[1:]:
            ours += f"{self.space()}{self.rng.choice(spellings)}{self.space()}{operand.at(level + 1)}"
        cel = f" {spellings[1]} ".join(operand.cel for operand in operands)
        return Written(ours, f"({cel})", level)

    def space(self) -> str:
        return self.rng.choice((" ", " ", " ", "  ", "\n", "\t"))

    def negation(self, depth: int) -> Written:
        operand = self.condition(depth)
        cel = f"(!{operand.cel})"
        if self.chance(0.5):
            return Written(f"not {operand.at(NOT)}", cel, NOT)
        return Written(f"!{operand.at(UNARY)}", cel, UNARY)

    def compared(self, left: Written, right: Written, symbols: tuple[str, ...]) -> Written:
        symbol = self.rng.choice(symbols)
        if self.chance(0.2):
            left, right = right, left
        gap = self.rng.choice((" ", " ", ""))
        ours = f"{left.at(SUM)}{gap}{symbol}{gap}{right.at(SUM)}"
        return Written(ours, f"({left.cel} {symbol} {right.cel})", COMPARISON)

    def flags(self, depth: int) -> Written:
        return self.compared(self.condition(depth), self.condition(depth), ("==", "!="))

    def numbers(self, depth: int) -> Written:
        left = self.number(depth)
        right = self.literal(left.unit) if self.chance(0.7) else self.number_in(left.unit, depth)
        return self.compared(left, right, ("==", "!=", "<", "<=", ">", ">="))

    def texts(self, depth: int) -> Written:
        left = self.text(depth)
        if left.ours == "resource.state" and self.chance(0.8):
            return self.compared(left, self.quoted(self.rng.choice(STATES)), ("==", "!=", "<"))
        right = self.text(depth)
        if left.ours == "resource.state":
            right = self.variable_text()
        elif right.ours == "resource.state":
            left = self.variable_text()
        return self.compared(left, right, ("==", "==", "!=", "!=", "<", "<=", ">", ">="))

    def times(self, depth: int) -> Written:
        return self.compared(self.time(depth), self.time(depth), ("==", "!=", "<", "<=", ">", ">="))

    def durations(self, depth: int) -> Written:
        return self.compared(self.duration(depth), self.duration(depth), ("==", "!=", "<", "<=", ">", ">="))

    def membership(self, depth: int) -> Written:
        shape = self.rng.randrange(4)
        if shape == 0:
            item = self.number(depth)
            items = self.listed([self.literal(item.unit) for _ in range(self.rng.randrange(4))])
        elif shape == 1:
            item, items = Written("resource.state", "resource.state"), self.listed([self.quoted(STATES[1])])
        elif shape == 2:
            item, items = self.text(depth), Written("resource.types", "resource.types")
        else:
            item = self.variable_text() if self.chance(0.5) else self.tag()
            items = self.listed([self.quoted() for _ in range(self.rng.randrange(5))])
        return self.inside(item, items)

    def inside(self, item: Written, items: Written) -> Written:
        cel = f"({item.cel} in {items.cel})"
        if self.chance(0.4):
            return Written(f"{item.at(SUM)} not in {items.at(SUM)}", f"(!{cel})", COMPARISON)
        return Written(f"{item.at(SUM)} in {items.at(SUM)}", cel, COMPARISON)

    def listed(self, items: list[Written]) -> Written:
        comma = "," if items and self.chance(0.1) else ""
        ours = ", ".join(item.ours for item in items)
        return Written(f"[{ours}{comma}]", f"[{', '.join(item.cel for item in items)}]")

    def text_test(self, depth: int) -> Written:
        text = self.text(depth)
        if self.chance(0.4):
            pattern = self.quoted(self.rng.choice(PATTERNS))
            return Written(f"{text.at(PRIMARY)}.matches({pattern.ours})", f"{text.cel}.matches({pattern.cel})")
        function = self.rng.choice(("startsWith", "endsWith", "contains"))
        part = self.quoted() if self.chance(0.7) else self.text(depth)
        return Written(f"{text.at(PRIMARY)}.{function}({part.ours})", f"{text.cel}.{function}({part.cel})")

    def quantifier(self, depth: int) -> Written:
        function = self.rng.choice(("exists", "all"))
        choices = [Written("resource.types", "resource.types"), self.listed([self.quoted(), self.quoted()])]
        if self.claims:
            choices.append(Written("tags", "tags"))
        items = self.rng.choice(choices)
        name = self.rng.choice(("x", "x", "item"))
        self.variables.append(name)
        nested = len(self.variables) < MOST_NESTED and self.chance(0.3)
        condition = self.quantifier(depth) if nested else self.condition(min(depth, 2))
        self.variables.pop()
        call = f".{function}({name}, "
        return Written(f"{items.ours}{call}{condition.ours})", f"{items.cel}{call}{condition.cel})")

    def claim(self, depth: int) -> Written:
        key = self.rng.choice(KEYS)
        member = Written(*(f'tags["{key}"]',) * 2)
        match self.rng.randrange(3 if self.shared else 5):
            case 0:
                return Written(f"has({member.ours})", f'("{key}" in tags)')
            case 1:
                return self.inside(self.quoted(key), Written("tags", "tags"))
            case 2:
                return self.compared(self.size("tags"), self.literal(""), ("==", "<", ">="))
            case 3:
                field = self.rng.choice((*TEXT_FIELDS, *TIME_FIELDS, "resource.vcpus", "resource.age", "cost.hourly"))
                return Written(f"has({field})", "")
            case _:
                null = Written("null", "")
                field = self.rng.choice((member.ours, *TEXT_FIELDS, "resource.encrypted", "resource.vcpus"))
                return self.compared(Written(field, ""), null, ("==", "!="))

    # --- numbers

    def number(self, depth: int) -> Written:
        return self.number_in(self.rng.choice(("", "", "GiB", "percent", "usd", "bytes")), depth)

    def number_in(self, unit: str, depth: int) -> Written:
        """Return a number of the unit, or a plain one."""
        chance = self.rng.random()
        if depth > 0 and chance < 0.3:
            return self.arithmetic(unit, depth - 1)
        if depth > 0 and chance < 0.36:
            operand = self.number_in(unit, depth - 1)
            return Written(f"-{operand.at(UNARY)}", f"(-{operand.cel})", UNARY, operand.unit)
        if unit == "percent" and chance < 0.7:
            return self.metric("gpu.utilization", "percent")
        if unit == "bytes":
            return self.metric("network.in", "bytes")
        if unit == "" and chance < 0.5:
            return self.size(self.rng.choice(("resource.types", "resource.name")))
        field = self.rng.choice(NUMBER_FIELDS[unit])
        if self.defaults and not self.shared and chance > 0.9:
            return Written(f"default({field}, {self.literal(unit).ours})", "", unit=unit)
        return Written(field, field, unit=unit)

    def metric(self, name: str, unit: str) -> Written:
        function, window = self.rng.choice(FUNCTIONS), self.rng.choice(WINDOWS)
        seconds = int(window.total_seconds())
        ours = f"{function}(metrics.{name}, {seconds // 3600}h)"
        return Written(ours, f'metrics["{function} {name} {seconds}"]', unit=unit)

    def size(self, of: str) -> Written:
        ours = f"size({of})" if self.chance(0.5) else f"{of}.size()"
        return Written(ours, f"double(size({of}))")

    def arithmetic(self, unit: str, depth: int) -> Written:
        if unit == "" and self.chance(0.5):
            left, symbol = self.number(depth), self.rng.choice("*/")
            right = self.literal("", ("2", "4", "0.5")) if self.shared else self.number(depth)
            ours = f"{left.at(PRODUCT)} {symbol} {right.at(UNARY)}"
            return Written(ours, f"({left.cel} {symbol} {right.cel})", PRODUCT)
        left, symbol = self.number_in(unit, depth), self.rng.choice("+-")
        right = self.literal(left.unit) if self.chance(0.5) else self.number_in(unit, depth)
        gap = self.rng.choice((" ", ""))
        ours = f"{left.at(SUM)}{gap}{symbol}{gap}{right.at(PRODUCT)}"
        return Written(ours, f"({left.cel} {symbol} {right.cel})", SUM, left.unit)

    def literal(self, unit: str, pool: tuple[str, ...] = PLAIN) -> Written:
        """Return a number that can stand beside something of the unit."""
        text = self.rng.choice(pool)
        written, value = text, float(text)
        if unit in UNITS and self.chance(0.4):
            written, value = self.rng.choice(UNITS[unit])
        if pool is PLAIN and self.chance(0.1):
            return Written(f"-{written}", f"(-{value})", UNARY)
        return Written(written, f"{value}")

    # --- texts, times, durations

    def text(self, depth: int) -> Written:
        chance = self.rng.random()
        if self.variables and chance < 0.5:
            return self.variable_text()
        if depth > 0 and chance < 0.6:
            left, right = self.text(depth - 1), self.text(depth - 1)
            return Written(f"{left.at(SUM)} + {right.at(PRODUCT)}", f"({left.cel} + {right.cel})", SUM)
        if depth > 0 and chance < 0.7:
            operand = self.text(depth - 1)
            return Written(f"{operand.at(PRIMARY)}.lowerAscii()", f"{operand.cel}.lowerAscii()")
        if chance < 0.85:
            return self.tag()
        return self.variable_text() if chance < 0.97 else self.quoted()

    def variable_text(self) -> Written:
        """Return a text without known values."""
        names = self.variables or [field for field in TEXT_FIELDS if field != "resource.state"]
        name = self.rng.choice(names)
        return Written(name, name)

    def tag(self) -> Written:
        key = self.rng.choice(KEYS)
        member = f"tags.{key}" if key == "owner" else f'tags["{key}"]'
        fallback = self.quoted()
        if self.shared:
            cel = f'("{key}" in tags ? tags["{key}"] : {fallback.cel})'
            return Written(f"default({member}, {fallback.ours})", cel)
        if self.defaults and self.chance(0.1):
            return Written(f"default({member}, {fallback.ours})", "")
        return Written(member, "")

    def quoted(self, text: str | None = None) -> Written:
        value = self.rng.choice(TEXTS) if text is None else text
        escaped = value.replace("\\", "\\\\").replace("\n", "\\n")
        cel = '"' + escaped.replace('"', '\\"') + '"'
        if self.chance(0.3):
            return Written("'" + escaped.replace("'", "\\'") + "'", cel)
        if self.chance(0.2) and '"' not in value and "\n" not in value:
            return Written(f'r"{value}"', cel)
        return Written(cel, cel)

    def time(self, depth: int) -> Written:
        chance = self.rng.random()
        if depth > 0 and chance < 0.3:
            moment, span, symbol = self.time(depth - 1), self.duration(depth - 1), self.rng.choice("+-")
            return Written(f"{moment.at(SUM)} {symbol} {span.at(PRODUCT)}", f"({moment.cel} {symbol} {span.cel})", SUM)
        if chance < 0.5:
            return Written("now", "now")
        if chance < 0.6:
            text = 'timestamp("2026-02-28T12:00:00Z")'
            return Written(text, text)
        field = self.rng.choice(TIME_FIELDS)
        return Written(field, field)

    def duration(self, depth: int) -> Written:
        chance = self.rng.random()
        if depth > 0 and chance < 0.15:
            left, right = self.time(depth - 1), self.time(depth - 1)
            return Written(f"{left.at(SUM)} - {right.at(PRODUCT)}", f"({left.cel} - {right.cel})", SUM)
        if depth > 0 and chance < 0.3:
            left, right, symbol = self.duration(depth - 1), self.duration(depth - 1), self.rng.choice("+-")
            return Written(f"{left.at(SUM)} {symbol} {right.at(PRODUCT)}", f"({left.cel} {symbol} {right.cel})", SUM)
        if chance < 0.6:
            amount, unit = self.rng.choice(SPANS)
            length = timedelta(seconds=amount * SECONDS[unit])
            text = f"{amount}{unit}"
            ours = f'duration("{text}")' if self.chance(0.2) else text
            return Written(ours, f'duration("{length.total_seconds():.0f}s")')
        field = self.rng.choice(("resource.age", "resource.uptime"))
        return Written(field, field)
