"""Commands as a user types them, without starting a process for each."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

from click.testing import CliRunner

from app.cli import piying

PHONE = "13800138000"
WHY = ("--purpose", "rights_request", "--reason", "asks for a copy of what we hold")


@dataclass(frozen=True, slots=True)
class Told:
    """How a command ended and what it printed."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one object on stdout; whatever else stands there fails the test."""
        return json.loads(self.out)

    @property
    def error(self) -> Any:
        """The error on stderr."""
        return json.loads(self.err)


def run(home: Path | None, *words: str, typed: str = "", environment: Mapping[str, str] | None = None) -> Told:
    """Runs `piying WORDS` in a home, with `typed` on its stdin."""
    variables = {**({} if home is None else {"PIYING_HOME": str(home)}), **(environment or {})}
    with mock.patch.dict(os.environ):  # `serve` writes into it for its children
        result = CliRunner().invoke(piying, list(words), input=typed, env=variables, prog_name="piying")
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return Told(result.exit_code, result.stdout, result.stderr)


def told(home: Path, *words: str, typed: str = "") -> Any:
    """The JSON of a command that ends well."""
    answer = run(home, *words, "--json", typed=typed)
    assert answer.code == 0, answer.err
    return answer.json
