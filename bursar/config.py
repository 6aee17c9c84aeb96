"""
`bursar.yaml` to a `Config`: which policies, how far they may go, what is protected, where to look.

Every command that needs one reads it here; without a file the defaults hold, and they report only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from engine.errors import ConfigError, Place, Problem
from engine.expr.check import resolve
from engine.expr.parse import parse
from engine.expr.problems import ExpressionProblem
from engine.kinds import Catalog
from engine.policy.model import Expression, Mode, Severity
from engine.policy.scalars import Condition, Text, Word
from engine.policy.translate import plain, problems_of
from engine.yaml_text import MapNode, Node, ScalarNode, parse_yaml
from integrations.aws.session import AwsSettings

NAME = "bursar.yaml"
STRICT = ConfigDict(frozen=True, extra="forbid")
