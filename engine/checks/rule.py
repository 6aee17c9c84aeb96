"""`rule`: any condition of the expression language."""

from __future__ import annotations

from engine.checks.context import Context, Judgement, ResourceCheck
from engine.checks.readings import evidence_of, unknowns_of
from engine.expr.compiling import code_of, compile_node
from engine.expr.env import Env
from engine.expr.interpret import Reading, interpret
from engine.findings import Evidence
from engine.model import Resource
from engine.policy.checks import Rule
from engine.policy.model import Expression
from engine.values import Answer, Reason, Truth, Unknown


def truth(answer: Answer, path: str = "") -> Truth:
    """Return `answer` as a truth value; anything that is neither true nor false is not known."""
    if isinstance(answer, bool | Unknown):
        return answer
    return Unknown(Reason.WRONG_TYPE, repr(answer), path)


def compile_rule(check: Rule, when: Expression, context: Context) -> ResourceCheck:
    """Return the check for one policy; `when` is the parsed condition of `check`."""
    env: Env = context.env()
    decide = compile_node(when.node, env)

    def judge(resource: Resource) -> Judgement:
        trace: list[Reading] = []
        answer = truth(interpret(when.node, resource, env, trace=trace))
        if answer is True:
            summary = check.message or f"{when.text} holds"
        elif answer is False:
            summary = f"{when.text} does not hold"
        else:
            summary = f"it is not known whether {when.text} holds"
        evidence = evidence_of(trace)
        if answer is True and not evidence:
            # Conditions over the tags as a whole, and constants, read nothing by name.
            evidence = (Evidence("tags", dict(resource.tags)),)
        return Judgement(answer, summary, evidence, unknowns_of(trace, answer))

    return ResourceCheck(decide, judge, code_of(when.node, env))  # type: ignore[arg-type]  # the checker made it a condition
