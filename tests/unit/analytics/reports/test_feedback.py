"""Topics of feedback: exact counts against pandas, and no text anywhere."""

from __future__ import annotations

import random
from pathlib import Path

import pandas as pd
import pytest

from analytics.reports.base import Options
from analytics.reports.feedback import topics
from analytics.reports.kinds import KINDS
from privacy import errors
from tests.fakes.behaviour import HOUSE, PUBLIC, Row, ask, reports, told

DRAW = random.Random(6)
ROWS: list[Row] = [
    {
        "run_id": person,
        "topic": DRAW.choice(("taste", "taste", "waiting", "price", "something new", None)),
        "store_id": DRAW.choice(("S1", "S2", "S3", "elsewhere")),
        "channel": DRAW.choice(("web", "app", None)),
        "text": "PLANTED words of a customer",
    }
    for person in range(300)
]  # one note a person: a vector of norm √2, below the bound


def frame() -> pd.DataFrame:
    found = pd.DataFrame(ROWS)
    found["topic"] = found.topic.where(found.topic.isin(topics(HOUSE)), "other")
    return found.assign(region=found.store_id.map({"S1": "east", "S2": "south", "S3": "east"}))


def test_people_and_notes_by_topic_agree_with_an_independent_count(tmp_path: Path) -> None:
    rows = ask(tmp_path, "feedback", {"feedback": ROWS})
    expected = frame().groupby("topic").size().to_dict()
    for measure in ("people", "notes"):
        found = told(rows, measure, "topic")
        assert set(found) == set(topics(HOUSE))
        assert {topic: number for topic, number in found.items() if number} == expected
    shares = told(rows, "share", "topic")
    assert shares == pytest.approx({topic: expected.get(topic, 0) / len(ROWS) for topic in topics(HOUSE)}, abs=1e-6)


def test_topics_by_region_of_the_store_and_by_named_channels(tmp_path: Path) -> None:
    asked = reports(tmp_path, {"feedback": ROWS})
    rows = asked.ask("feedback", Options(202601, 202601, ("region",)), "usr_1")["rows"]
    counts = frame().dropna(subset="region").groupby(["region", "topic"]).size().to_dict()
    assert {key: number for key, number in told(rows, "notes", "region", "topic").items() if number} == counts
    by_channel = asked.ask("feedback", Options(202601, 202601, ("channel",), ("channel=app|web", "topic!=price")), "usr_1")["rows"]
    named = told(by_channel, "notes", "channel", "topic")
    assert {channel for channel, _ in named} == {"app", "web"}
    assert "price" not in {topic for _, topic in named}
    assert named["web", "taste"] == len(frame().query("channel == 'web' and topic == 'taste'"))
    with pytest.raises(errors.NotConfigured) as unknown:
        asked.ask("feedback", Options(202601, 202601, ("channel",)), "usr_1")
    assert unknown.value.code == "no_public_cells"


def test_somebody_who_writes_all_day_weighs_as_one(tmp_path: Path) -> None:
    rows = ask(tmp_path, "feedback", {"feedback": [ROWS[0] | {"topic": "taste"}] * 500})
    assert told(rows, "notes", "topic")["taste"] <= 2


def test_no_text_is_read_and_no_word_of_a_sender_becomes_a_cell(tmp_path: Path) -> None:
    document = reports(tmp_path, {"feedback": ROWS}).ask("feedback", Options(202601, 202601), "usr_1")
    assert "PLANTED" not in str(document)
    assert "something new" not in str(document)


def test_a_form_offers_the_closed_list_of_topics() -> None:
    assert KINDS["feedback"].values(None, "topic", HOUSE) == topics(HOUSE)  # type: ignore[arg-type]
    assert topics(HOUSE)[-1] == "other"
    assert "stores" in PUBLIC
