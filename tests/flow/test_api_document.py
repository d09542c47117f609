"""The document of the management API is true: every route answers as it says, to every role, whatever is sent."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import urllib.request
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from app import described, shapes
from app.answers import files, people, sources, work
from app.api import imports
from tests.house import ROOT, House, served, track

ROLES = ("integrator", "marketer", "officer", "administrator")
LONG = "LONG_TESTS" in os.environ
CASES = 40 if LONG else 2
"""Invented requests for each operation and kind of test."""
SETTINGS = """[checks.positive_data_acceptance]
expected-statuses = ["2xx", 400, 401, 403, 404, 409, 412, 422, 428, 429]
"""
"""What follows a shape may still break a rule that no shape can say: a name that is not registered, a month that is not closed."""


@pytest.fixture
def document(sqlite_only: House) -> dict[str, Any]:
    found: dict[str, Any] = sqlite_only.client.get("/api/openapi.json").get_json()
    return found


def resolved(document: dict[str, Any], entry: dict[str, Any]) -> dict[str, Any]:
    """The entry, or what it refers to."""
    found: Any = document
    if "$ref" not in entry:
        return entry
    for step in entry["$ref"].removeprefix("#/").split("/"):
        found = found[step]
    return dict(found)


def test_every_operation_says_what_it_answers_who_may_and_how_it_refuses(document: dict[str, Any]) -> None:
    names = []
    for path, method, operation in described.operations(document):
        where = f"{method} {path}"
        names.append(operation["operationId"])
        good = [answer for status, answer in operation["responses"].items() if status.startswith("2")]
        assert len(good) == 1, where
        (content,) = good[0]["content"].values()
        assert content["schema"], where
        for status, answer in operation["responses"].items():
            if not status.startswith("2"):
                assert "application/problem+json" in resolved(document, answer)["content"], (where, status)
        assert operation["tags"], where
        assert operation["summary"], where
        if operation["security"]:
            assert re.search(r"Needs the permission `[a-z]+\.[a-z]+`\.", operation["description"]), where
            assert {"401", "403", "503"} <= operation["responses"].keys(), where
    assert len(names) == len(set(names))


def test_every_list_is_a_page_of_items_with_the_cursor_of_the_next(document: dict[str, Any]) -> None:
    pages = [shape for name, shape in document["components"]["schemas"].items() if name.endswith("Page")]
    assert len(pages) > 8
    assert all(set(shape["properties"]) == {"items", "next"} == set(shape["required"]) for shape in pages)


def test_every_example_is_accepted_by_its_own_shape_and_names_nobody() -> None:
    for name, example in described.EXAMPLES.items():
        getattr(shapes, name)().load(example)
        text = str(example)
        assert not re.search(r"1\d{10}|@", text), name


def test_what_a_shape_does_not_declare_does_not_leave() -> None:
    for module in (files, people, sources, work):
        for name, shape in vars(module).items():
            if name.endswith("Out"):
                known = {entry.attribute or key: None for key, entry in shape().fields.items()}
                assert "undeclared" not in shape().dump({**known, "undeclared": "13912345678"}), name


def test_packs_packages_lists_and_the_errors_of_a_file_are_the_only_answers_that_are_no_json(document: dict[str, Any]) -> None:
    others = {
        path
        for path, _, operation in described.operations(document)
        for status, answer in operation["responses"].items()
        if status.startswith("2") and "application/json" not in answer["content"]
    }
    assert others == {
        "/api/imports/{import_id}/errors",
        "/api/audit-packs/{pack_id}",
        "/api/minors/years/{year}",
        "/api/audit/packs/{pack_id}/content",
        "/api/requests/{number}/packages",
        "/api/exports/{export_id}/files",
        "/api/deliveries/{delivery_id}/files",
    }
    assert imports.blueprint.url_prefix == "/api/imports"


@pytest.mark.slow
@pytest.mark.parametrize("role", ROLES)
def test_schemathesis_finds_no_answer_that_the_document_does_not_say(sqlite_only: House, role: str, tmp_path: Path) -> None:
    """Requests made from the document, good and bad ones, to a real server by a real token of the role; the seed is fixed."""
    house = sqlite_only
    _, key = house.source()
    house.source("files", "file")
    house.batch([track(1), {"type": "nonsense"}], key)
    house.clock.now = datetime.now(UTC)  # a process has the real clock, and a token ends
    token = house.token(role)
    house.close()
    (tmp_path / "schemathesis.toml").write_text(SETTINGS)
    with served(house.home) as (address, _):
        request = urllib.request.Request(f"{address}/api/jobs", headers={"Authorization": f"Bearer {token}"})
        assert urllib.request.urlopen(request, timeout=60).status == 200, "whoever is not let in finds no fault"
        phases = "examples,coverage,fuzzing,stateful" if LONG else "examples,fuzzing"
        told = subprocess.run(
            [
                *(sys.executable, "-m", "schemathesis.cli", "--config-file", str(tmp_path / "schemathesis.toml")),
                *("run", f"{address}/api/openapi.json", "--header", f"Authorization: Bearer {token}"),
                *("--phases", phases, "--max-examples", str(CASES), "--seed", "20261122", "--generation-deterministic", "--no-color"),
                *("--workers", "1", "--request-timeout", "60", "--suppress-health-check", "all"),
            ],
            capture_output=True,
            text=True,
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT), "NO_COLOR": "1"},
        )
    assert told.returncode == 0, told.stdout[-20_000:] + told.stderr[-2_000:]
    assert "passed" in told.stdout
    assert token not in (house.home / "server.err").read_text()
