"""The decision of every policy about one resource, with what each read and where that comes from."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, TextIO

from bursar.render.console import console_on
from bursar.render.idleness import lines_of
from bursar.render.money import NOT_KNOWN, amount
from bursar.render.text import clipped, visible, with_parameters
from engine.compiled import Clause, Explanation
from engine.explaining import Answers, Explained
from engine.findings import Confidence, Cost, Evidence, Outcome, Verdict
from engine.policy.model import Policy
from engine.values import Answer, Truth, Unknown
from engine.wording import value_words

if TYPE_CHECKING:
    from rich.console import Console

COLORS = {
    Outcome.VIOLATION: "bold red",
    Outcome.COMPLIANT: "green",
    Outcome.UNKNOWN: "yellow",
    Outcome.EXEMPT: "cyan",
    Outcome.ERROR: "bold red",
}
NOT_ITS_BUSINESS = "does not apply"
ORDER = (Outcome.VIOLATION, Outcome.ERROR, Outcome.UNKNOWN, Outcome.EXEMPT, Outcome.COMPLIANT)
LONGEST = 160


def render_answers(answers: Answers, out: TextIO, *, width: int | None, color: bool) -> None:
    """Write every resource with its decisions, then the groups."""
    console = console_on(out, width=width, color=color)
    for number, explained in enumerate(answers.resources):
        if number:
            _line(console)
        _resource(console, explained)
    for policy, verdict in answers.groups:
        _line(console)
        _line(console, f"group {visible(verdict.subject.name)}", "bold")
        _verdict(console, policy, verdict)
        _facts(console, "check", verdict.evidence)
        _unknowns(console, verdict.unknowns)


def _line(console: Console, text: str = "", style: str = "") -> None:
    from rich.text import Text

    console.print(Text(text, style=style), soft_wrap=True)


def _resource(console: Console, explained: Explained) -> None:
    resource = explained.resource
    _line(console, visible(resource.name or resource.id), "bold")
    identity = (resource.kind, resource.id, resource.account, resource.region)
    _line(console, "  ".join(visible(part) for part in identity if part), "dim")
    if resource.tags:
        tags = "  ".join(f"{visible(k)}={visible(v)}" for k, v in sorted(resource.tags.items()))
        _line(console, f"tags  {clipped(tags, 400)}", "dim")
    _line(console, f"cost  {cost_text(explained.cost)}")
    decided = sorted(explained.explanations, key=lambda e: (e.in_scope is False, ORDER.index(e.verdict.outcome)))
    silent = [e.policy.name for e in decided if e.in_scope is False]
    for explanation in decided:
        if explanation.in_scope is not False:
            _line(console)
            _explanation(console, explanation)
    if silent:
        _line(console)
        _line(console, f"{NOT_ITS_BUSINESS}: {', '.join(silent)}", "dim")


def cost_text(cost: Cost | Unknown) -> str:
    """Return the cost of a month and an hour with where the price is from."""
    if isinstance(cost, Unknown):
        return f"{NOT_KNOWN}  {visible(cost.detail or cost.reason.value)}"
    if not cost.hourly:
        return f"nothing  {visible(cost.basis)}"
    return f"{amount(cost.monthly, exact=cost.exact)} a month, ${cost.hourly:,.4f} an hour  {visible(cost.basis)}"


def _explanation(console: Console, explanation: Explanation) -> None:
    policy, verdict = explanation.policy, explanation.verdict
    _verdict(console, policy, verdict)
    if explanation.where is not None:
        _clause(console, "where", explanation.where)
    _facts(console, "check", explanation.judgement.evidence)
    _beside(console, verdict)
    for clause in explanation.unless:
        _clause(console, "unless", clause)
    _unknowns(console, verdict.unknowns)


def _verdict(console: Console, policy: Policy, verdict: Verdict) -> None:
    from rich.text import Text

    notes = [verdict.classification.replace("_", " ")] if verdict.classification else []
    if verdict.outcome is Outcome.VIOLATION:
        if verdict.confidence is not Confidence.HIGH:
            notes.append(f"{verdict.confidence.value} confidence")
        if policy.remediate:
            named = ", ".join(with_parameters(name, policy.parameters.get(name, {})) for name in policy.remediate)
            notes.append(f"remediation {named}" if verdict.actionable else "never acted on")
    console.print(
        Text.assemble(
            (f"{verdict.outcome.value:<10}", COLORS[verdict.outcome]),
            (visible(policy.name), "bold"),
            f"  {visible(verdict.summary)}",
            (f"  [{'; '.join(notes)}]" if notes else "", "dim"),
            (f"  {visible(str(policy.place))}", "dim"),
        ),
        soft_wrap=True,
    )


def _clause(console: Console, name: str, clause: Clause) -> None:
    _line(console, f"  {name:<8}{visible(clause.text)}  → {truth_text(clause.answer)}")
    for reading in clause.readings:
        _line(console, f"            {visible(reading.path)} = {value_text(reading.value)}", "dim")


def truth_text(answer: Truth) -> str:
    return f"unknown ({visible(str(answer))})" if isinstance(answer, Unknown) else "yes" if answer else "no"


def _facts(console: Console, name: str, evidence: Iterable[Evidence]) -> None:
    for number, fact in enumerate(evidence):
        wanted = f", {visible(fact.expected)}" if fact.expected else ""
        source = f"  ({visible(fact.source)})" if fact.source else ""
        label = name if not number else ""
        _line(console, f"  {label:<8}{visible(fact.path)} = {value_text(fact.value, fact.unit)}{wanted}{source}")


def _beside(console: Console, verdict: Verdict) -> None:
    """Write what an idle verdict says beside its evidence, each name once."""
    last = ""
    for name, text in lines_of(verdict.idleness, verdict.basis):
        _line(console, f"  {name if name != last else '':<8}{visible(text)}", "dim")
        last = name


def _unknowns(console: Console, unknowns: Iterable[Unknown]) -> None:
    for unknown in unknowns:
        _line(console, f"  unknown {visible(str(unknown))}", "yellow")


def value_text(value: Answer, unit: str = "") -> str:
    """Return a value as a person reads it, harmless for a terminal and of bounded length."""
    return value_words(value, unit, lambda text: clipped(visible(text), LONGEST))
