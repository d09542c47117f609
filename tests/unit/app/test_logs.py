"""A log line carries an event and facts of the list, and nothing that anybody sent."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from app import logs
from tests.contracts.tree import ROOT

SAY = "from app import logs; logs.event({!r}, **{!r})"


def line(name: str, **facts: object) -> dict[str, object]:
    """One line of a process of its own: the logger writes to the process's stderr."""
    said = subprocess.run([sys.executable, "-c", SAY.format(name, facts)], capture_output=True, text=True, check=True, cwd=ROOT)
    assert said.stdout == ""
    found: dict[str, object] = json.loads(said.stderr)
    return found


def test_a_fact_that_is_not_on_the_list_is_dropped() -> None:
    told = line("item_refused", source="src_1", code="consent_missing", phone="13800138000", payload={"name": "李华"}, exc_info="x")
    assert told.pop("timestamp")
    assert told == {"event": "item_refused", "source": "src_1", "code": "consent_missing"}


def test_no_field_of_the_list_could_name_a_person() -> None:
    assert not logs.FIELDS & {"email", "phone", "name", "identifier", "value", "body", "message", "payload", "url", "path", "args", "user"}


def test_every_event_of_the_program_uses_only_fields_of_the_list() -> None:
    """Nothing is lost by the filter that somebody counted on."""
    used = set()
    for path in sorted((ROOT / "app").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in ("logs.event", "event"):
                used |= {keyword.arg for keyword in node.keywords}
                assert isinstance(node.args[0], ast.Constant), "an event is a constant"
    assert used <= logs.FIELDS
    assert used


def test_metrics_are_labelled_by_closed_lists_only() -> None:
    labels = {label for metric in logs.REGISTRY.collect() for sample in metric.samples for label in sample.labels}
    declared = {name for one in vars(logs).values() if hasattr(one, "_labelnames") for name in one._labelnames}
    assert labels | declared <= {"source", "verdict", "reason", "route", "status", "kind", "end", "code", "le"}


@pytest.mark.parametrize("name", ["piying_flushed_rows_total", "piying_locked_answers_total", "piying_budget_refusals_total"])
def test_the_counters_are_there_from_the_start(name: str) -> None:
    assert logs.REGISTRY.get_sample_value(name) is not None


def test_processes_that_share_a_folder_count_together(tmp_path: Path) -> None:
    """Two processes that are over, and a third that is asked."""
    count = "from app import logs; logs.FLUSHED.inc({}); logs.ITEMS.labels('src_1', 'stored').inc(2)"
    ask = "from app import logs; found = logs.counters(); print([found.get_sample_value('piying_flushed_rows_total'), "
    ask += "found.get_sample_value('piying_items_total', {'source': 'src_1', 'verdict': 'stored'})])"
    environment = {**os.environ, logs.FOLDER_VARIABLE: str(tmp_path)}
    told = [
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT, env=environment).stdout
        for code in (count.format(3), count.format(4), ask)
    ]
    assert told == ["", "", "[7.0, 4.0]\n"]


def test_a_library_has_its_name_written_down_and_nothing_of_what_it_says() -> None:
    say = "import logging; from app import logs; logs.hush(); logging.getLogger('urllib3.pool').warning('cannot read 13912345678')"
    said = subprocess.run([sys.executable, "-c", say], capture_output=True, text=True, check=True, cwd=ROOT)
    told = json.loads(said.stderr)
    assert {name: told[name] for name in ("event", "kind", "level")} == {
        "event": "library_message",
        "kind": "urllib3.pool",
        "level": "warning",
    }
    assert "139" not in said.stderr.replace(told["timestamp"], "")
