"""
YAML text to a tree of nodes that know where they stand; the policy loader calls it.

Made from the parser's events, without recursion and without YAML's own typing: a scalar stays the
text that was written, so that `22:30`, `NO`, `0123456701` and `1.10` mean what they look like. What
makes YAML surprising or expensive is refused: anchors, aliases, merge keys, tags, duplicate keys,
keys that are not text, several documents, deep nesting.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any, TypeAlias

import yaml

from engine.errors import Place, Problem

MAX_BYTES = 256 * 1024
MAX_DEPTH = 32
MAX_NODES = 20_000
_TYPED_KEY = re.compile(r"|~|null|Null|NULL|true|True|TRUE|false|False|FALSE|[-+]?[0-9][0-9.eE+-]*|0[xo][0-9a-fA-F]+")
_CUT = re.compile(r"\$?\d{1,3}(,\d{3})*")
_REST = re.compile(r"\d{3}(\.\d+)?( ?/ ?\w+)?")
_QUOTED = re.compile(r"\"[^\"\n]*\"|'[^'\n]*'")
_COMMENT = re.compile(r"[\s\[{,]#")
_NULL = frozenset({"", "~", "null", "Null", "NULL"})


class Plain(str):
    """The text of a scalar that stands without quotes: only such a text can be a number."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class ScalarNode:
    """A text, or nothing."""

    place: Place
    text: str
    plain: bool
    """Without quotes and not a block."""
    start: int
    """Offset of the first character of the scalar, quotes and block header included."""
    end: int

    @property
    def null(self) -> bool:
        return self.plain and self.text in _NULL


@dataclass(frozen=True, slots=True)
class ListNode:
    """A list."""

    place: Place
    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class MapNode:
    """A mapping; of duplicate keys the first is kept."""

    place: Place
    by_key: Mapping[str, tuple[ScalarNode, Node]]
    """The node of each key and its value, by the key's text."""

    @property
    def entries(self) -> Iterable[tuple[ScalarNode, Node]]:
        return self.by_key.values()

    def get(self, key: str) -> Node | None:
        """Return the value of `key`."""
        entry = self.by_key.get(key)
        return entry[1] if entry else None

    def key(self, key: str) -> ScalarNode | None:
        """Return the node of the key itself."""
        entry = self.by_key.get(key)
        return entry[0] if entry else None


@dataclass(frozen=True, slots=True)
class BrokenNode:
    """Something that is not accepted and has a problem of its own: an alias, a mapping with a merge key."""

    place: Place


Node: TypeAlias = ScalarNode | ListNode | MapNode | BrokenNode


@dataclass(frozen=True, slots=True)
class Source:
    """A file's text, for places in it."""

    file: str
    text: str
    starts: tuple[int, ...]
    """Offset of the first character of each line."""
    lines: tuple[str, ...]
    """Each line without its newline: one text for all places in it, however long it is and many they are."""

    @classmethod
    def of(cls, file: str, text: str) -> Source:
        """Return the source with line ends made alike and a byte order mark removed."""
        clean = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
        starts = (0, *(m.end() for m in re.finditer("\n", clean)))
        return cls(file, clean, starts, tuple(clean.split("\n")))

    def place(self, offset: int) -> Place:
        """Return the place of the character at `offset`."""
        line = bisect_right(self.starts, offset)
        return Place(self.file, line, offset - self.starts[line - 1] + 1, self.lines[line - 1])


@dataclass(frozen=True, slots=True)
class Parsed:
    """A file's tree, and everything that is wrong with it as YAML."""

    source: Source
    root: Node | None
    """None where the text is empty, is not YAML or exceeds a limit."""
    problems: tuple[Problem, ...]


