"""An action that refuses whatever is in an account that nobody listed to be acted on."""

from __future__ import annotations

from dataclasses import dataclass

from actions.aws.calls import Sessions
from engine.acting.action import ActError, Action, Effect, Ready, Refused, Target

NOT_LISTED = "account-not-listed"


@dataclass(frozen=True, slots=True)
class Listed:
    """`action`, once its account is known to be one that may be acted on."""

    action: Action
    sessions: Sessions

    @property
    def remediation(self) -> str:
        return self.action.remediation

    @property
    def kinds(self) -> frozenset[str]:
        return self.action.kinds

    @property
    def permissions(self) -> frozenset[str]:
        return self.action.permissions

    def check(self, target: Target) -> Ready | Refused:
        """Return what the action says of it, where its account is listed."""
        try:
            self.sessions(target.resource.account)
        except ActError as error:
            if error.problems[0].code == NOT_LISTED:
                return Refused(error.problems[0].message)
            raise
        return self.action.check(target)

    def do(self, target: Target) -> None:
        """Do it; the session raises where the account is not listed any more."""
        self.action.do(target)

    def verify(self, target: Target) -> Effect:
        """Return what is to be seen of it."""
        return self.action.verify(target)

    def undo(self, target: Target) -> None:
        """Undo it."""
        self.action.undo(target)

    def undone(self, target: Target) -> Effect:
        """Return what is to be seen of the undoing."""
        return self.action.undone(target)
