"""Every stable error code with the sentence that documents it. The reference page is generated from here."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

CODES: Mapping[str, str] = MappingProxyType(
    {
        # text and YAML
        "file-unreadable": "The file or folder cannot be read, or is not UTF-8 text.",
        "file-too-large": "The file is larger than a policy file may be (256 KiB).",
        "yaml-syntax": "The text is not YAML.",
        "yaml-depth": "Mappings and lists are nested deeper than 32 levels.",
        "yaml-nodes": "The file has more values than a policy file may have.",
        "yaml-alias": "Anchors, aliases and merge keys are not accepted: write the value out.",
        "yaml-tag": "YAML tags such as `!!python/object` are not accepted.",
        "yaml-duplicate-key": "The same key stands twice in one mapping.",
        "yaml-key": "A key is not a plain string.",
        "yaml-documents": "A file holds exactly one YAML document.",
        # policies
        "nothing-loaded": "No policy was found where one was expected.",
        "unknown-key": "The key is not part of the policy language.",
        "missing-key": "A required key is absent.",
        "wrong-value": "The value has the wrong shape, unit or range.",
        "unsupported-version": "The file's `version` is not one this release understands.",
        "duplicate-policy": "Two policies have the same name.",
        "check-count": "A policy has exactly one check.",
        "unknown-kind": "The resource kind or class is not known.",
        "unknown-metric": "The metric is not one the kind declares.",
        "unknown-remediation": "The remediation does not exist or cannot be applied to the kind.",
        "unsupported-check": "The check cannot judge this kind: the kind declares no field for it.",
        # expressions
        "expression-syntax": "The expression cannot be parsed.",
        "expression-too-complex": "The expression is longer, deeper or costlier than the limits.",
        "unknown-field": "The field is not one the kind declares.",
        "unknown-name": "The name is not part of the expression language.",
        "unknown-function": "The function is not part of the expression language.",
        "type-mismatch": "The operands of an operator or function have types that cannot go together.",
        "not-a-condition": "The expression must be true or false, and is something else.",
        "bad-regex": "The pattern is not a valid RE2 regular expression.",
        "risky-default": "A `default()` could make a condition for acting true although nothing is known.",
        # configuration, prices, snapshots, usage
        "bad-config": "The configuration file cannot be used.",
        "bad-prices": "The price file cannot be used.",
        "bad-snapshot": "The file is not an estate snapshot, or is damaged or of another version.",
        "bad-recording": "A file of recorded telemetry cannot be read, or lacks what is needed.",
        "no-credentials": "No cloud credentials were found, or they were refused.",
        "no-secret": "A secret is not where the configuration says, or may not be read.",
        "not-found": "Nothing has the given name or id.",
        "exists": "The file exists already and is not overwritten.",
        "no-driver": "There is no NVIDIA driver that could be asked, or it does not answer.",
        "missing-extra": "An optional part of Bursar is not installed.",
        "demo-failed": "The emulated AWS account of the demo could not be started or used.",
        # state
        "state-unavailable": "The state or its anchor cannot be reached, read or written.",
        "state-version": "The state was written by another release, with a schema that this one does not know.",
        "state-damaged": "The state or its anchor is damaged, or is not one of Bursar's.",
        "state-conflict": "Somebody else changed the same record first; nothing was written.",
        "state-lease": "The lease was lost to another run; nothing was written.",
        "state-record": "A record or commit cannot be kept as it is: its key, its size or how many there are.",
        "bad-ledger": "The file is not an exported ledger, or of another version.",
        "state-replaced": "The state is not the one that was anchored, or an older one.",
        # acting
        "act-failed": "A call that changes something failed.",
        "act-denied": "A call of an action is not allowed to the role that acts.",
        "act-stale": "The resource changed between the check and the act; nothing was done.",
        "act-unfinished": "The act has begun, and a later run goes on with it.",
        "account-not-listed": "The account is not one that may be acted on.",
        "irreversible": "The act cannot be undone.",
        # telling
        "slack-unavailable": "Slack could not be reached, or asks for patience; what was not sent is sent later.",
        "slack-refused": "Slack refused a call; its own word for the reason is in the message.",
        # running and applying
        "bad-plan": "The file is not a plan that `bursar plan -o` wrote, or was changed since.",
        "plan-too-large": "The plan is larger than what a Lambda function may return.",
        "plan-stale": "The plan was made from other policies than those that are loaded.",
        "run-held": "Another run is at work.",
        "not-invoked": "A Lambda function could not be called.",
        "run-stopped": "The run was asked to end before it had read the estate; nothing was concluded.",
        "resource-unreadable": "A single resource could not be read again.",
        "usage": "The command line cannot be understood.",
    }
)
