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


def test_an_entry_has_a_page_with_what_it_changed_and_its_place_in_the_tree(house: House) -> None:
    source, _ = house.source("web")
    officer = house.browser("officer")
    integrator = house.browser("integrator")
    for rate in ("7", "9"):
        assert integrator.post(f"/sources/{source}/settings", {"rate": rate, "requests_per_second": rate}).status_code < 500
    rows = house.services.oversight.survey(
        house.services.log_filter(action="source.change"), actor="test", before=None, limit=10, since=house.clock()
    )[0].items
    house.services.sign_checkpoint()
    seq = rows[0].seq if rows else 1
    text = officer.get(f"/access-log/{seq}").get_data(as_text=True)
    assert "it stands at this place" in text
    assert "What it changed" in text
    assert "log.entry" in officer.get("/access-log").get_data(as_text=True)
    assert officer.get("/access-log/999999").status_code == 404
    assert officer.get("/access-log/x").status_code == 422
    assert integrator.get(f"/access-log/{seq}").status_code == 403


def test_filters_by_group_outcome_and_what_is_unusual(house: House) -> None:
    house.source("web")
    officer = house.browser("officer")
    assert "source.add" in officer.get("/access-log?group=source").get_data(as_text=True)
    assert "No entry" not in officer.get("/access-log?result=ok").get_data(as_text=True)
    assert "Outside office hours" not in officer.get("/access-log").get_data(as_text=True), "half past twelve on a Monday"
    house.clock.forward(hours=10)
    officer = house.browser("officer")
    assert "Outside office hours" in officer.get("/access-log").get_data(as_text=True)
    lines = officer.get("/access-log.csv?unusual=1").get_data(as_text=True).splitlines()
    assert len(lines) >= 2
    assert not [line for line in lines if ",source.add," in line]


def test_a_person_is_asked_for_by_a_case_of_ones_own(house: House) -> None:
    _, key = house.source("web")
    house.grant(key, [("phone", "13800138000")])
    officer = house.browser("officer")
    form = {"type": "phone", "value": "13800138000", "purpose": "complaint", "reason": "asks what is held"}
    case = officer.post("/people", form).headers["Location"].rpartition("/")[2]
    lines = officer.get(f"/access-log.csv?case={case}").get_data(as_text=True).splitlines()
    acts = [line for line in lines if ",person.show," in line or ",case.open," in line]
    assert len(acts) == 2
    assert not [line for line in lines if ",source.add," in line]
    assert house.browser("officer").get(f"/access-log?case={case}").status_code == 404
