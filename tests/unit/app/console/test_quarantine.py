"""The page of the quarantine: places and rules, never a value; replays by whoever may."""

from __future__ import annotations

from tests.house import House

BROKEN = {"type": "track", "messageId": "m-1", "event": "secret words of somebody"}


def _held(house: House) -> str:
    source, key = house.source("web")
    assert house.batch([BROKEN], key)["quarantined"] == 1
    return source


def test_held_items_are_listed_by_place_and_rule_and_never_by_value(house: House) -> None:
    _held(house)
    text = house.browser("officer").get("/quarantine").get_data(as_text=True)
    assert "qit_" in text
    assert "secret words" not in text
    assert "/quarantine/replays" not in text  # an officer reads


def test_a_replay_tells_how_many_items_it_took(house: House) -> None:
    source = _held(house)
    integrator = house.browser("integrator")
    assert integrator.post("/quarantine/replays", {"source": source}).status_code == 303
    assert "1 item replayed, 0 stored." in integrator.get("/quarantine").get_data(as_text=True)


def test_an_unknown_source_and_an_unknown_filter_are_refused(house: House) -> None:
    assert house.browser("integrator").post("/quarantine/replays", {"source": "src_x"}).status_code == 422
    assert house.browser("officer").get("/quarantine?rule=nothing").status_code == 422


def test_the_file_holds_the_items_that_match(house: House) -> None:
    _held(house)
    lines = house.browser("officer").get("/quarantine.csv").get_data(as_text=True).splitlines()
    assert lines[0].endswith("id,source,source_name,position,path,rule,created_at,expires_at")
    assert len(lines) == 2
