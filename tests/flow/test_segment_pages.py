"""The pages of segments and audiences: the builder without a script, the size with its price, the officer's look at one person."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.fakes.paperwork import ASSESSMENT
from tests.flow.segmented import Scene, member
from tests.house import Browser, House, bearer


@pytest.fixture
def scene(sqlite_only: House) -> Scene:
    return Scene(sqlite_only)


def text(answer: Any) -> str:
    return str(answer.get_data(as_text=True))


def build(browser: Browser, *steps: dict[str, str], path: str = "/segments/new") -> Any:
    """Sends the builder's form, filled in a little more with every step, as a browser without a script does."""
    sent: dict[str, Any] = {"every": "all", "g0-every": "all", "name": "Regulars", "use": "marketing"}
    answer = None
    for step in steps:
        sent |= step
        answer = browser.post(path, sent)
    return answer


def test_a_segment_is_built_row_by_row_without_a_script(scene: Scene) -> None:
    browser = scene.house.browser("marketer")
    assert "Begin with an example" in text(browser.get("/segments"))
    added = build(browser, {"do": "add:0", "g0-add": "count:orders"})
    assert added.status_code == 200
    assert 'name="g0-0-what" value="count:orders"' in text(added)
    row = {"g0-0-what": "count:orders", "g0-0-span": "days", "g0-0-days": "90", "g0-0-least": "3"}
    said = text(build(browser, {"do": "say", **row}))
    assert "People with a number of orders of at least 3 within the last 90 days." in said
    saved = build(browser, {"do": "save", **row})
    assert saved.status_code == 303
    shown = text(browser.get(saved.headers["Location"]))
    assert "of at least 3 within the last 90 days" in shown
    assert "Nobody bought this number yet" in shown
    change = saved.headers["Location"] + "/change"
    page = text(browser.get(change))
    assert 'value="3"' in page
    again = build(browser, {"do": "save", "version": "1", **row, "g0-0-least": "5"}, path=change)
    assert again.status_code == 303
    assert text(browser.get(again.headers["Location"])).count("Version ") >= 2
    assert "Regulars" in text(browser.get("/segments"))
    assert text(browser.get("/segments.csv")).count("\r\n") == 2


def test_rows_and_json_are_two_views_of_one_rule(scene: Scene) -> None:
    browser = scene.house.browser("marketer")
    row = {"g0-0-what": "stage", "g0-0-values": "lost"}
    as_json = text(build(browser, {"do": "json", **row}))
    assert "&#34;stage&#34;" in as_json
    back = text(browser.post("/segments/new", {"name": "x", "use": "marketing", "json": '{"stage": ["lost"]}', "do": "rows"}))
    assert 'name="g0-0-what" value="stage"' in back
    deep = '{"all": [{"stage": ["lost"]}, {"any": [{"stage": ["new"]}, {"all": [{"stage": ["active"]}, {"rfm": ["champions"]}]}]}]}'
    refused = browser.post("/segments/new", {"name": "x", "use": "marketing", "json": deep, "do": "rows"})
    assert refused.status_code == 422
    broken = browser.post("/segments/new", {"name": "x", "use": "marketing", "json": "{", "do": "save"})
    assert (broken.status_code, "The text is no JSON." in text(broken)) == (400, True)


def test_the_sentence_follows_the_form_and_says_what_is_missing(scene: Scene) -> None:
    browser = scene.house.browser("marketer")
    sent = {"every": "all", "g0-every": "all", "g0-0-what": "stage", "g0-0-values": "lost"}
    assert "People with stage lost now." in text(browser.post("/segments/sentence", sent))
    assert "A row is not filled in yet." in text(browser.post("/segments/sentence", sent | {"g0-0-what": "joined"}))
    assert "Add a row" in text(browser.post("/segments/sentence", {"every": "all", "g0-every": "all"}))


def test_attack_53_a_use_for_prices_is_refused_on_the_page(scene: Scene) -> None:
    browser = scene.house.browser("marketer")
    row = {"g0-0-what": "stage", "g0-0-values": "lost", "use": "pricing"}
    answer = build(browser, {"do": "save", **row})
    assert answer.status_code == 403
    assert "an assessment of its fairness that is approved and in force" in text(answer)
    client = scene.house.client
    ada, bob = (bearer(scene.house.token("officer")) for _ in range(2))
    fair = ASSESSMENT | {"kinds": ["automated"], "scope": ["purpose:marketing.profiling"]}
    review = client.post("/api/assessments", json=fair, headers=ada).get_json()["id"]
    client.post(f"/api/assessments/{review}/approvals", headers=bob | {"If-Match": '"1"'})
    allowed = build(browser, {"do": "save", **row, "review": review})
    assert allowed.status_code == 303
    assert "Its use decides what people pay" in text(browser.get(allowed.headers["Location"]))


