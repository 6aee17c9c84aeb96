"""
Who may do what on the page. What makes Bursar do less, more people may do than what makes it do more.

Only a person whom the proxy vouches for may do anything; groups are looked up at the moment of the click.
"""

from __future__ import annotations

from collections.abc import Iterable

from bursar.server.desk import Asked
from bursar.server.view import View
from engine.state.records import ApprovalRecord


def may_decide(asked: Asked, approval: ApprovalRecord) -> bool:
    """Return whether the visitor is one of those who decide about `approval`, now."""
    return _is_one_of(asked, approval.approvers)


def may_operate(asked: Asked) -> bool:
    """Return whether the visitor may unfreeze, exempt, and let a breaker pass: take away what holds acting back."""
    return _is_one_of(asked, asked.desk.settings.operators)


def may_freeze(asked: Asked) -> bool:
    """Return whether the visitor may stop all acting: whoever may approve anything, and operators."""
    settings, view = asked.desk.settings, asked.desk.keeper.view
    return _is_one_of(asked, (*settings.operators, *settings.approvers, *(named(view) if view is not None else ())))


def may_snooze(asked: Asked, approval: ApprovalRecord | None) -> bool:
    """Return whether the visitor may let a finding rest: an approver of the installation, or of its question."""
    settings = asked.desk.settings
    return _is_one_of(asked, (*settings.operators, *settings.approvers, *(approval.approvers if approval else ())))


def may_undo(asked: Asked, approval: ApprovalRecord | None) -> bool:
    """Return whether the visitor may undo an act: an operator, or an approver whom the act's question named."""
    return _is_one_of(asked, (*asked.desk.settings.operators, *(approval.approvers if approval else ())))


def named(view: View) -> frozenset[str]:
    """Return everybody whom an approval of the state names as approver."""
    if "approvers" not in view.memo:
        view.memo["approvers"] = frozenset(name for one in view.approvals for name in one.approvers)
    found: frozenset[str] = view.memo["approvers"]
    return found


def _is_one_of(asked: Asked, names: Iterable[str]) -> bool:
    visitor = asked.visitor
    return visitor.person and asked.desk.people.entitled(names, visitor.principal, visitor.memberships)
