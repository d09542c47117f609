"""The page of live events and its fragment: they read without a script, pause, and end."""

from __future__ import annotations

import re

from app.console import live
from tests.house import House, track


def test_the_page_polls_its_fragment_with_its_filters_and_reads_without_a_script(house: House) -> None:
    source, key = house.source("web")
    here = house.browser("integrator")
    text = here.get(f"/sources/{source}/live?type=product_viewed&q=P2").get_data(as_text=True)
    assert f'data-poll="/sources/{source}/live/rows?type=product_viewed&amp;q=P2"' in text
    assert '<noscript><meta http-equiv="refresh" content="5"></noscript>' in text
    assert 'data-pause="rows"' in text
    house.batch([track(1), track(2, event="Coupon Applied")], key)
    shown = here.get(f"/sources/{source}/live?type=product_viewed").get_data(as_text=True)
    rows = re.findall(r"<tbody>(.*?)</tbody>", shown, re.DOTALL)
    assert "product_viewed" in rows[0]
    assert "coupon_applied" not in rows[0]


def test_a_fragment_is_no_page_and_does_not_keep_a_session_alive(house: House) -> None:
    source, _ = house.source("web")
    here = house.browser("integrator")
    here.get(f"/sources/{source}/live")
    house.clock.forward(minutes=29)
    fragment = here.get(f"/sources/{source}/live/rows").get_data(as_text=True)
    assert "<html" not in fragment
    house.clock.forward(minutes=2)
    assert here.get(f"/sources/{source}/live/rows").status_code == 302


def test_a_test_event_shows_on_the_page_that_it_was_sent_from(house: House) -> None:
    source, _ = house.source("web")
    here = house.browser("integrator")
    here.get(f"/sources/{source}/live")
    sent = here.post(f"/sources/{source}/tests", {"back": f"/sources/{source}/live"})
    assert (sent.status_code, sent.headers["Location"]) == (303, f"/sources/{source}/live")
    text = here.get(f"/sources/{source}/live").get_data(as_text=True)
    assert "A test event of nobody was sent" in text
    assert "product_id: test" in text
    assert here.post(f"/sources/{source}/tests", {"back": "//evil.example"}).headers["Location"] == "/"


def test_types_to_filter_by_are_the_dictionary_s_words(house: House) -> None:
    with house.app.test_request_context():
        words = {word for word, _ in live._filters()[0].choices}
    assert {"product_viewed", "order_line", "member"} <= words