def test_a_number_is_bought_by_a_button_that_names_its_price(scene: Scene) -> None:
    made, browser = scene.segment(), scene.house.browser("marketer")
    path = f"/segments/{made['id']}"
    before = text(browser.get(path))
    assert "200,000 nano-ρ" in before
    bought = browser.post(f"{path}/reach", {"channel": "sms"})
    assert bought.status_code == 303
    waiting = text(browser.get(bought.headers["Location"]))
    assert f'data-poll="{path}/reach?channel=sms' in waiting
    assert "data-done" not in text(browser.get(f"{path}/reach?channel=sms"))
    scene.work()
    assert "data-done" in text(browser.get(f"{path}/reach?channel=sms"))
    shown = text(browser.get(bought.headers["Location"]))
    assert "No consent to the channel" in shown
    release = re.search(r'href="(/releases/rel_[0-9a-f]+)"', shown)
    assert release
    assert "How many people a segment reaches" in text(browser.get(release[1]))
    assert browser.get(release[1] + "/rows.csv").status_code == 200
    assert "Exact reasons" not in shown
    officer = scene.house.browser("officer")
    exact = text(officer.post(f"{path}/reasons", {"channel": "sms"}))
    assert "25" in exact
    assert browser.post(f"{path}/reasons").status_code == 403


def test_an_audience_is_kept_found_and_ended_on_its_pages(scene: Scene) -> None:
    made, browser, officer = scene.segment(), scene.house.browser("marketer"), scene.house.browser("officer")
    path = f"/segments/{made['id']}/audiences/new"
    assert "Viewers" in text(browser.get(path))
    wrong = browser.post(path, {"name": "Viewers", "kind": "static", "hours": "24", "days": "0"})
    assert wrong.status_code == 422
    kept = browser.post(path, {"name": "Spring", "kind": "continuous", "hours": "24", "days": "30"})
    assert kept.status_code == 303
    assert "Being found" in text(browser.get(kept.headers["Location"]))
    scene.work()
    shown = text(browser.get(kept.headers["Location"]))
    assert "Fresh" in shown
    assert "Spring" in text(browser.get("/audiences"))
    assert "Spring" in text(browser.get(f"/segments/{made['id']}"))
    assert browser.post(kept.headers["Location"] + "/refreshes").status_code == 303
    assert "25 people stand in it" in text(officer.post(kept.headers["Location"] + "/counts"))
    assert browser.post(kept.headers["Location"] + "/counts").status_code == 403
    assert browser.post(kept.headers["Location"] + "/ending").status_code == 303
    assert "Over" in text(browser.get(kept.headers["Location"]))


def test_the_officers_page_of_a_person_says_why(scene: Scene) -> None:
    made, officer = scene.segment(), scene.house.browser("officer")
    scene.post("/api/audiences", {"segment": made["id"], "name": "Spring"})
    scene.work()
    found = officer.post(
        "/people", {"type": "customer_no", "value": member(1), "namespace": "shop", "purpose": "rights_request", "reason": "asked why"}
    )
    assert found.status_code == 303, text(found)
    case = found.headers["Location"]
    assert f"{case}/segments" in text(officer.get(case))
    told = text(officer.get(f"{case}/segments?segment={made['id']}"))
    assert "In the segment" in told
    assert "number of events: 2" in told
    assert "Spring" in told
    assert member(1) not in told
    then = re.search(r'href="(/people/[^"]+audience=aud_[0-9a-f]+)"', told)
    assert then
    assert "In the segment" in text(officer.get(then[1]))


def test_nothing_of_a_person_stands_on_a_marketers_pages(scene: Scene) -> None:
    made, browser = scene.segment(), scene.house.browser("marketer")
    scene.post("/api/audiences", {"segment": made["id"]})
    scene.work()
    audience = scene.get("/api/audiences").get_json()["items"][0]["id"]
    for path in (
        "/segments",
        "/segments.csv",
        f"/segments/{made['id']}",
        "/audiences",
        "/audiences.csv",
        f"/audiences/{audience}",
        "/jobs",
    ):
        shown = text(browser.get(path))
        assert not re.search(r"\b25\b(?! people)", re.sub(r"<[^>]*>|\d\d:\d\d|2026-\d\d-\d\d|[a-z]{3}_\w+", " ", shown)), path
        assert "u-0" not in shown
