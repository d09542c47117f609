"""The contacts that came before a purchase."""

from __future__ import annotations

from pathlib import Path

import pytest

from analytics.engine import Engine
from analytics.reports.base import Options
from analytics.reports.kinds import KINDS
from analytics.reports.paths import channels, paths
from privacy import errors
from tests.fakes.behaviour import CHANNELS, HOUSE, PUBLIC, world
from tests.fakes.view import MemoryReader, MemoryView
from tests.oracles import behaviour as oracle


def question(*where: str):  # type: ignore[no-untyped-def]
    return KINDS["attribution"].question(Options(202601, 202601, (), where), HOUSE)


def test_paths_agree_with_an_independent_walk_through_the_same_rows(tmp_path: Path) -> None:
    rows = world()
    report = KINDS["attribution"]
    house = report.facts(MemoryReader(None, rows, PUBLIC), HOUSE)  # type: ignore[arg-type]
    with Engine(tmp_path / "lake", tmp_path / "scratch", threads=1).session() as session:
        view = MemoryView(session, rows)
        found = view.run(paths(view, question(), house)).to_pylist()  # type: ignore[arg-type]
    expected = oracle.paths(rows["touches"], rows["order_lines"], CHANNELS)
    assert len(found) == sum(len(path) for path, _ in expected.values())
    for row in found:
        path, converted = expected[row["run_id"]]
        assert (row["channel"], row["length"], row["converted"]) == (path[row["place"] - 1], len(path), converted)
        assert row["following"] == (path[row["place"]] if row["place"] < len(path) else None)


def test_channels_are_those_of_the_campaigns_or_those_that_are_named() -> None:
    house = KINDS["attribution"].facts(MemoryReader(None, {}, PUBLIC), HOUSE)  # type: ignore[arg-type]
    assert channels(question(), house) == CHANNELS
    assert channels(question("channel!=sms"), house) == ("email", "wechat")
    assert channels(question("channel=ads|sms"), house) == ("ads", "sms")
    with pytest.raises(errors.NotConfigured):
        channels(question("channel=" + "|".join("abcdefg")), house)