def parse_yaml(text: str, file: str) -> Parsed:
    """Return the tree of `text`, with every problem up to the first that makes reading on impossible."""
    if len(text.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        message = f"the file is larger than {MAX_BYTES // 1024} KiB"
        return Parsed(Source.of(file, ""), None, (Problem("file-too-large", message, Place(file)),))
    composer = _Composer(Source.of(file, text))
    root = composer.compose()
    return Parsed(composer.source, root, tuple(composer.problems))


@dataclass(slots=True)
class _Open:
    """A list or mapping whose end has not been read yet."""

    place: Place
    mapping: bool
    items: list[Node] = field(default_factory=list)
    """Of a mapping: keys and values by turns."""
    broken: bool = False


class _Stop(Exception):  # noqa: N818  # not an error: the end of what can be read
    """Reading on is impossible."""


@dataclass(slots=True)
class _Composer:
    """Builds the tree of one text."""

    source: Source
    problems: list[Problem] = field(default_factory=list)
    open: list[_Open] = field(default_factory=list)
    root: Node | None = None
    nodes: int = 0
    documents: int = 0
    aliases: set[str] = field(default_factory=set)

    def compose(self) -> Node | None:
        try:
            for event in self._events():
                self._take(event)
        except _Stop:
            return None
        return self.root

    def _report(self, code: str, message: str, offset: int, hint: str = "") -> None:
        self.problems.append(Problem(code, message, self.source.place(offset), hint))

    def _stop(self, code: str, message: str, offset: int, hint: str = "") -> _Stop:
        self._report(code, message, offset, hint)
        return _Stop()

    def _events(self) -> Iterator[Any]:
        fast = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        seen = 0
        try:
            try:
                for event in yaml.parse(self.source.text, Loader=fast):
                    seen += 1
                    yield event
            except yaml.MarkedYAMLError as error:
                if "nesting depth" not in (error.problem or ""):
                    raise
                # libyaml looks far ahead and gives up at 1,000 levels; the slow parser comes to our own limit first.
                yield from islice(yaml.parse(self.source.text, Loader=yaml.SafeLoader), seen, None)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            offset = min(mark.index if mark else 0, len(self.source.text))
            message, offset, hint = self._explain(error.problem or error.context or "", offset)
            opened = error.context_mark
            if message in _OPENED and opened and mark and opened.line < mark.line:
                offset = opened.index
            raise self._stop("yaml-syntax", message, offset, hint) from None
        except UnicodeEncodeError as error:
            raise self._stop("yaml-syntax", "the text holds half a character", error.start) from None
        except yaml.YAMLError as error:
            offset = min(getattr(error, "position", 0), len(self.source.text))
            raise self._stop("yaml-syntax", "the text holds a character that YAML does not allow", offset) from None

    def _explain(self, said: str, offset: int) -> tuple[str, int, str]:
        """Return message, offset and hint for what the parser said."""
        tab = self._tab(offset)
        if tab is not None:
            return "a tab is not accepted as indentation", tab, "indent with spaces"
        comment = self._comment(offset) if "did not find expected" in said else None
        if comment is not None:
            return "a `#` begins a comment, so the bracket before it stays open", comment, "write the text in quotes"
        for fragment, (message, hint) in _SAID.items():
            if fragment in said:
                return message, offset, hint
        return f"this is not YAML: {said}", offset, ""

    def _tab(self, offset: int) -> int | None:
        """Return where a tab stands in the indentation of the line of `offset` or the one before."""
        line = bisect_right(self.source.starts, offset)
        for number in (line, line - 1):
            if number >= 1:
                first = self.source.starts[number - 1]
                indent = re.compile(r"[ \t]*").match(self.source.text, first)
                tab = indent[0].find("\t") if indent else -1
                if tab >= 0:
                    return first + tab
        return None

    def _comment(self, offset: int) -> int | None:
        """Return where a comment begins inside brackets, in the line of `offset` or the last one before with a text."""
        before = self.source.text[:offset].rstrip()
        for within in dict.fromkeys((offset, len(before))):
            first = self.source.text.rfind("\n", 0, within) + 1
            line = _QUOTED.sub(lambda quoted: "_" * len(quoted[0]), self.source.text[first:].partition("\n")[0])
            found = _COMMENT.search(line)
            if found and len(re.findall(r"[\[{]", line[: found.end()])) > len(
                re.findall(r"[\]}]", line[: found.end()])
            ):
                return first + found.end() - 1
        return None

    def _take(self, event: Any) -> None:
        match event:
            case yaml.ScalarEvent() | yaml.SequenceStartEvent() | yaml.MappingStartEvent():
                self._check(event)
                if isinstance(event, yaml.ScalarEvent):
                    self._add(self._scalar(event))
                else:
                    self._begin(event)
            case yaml.AliasEvent():
                self._alias(event)
            case yaml.SequenceEndEvent():
                closed = self.open.pop()
                self._add(ListNode(closed.place, tuple(closed.items)))
            case yaml.MappingEndEvent():
                self._add(self._mapping(self.open.pop()))
            case yaml.DocumentStartEvent():
                self._document(event)

    def _document(self, event: Any) -> None:
        self.documents += 1
        if self.documents > 1:
            hint = "put the other document into a file of its own"
            raise self._stop("yaml-documents", "a second document begins here", event.start_mark.index, hint)

    def _alias(self, event: Any) -> None:
        """Report the first alias of each anchor: a bomb has thousands."""
        anchor, at = event.anchor, event.start_mark.index
        self._count(at)
        if anchor not in self.aliases:
            self.aliases.add(anchor)
            self._report("yaml-alias", f"the alias `*{anchor}` is not accepted", at, "write the value out")
        self._add(BrokenNode(self.source.place(at)))

    def _count(self, at: int) -> None:
        self.nodes += 1
        if self.nodes > MAX_NODES:
            message = f"the file has more than {MAX_NODES:,} values"
            raise self._stop("yaml-nodes", message, at, "split it into several files")

    def _check(self, event: Any) -> None:
        """Count the node and report its anchor and tag."""
        at = event.start_mark.index
        self._count(at)
        if event.anchor is not None:
            self._report(
                "yaml-alias",
                f"the anchor `&{event.anchor}` is not accepted",
                at,
                "write the value out where it is used",
            )
        if event.tag is not None:
            written = event.tag.replace("tag:yaml.org,2002:", "!!")
            self._report("yaml-tag", f"the tag `{written}` is not accepted", at, "remove it")

    def _begin(self, event: Any) -> None:
        if len(self.open) >= MAX_DEPTH:
            message = f"the values are nested deeper than {MAX_DEPTH} levels"
            raise self._stop("yaml-depth", message, event.start_mark.index)
        place = self.source.place(event.start_mark.index)
        self.open.append(_Open(place, isinstance(event, yaml.MappingStartEvent)))

    def _scalar(self, event: Any) -> ScalarNode:
        start, end = event.start_mark.index, event.end_mark.index
        return ScalarNode(self.source.place(start), event.value, event.style in (None, ""), start, end)

    def _add(self, node: Node) -> None:
        if self.open:
            self.open[-1].items.append(node)
        else:
            self.root = node

    def _mapping(self, closed: _Open) -> Node:
        """Return the mapping of keys and values by turns."""
        entries: dict[str, tuple[ScalarNode, Node]] = {}
        broken = False
        for key, value in self._rejoined(zip(closed.items[::2], closed.items[1::2], strict=True)):
            if not isinstance(key, ScalarNode):
                if not isinstance(key, BrokenNode):
                    self._key_problem("a list or mapping is not accepted as a key", key.place, "write a plain word")
                broken = True
            elif key.plain and key.text == "<<":
                message = "the merge key `<<` is not accepted"
                self.problems.append(Problem("yaml-alias", message, key.place, "write the keys out"))
                broken = True
            elif key.plain and _TYPED_KEY.fullmatch(key.text):
                message = f"the key `{key.text}` is not a text" if key.text else "a key is missing before the `:`"
                self._key_problem(message, key.place, f'write it in quotes: `"{key.text}"`' if key.text else "")
            if isinstance(key, ScalarNode):
                first = entries.setdefault(key.text, (key, value))[0]
                if first is not key:
                    hint = f"it stands in line {first.place.line} already"
                    message = f"the key `{key.text}` stands twice in this mapping"
                    self.problems.append(Problem("yaml-duplicate-key", message, key.place, hint))
        return BrokenNode(closed.place) if broken else MapNode(closed.place, entries)

    def _rejoined(self, pairs: Iterable[tuple[Node, Node]]) -> list[tuple[Node, Node]]:
        """Return `pairs` without the pieces of a number such as `$5,000/mo`, which YAML cuts at the comma in braces."""
        kept: list[tuple[Node, Node]] = []
        cut: dict[int, ScalarNode] = {}
        for key, value in pairs:
            if kept and isinstance(key, ScalarNode) and isinstance(value, ScalarNode) and not value.text:
                before = cut.get(len(kept) - 1, kept[-1][1])
                if isinstance(before, ScalarNode) and self._continues(before, key):
                    cut[len(kept) - 1] = replace(before, text=f"{before.text},{key.text}", end=key.end)
                    continue
            kept.append((key, value))
        for index, whole in cut.items():
            message = f"the comma in `{whole.text}` ends the value inside braces"
            hint = (
                f'write `"{whole.text}"` in quotes' if "$" in whole.text else f"write `{whole.text.replace(',', '')}`"
            )
            self.problems.append(Problem("wrong-value", message, whole.place, hint))
            kept[index] = (kept[index][0], BrokenNode(whole.place))
        return kept

    def _continues(self, value: ScalarNode, key: ScalarNode) -> bool:
        beside = key.start == value.end + 1 and self.source.text[value.end] == ","
        return beside and bool(_CUT.fullmatch(value.text) and _REST.fullmatch(key.text))

    def _key_problem(self, message: str, place: Place, hint: str) -> None:
        self.problems.append(Problem("yaml-key", message, place, hint))


def _still_open(line: str) -> bool:
    """Return whether a bracket in `line` is not closed there."""
    return sum(line.count(bracket) for bracket in "[{") > sum(line.count(bracket) for bracket in "]}")


QUOTE = "a quote is not closed"
BRACKET = "a list or mapping in brackets is not closed"
_OPENED = frozenset({QUOTE, BRACKET})
"""Messages that belong where something was opened, not on a later line, where it was missed."""
_SAID = {
    "mapping values are not allowed": (
        "a second `:` stands where a value was expected",
        "quote a value that contains `: `, and check the indentation",
    ),
    "found character that cannot start any token": (
        "a value cannot begin with this character",
        "write the value in quotes",
    ),
    "could not find expected ':'": ("a key without a `:`", "write `key: value`, and check the indentation"),
    "did not find expected key": ("the indentation does not fit", "align keys of one mapping, and close every quote"),
    "did not find expected '-' indicator": (
        "the indentation does not fit",
        "align the `-` of one list, and the keys of one mapping",
    ),
    "while scanning a quoted scalar": (QUOTE, "close it on the same line"),
    "found unexpected end of stream": (QUOTE, "close it on the same line"),
    "did not find expected node content": (
        "a value cannot begin here",
        "write the value in quotes, and check commas and brackets",
    ),
    "did not find expected ',' or": (BRACKET, "check commas and brackets"),
    "found undefined tag handle": ("the tag is not accepted", "remove it, or write the value in quotes"),
    "found unknown escape character": ("an unknown escape in a text in double quotes", "use single quotes"),
}
