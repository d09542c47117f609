"""The pages of sources: counts for whoever may see them, a key shown once, a new source."""

from __future__ import annotations

import re

import pytest

from tests.house import Browser, House, basic, track


def text(browser: Browser, path: str) -> str:
    answer = browser.get(path)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return answer.get_data(as_text=True)


def filled(house: House) -> str:
    """A source with eleven stored, one held, two refused for want of consent."""
    source, key = house.source("web")
    house.grant(key, [("customer_no", "u-1")], at="2026-06-01T00:00:00Z")
    house.batch([track(n) for n in range(11)] + [{"type": "nonsense"}] + [track(20 + n, user="u-nobody") for n in range(2)], key)
    return source


def make(browser: Browser, **more: str) -> tuple[int, str]:
    form = {"name": "shop", "kind": "segment", "key_kind": "server_key", "purpose": "analytics.statistics", "on_no_consent": "refuse"}
    answer = browser.post("/sources", {**form, "consent_signals": "deny_only", **more})
    return answer.status_code, answer.get_data(as_text=True)


def test_the_list_tells_counts_and_shares_to_whoever_may_see_them(house: House) -> None:
    filled(house)
    for role in ("integrator", "officer"):
        shown = text(house.browser(role), "/sources")
        assert ">14<" in shown
        assert "14.3" in shown
        assert "Received on each of the last 7 days: 0, 0, 0, 0, 0, 0, 14" in shown
    shown = text(house.browser("administrator"), "/sources")
    assert "Up to date" in shown
    assert ">14<" not in shown
    assert "Received on" not in shown


def test_the_file_of_sources_has_no_count_for_an_administrator(house: House) -> None:
    filled(house)
    exact, declared = (house.browser(role).get("/sources.csv").get_data(as_text=True).splitlines() for role in ("officer", "administrator"))
    assert exact[0] == declared[0]
    assert ",14,11," in exact[1]
    assert ",14," not in declared[1]
    assert len(exact) == len(declared) == 2


def test_an_integrator_sees_that_another_s_source_exists_and_nothing_of_what_it_sends(house: House) -> None:
    mine, other = house.browser("integrator"), house.browser("integrator")
    status, page = make(mine)
    key = re.findall(r"wk_[a-z2-7]+", page)[0]
    source = re.findall(r"src_[a-z2-7]+", page)[0]
    house.batch([track(n) for n in range(37)], key)
    assert status == 200
    assert ">37<" in text(mine, f"/sources/{source}")
    assert ">37<" not in text(other, "/sources") + text(other, f"/sources/{source}")
    for path in ("keys", "settings", "disablement", "live"):
        assert other.get(f"/sources/{source}/{path}").status_code == 404
    for path in ("rotations", "revocations", "clients", "clients/endings", "settings", "disablement", "tests", "live/endings"):
        assert other.post(f"/sources/{source}/{path}", {"name": "shop", "overlap": "0"}).status_code == 404


def test_filters_narrow_the_list_and_say_when_nothing_matches(house: House) -> None:
    integrator = house.browser("integrator")
    assert "No source yet" in text(integrator, "/sources")
    filled(house)
    house.source("tills", "file")
    assert "tills" not in text(integrator, "/sources?kind=segment")
    assert "tills" in text(integrator, "/sources?state=silent&q=TILL")
    assert "No entry matches" in text(integrator, "/sources?state=disabled")
    assert integrator.get("/sources?state=nothing").status_code == 422


def test_a_key_is_shown_on_the_page_that_made_it_and_nowhere_again(house: House) -> None:
    integrator = house.browser("integrator")
    status, page = make(integrator)
    keys = set(re.findall(r"wk_[a-z2-7]+", page))
    assert (status, len(keys)) == (200, 1)
    (key,) = keys
    assert f"Client(&#34;{key}&#34;, host=&#34;http://localhost&#34;)" in page
    assert house.client.post("/v1/batch", json={"batch": [track(1)]}, headers=basic(key)).status_code == 200
    (source,) = set(re.findall(r"/sources/(src_[a-z2-7]+)\"", page))
    for path in ("", "/keys", "/send", "/settings", "/history", "/live"):
        assert key not in text(integrator, f"/sources/{source}{path}")
    assert "WRITE_KEY" in text(integrator, f"/sources/{source}/send")


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"name": "!"}, "A name has 1 to 64"),
        ({"kind": "fax"}, "Choose a kind"),
        ({"origins": "shop.example"}, "An origin is a scheme"),
        ({"key_kind": "client_key", "consent_signals": "accept"}, "A client key can only lower consent."),
        ({"purpose": "analytics.horoscopes"}, "not registered"),
        ({"purpose": ""}, "Choose at least one purpose"),
    ],
)
def test_a_form_with_a_fault_says_where_and_keeps_what_was_typed(house: House, more: dict[str, str], said: str) -> None:
    status, page = make(house.browser("integrator"), **{"name": "kept-name", **more})
    assert status == 422
    assert said in page
    assert more.get("name", "kept-name") in page
    assert "wk_" not in page


def test_a_name_is_given_once(house: House) -> None:
    integrator = house.browser("integrator")
    assert make(integrator)[0] == 200
    status, page = make(integrator)
    assert (status, "exists already" in page) == (409, True)


def test_a_client_source_without_origins_is_warned_of(house: House) -> None:
    source, _ = house.source("web", public=True)
    assert "pages of every site may send" in text(house.browser("officer"), f"/sources/{source}")
    named, _ = house.source("own", public=True, origins=["https://shop.example"])
    assert "pages of every site" not in text(house.browser("officer"), f"/sources/{named}")


def test_a_source_s_page_counts_every_item_of_every_day(house: House) -> None:
    source = filled(house)
    shown = re.sub(r"\s+", " ", text(house.browser("officer"), f"/sources/{source}"))
    line = re.search(r'<tr><th scope="row" class="k-day">2026-06-15</th>(.*?)</tr>', shown)
    assert line
    assert re.findall(r">(\d+)<", line[1])[:5] == ["14", "11", "0", "1", "2"]
    assert "consent_missing" in line[1]
    assert "unknown_type" in line[1]
    assert "Fields of event" in shown
    hidden = text(house.browser("administrator"), f"/sources/{source}")
    assert "consent_missing" not in hidden
    assert "Counts of this source are for" in hidden


def test_the_history_tells_officers_everybody_s_acts_and_others_their_own(house: House) -> None:
    one, two = house.browser("integrator"), house.browser("integrator")
    source, _ = house.source("web")
    one.post(f"/sources/{source}/tests")
    two.post(f"/sources/{source}/rotations", {"overlap": "5"})
    assert "Test event sent" in text(one, f"/sources/{source}/history")
    assert "Key rotated" not in text(one, f"/sources/{source}/history")
    seen = text(house.browser("officer"), f"/sources/{source}/history")
    assert "the old ones work for 5 hours more" in seen
    assert "Registered" in seen
    assert text(house.browser("officer"), "/access-log?action=log.read")
