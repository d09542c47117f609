"""The page of the access log: what each role sees of it, its proof and its file."""

from __future__ import annotations

from tests.house import House


def test_an_officer_reads_the_entries_with_their_proof_and_busy_hours(house: House) -> None:
    house.source("web")
    page = house.browser("officer").get("/access-log")
    text = page.get_data(as_text=True)
    assert page.status_code == 200
    assert "source.add" in text
    assert "Verify now" in text
    assert "Busy hours of the last 14 days" in text


def test_a_marketer_reads_their_own_acts_and_no_proof(house: House) -> None:
    house.source("web")
    text = house.browser("marketer").get("/access-log").get_data(as_text=True)
    assert "source.add" not in text
    assert "log.read" in text
    assert "Verify now" not in text


def test_the_file_holds_the_rows_that_match_and_nothing_else(house: House) -> None:
    house.source("web")
    lines = house.browser("officer").get("/access-log.csv?action=source.add").get_data(as_text=True).splitlines()
    assert lines[0].lstrip("\ufeff").startswith("seq,at,kind,action")
    assert len(lines) == 2
    assert ",source.add," in lines[1]


def test_verify_now_says_what_came_out_and_a_marketer_may_not(house: House) -> None:
    officer = house.browser("officer")
    assert officer.post("/access-log/verifications").status_code == 303
    assert "are as they were written" in officer.get("/access-log").get_data(as_text=True)
    assert house.browser("marketer").post("/access-log/verifications").status_code == 403


def test_an_address_with_somebodys_number_is_refused(house: House) -> None:
    assert house.browser("officer").get("/access-log?action=13800138000").status_code == 422
