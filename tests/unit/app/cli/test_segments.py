"""`piying audience`: what a rule means, at a terminal."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from app import segments as registry
from app.cli import segments
from app.cli.segments import audience_command
from privacy.errors import Invalid, NotFound
from tests.flow.segmented import SHOP, Scene, member
from tests.house import House


def test_say_tells_a_rule_in_both_languages_and_needs_no_home(tmp_path: Path) -> None:
    rule = tmp_path / "rule.json"
    rule.write_text(json.dumps({"stage": ["lost"]}), encoding="utf-8")
    plain = CliRunner().invoke(audience_command, ["say", str(rule)])
    assert plain.exit_code == 0, plain.output
    assert "stage lost now" in plain.output
    assert "当前阶段为 流失" in plain.output
    told = json.loads(CliRunner().invoke(audience_command, ["say", str(rule), "--json"]).output)
    assert told["rule"] == {"stage": ["lost"]}


@pytest.mark.parametrize(("content", "error"), [(None, NotFound), ("{", Invalid), ("[" * 100_000, Invalid), ('{"sql": 1}', Invalid)])
def test_a_file_that_holds_no_rule_is_refused(tmp_path: Path, content: str | None, error: type[Exception]) -> None:
    rule = tmp_path / "rule.json"
    if content is not None:
        rule.write_text(content, encoding="utf-8")
    assert isinstance(CliRunner().invoke(audience_command, ["say", str(rule)]).exception, error)


def test_a_size_is_priced_bought_and_repeated_and_audiences_are_kept_and_ended(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(segments, "opened", lambda: house.services)
    rule = tmp_path / "rule.json"
    rule.write_text(json.dumps({"stage": ["prospect"]}), encoding="utf-8")

    def told(*words: str) -> Any:
        answer = CliRunner().invoke(audience_command, [*words, "--json"])
        assert answer.exit_code == 0, answer.exception
        return json.loads(answer.output)

    segment = told("add", "Newcomers", str(rule))["id"]
    assert told("size", segment)["answer"] is None
    assert "not bought yet: 200000 nano-rho" in CliRunner().invoke(audience_command, ["size", segment]).output
    bought = told("size", segment, "--buy")["answer"]
    assert told("size", segment, "--buy")["answer"] == bought
    assert "reachable" in CliRunner().invoke(audience_command, ["size", segment]).output
    kept = told("keep", segment, "--static", "--days", "3")
    assert (kept["kind"], kept["fresh"], kept["name"]) == ("static", "waiting", "Newcomers")
    assert [one["id"] for one in told("kept")["items"]] == [kept["id"]]
    assert told("refresh", kept["id"])["job"].startswith("job_")
    assert told("end", kept["id"])["state"] == "ended"


def test_explain_shows_the_parts_with_what_was_seen_for_a_case_alone(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segments, "opened", lambda: house.services)
    scene = Scene(house)
    segment = scene.segment()["id"]
    services = house.services
    case = services.cases.open("customer_no", member(1), purpose="rights_request", reason="asked", actor="cli", namespace=SHOP)["case"]
    plain = CliRunner().invoke(audience_command, ["explain", case, "--segment", segment])
    assert plain.exit_code == 0, plain.exception
    assert f"in: {segment}, version 1, as of " in plain.output
    told = json.loads(CliRunner().invoke(audience_command, ["explain", case, "--segment", segment, "--json"]).output)
    assert [(step["place"], step["holds"], step["words"]["en"]) for step in told["why"]["steps"]] == [("1", True, "number of events: 2")]
    assert member(1) not in plain.output
    assert isinstance(CliRunner().invoke(audience_command, ["explain", "case_none", "--segment", segment]).exception, NotFound)


def test_a_chain_of_segments_that_doubles_each_time_is_refused(house: House) -> None:
    services = house.services
    body = {"name": "Chain", "purpose": "marketing.profiling", "use": "marketing", "rule": {"stage": ["lost"]}}
    made = registry.add(services, body, actor="ada")
    with pytest.raises(Invalid) as raised:
        for _ in range(10):
            before = {"segment": made["id"], "version": 1}
            twice = {"any": [{"all": [before, {"stage": ["new"]}]}, {"all": [before, {"stage": ["lost"]}]}]}
            made = registry.add(services, body | {"rule": twice}, actor="ada")
    assert raised.value.code == "segment_too_large"
