"""The console's shell: languages, themes, errors as pages, files that may be kept, the find box, the start page of each role."""

from __future__ import annotations

import csv
import io
import re

import pytest

from app import overviews
from app.access import Caller, matrix
from app.console import shell
from app.factory import HEADERS
from privacy.errors import Locked
from tests.house import House, track

PERSON = "13812345678"
HTML = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


def title(page: str) -> str:
    found = re.search(r"<h1[^>]*>(.*?)</h1>", page, re.DOTALL)
    assert found
    return found[1].strip()


def test_the_accounts_language_counts_before_the_cookie_and_the_cookie_before_the_browser(sqlite_only: House) -> None:
    browser = sqlite_only.browser("officer")

    def heard(**headers: str) -> str:
        return title(browser.get("/dictionary", headers=headers).get_data(as_text=True))

    assert heard() == "Data dictionary"
    assert heard(**{"Accept-Language": "zh-CN,zh;q=0.9"}) == "数据字典"
    browser.client.set_cookie("piying_language", "en")
    assert heard(**{"Accept-Language": "zh-CN"}) == "Data dictionary"
    assert browser.post("/preferences", {"language": "zh_Hans_CN", "theme": ""}).status_code in (302, 303)
    browser.client.set_cookie("piying_language", "en")
    assert heard() == "数据字典"


def test_the_language_can_be_switched_before_the_sign_in_and_leads_back(sqlite_only: House) -> None:
    browser = sqlite_only.browser()
    answer = browser.post("/preferences/language", {"language": "zh_Hans_CN", "back": "/sign-in?next=/budget"})
    assert answer.headers["Location"] == "/sign-in?next=/budget"
    cookie = next(one for one in answer.headers.getlist("Set-Cookie") if one.startswith("piying_language="))
    assert {"HttpOnly", "SameSite=Lax"} <= {part.strip() for part in cookie.split(";")}
    assert '<html lang="zh-Hans-CN">' in browser.get("/sign-in").get_data(as_text=True)
    assert browser.post("/preferences/language", {"language": "en", "back": "//evil.example"}).headers["Location"] == "/"
    assert browser.post("/preferences/language", {"language": "xx"}).status_code == 422
    assert sqlite_only.app.test_client().post("/preferences/language", data={"language": "en"}).status_code == 403


def test_a_theme_is_kept_with_the_account(sqlite_only: House) -> None:
    browser = sqlite_only.browser("marketer")
    assert "data-bs-theme" not in browser.get("/preferences").get_data(as_text=True)
    browser.post("/preferences", {"language": "", "theme": "dark"})
    elsewhere = sqlite_only.browser(account=browser.account)
    assert 'data-bs-theme="dark"' in elsewhere.get("/preferences").get_data(as_text=True)
    assert browser.post("/preferences", {"language": "", "theme": "neon"}).status_code == 422


def test_browsers_get_errors_as_pages_and_programs_as_problem_documents(sqlite_only: House) -> None:
    browser = sqlite_only.browser("marketer")
    missing = browser.get("/no/such", headers=HTML)
    assert (missing.status_code, missing.mimetype) == (404, "text/html")
    refused = browser.get("/dictionary", headers={"Accept": "*/*"})
    assert (refused.status_code, refused.mimetype) == (403, "text/html")
    assert "permission_missing" in refused.get_data(as_text=True)
    for path in ("/api/no/such", "/api/sources", "/v1/batch", "/v1/nothing"):
        assert browser.get(path, headers=HTML).mimetype == "application/problem+json", path
    assert sqlite_only.client.get("/no/such", headers={"Accept": "image/avif,*/*"}).mimetype == "application/problem+json"
    for answer in (missing, refused):
        assert {name: answer.headers[name] for name in HEADERS} == HEADERS
        assert answer.headers["X-Request-Id"] in answer.get_data(as_text=True)


def test_while_keys_are_locked_a_page_says_so_and_its_style_is_served(sqlite_only: House) -> None:
    sqlite_only.services.lock = Locked("the keys are locked", code="keys_locked")
    answer = sqlite_only.client.get("/sign-in", headers=HTML)
    assert (answer.status_code, answer.mimetype, answer.headers["Retry-After"]) == (503, "text/html", "30")
    assert title(answer.get_data(as_text=True)) == "The keys are locked"
    with sqlite_only.client.get("/static/piying.css") as style:
        assert style.status_code == 200
    assert sqlite_only.client.get("/api/sources").get_json()["code"] == "keys_locked"


def test_an_error_page_needs_no_store(sqlite_only: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the page's surroundings fail as well, a page that asks nobody anything stands in."""

    def fail() -> None:
        raise RuntimeError("no store")

    browser = sqlite_only.browser("officer")
    monkeypatch.setattr(sqlite_only.services, "read_console", fail)
    answer = browser.get("/dictionary", headers=HTML)
    assert (answer.status_code, answer.mimetype) == (500, "text/html")
    assert "no store" not in answer.get_data(as_text=True)
    assert answer.headers["X-Request-Id"] in answer.get_data(as_text=True)


def test_only_static_files_under_their_fingerprint_may_be_kept(sqlite_only: House) -> None:
    page = sqlite_only.client.get("/sign-in").get_data(as_text=True)
    addresses = re.findall(r'(?:href|src)="(/(?:bootstrap/)?static/[^"]+)"', page)
    assert len(addresses) >= 4
    for address in addresses:
        with sqlite_only.client.get(address) as answer, sqlite_only.client.get(address.partition("?")[0]) as bare:
            assert (answer.status_code, answer.headers["Cache-Control"]) == (200, shell.KEPT), address
            assert "Set-Cookie" not in answer.headers
            assert bare.headers["Cache-Control"] == "no-store"
    assert sqlite_only.client.get("/static/nothing.css?v=1").headers["Cache-Control"] == "no-store"
    assert sqlite_only.client.get("/sign-in?v=1").headers["Cache-Control"] == "no-store"


def test_a_page_has_no_script_style_or_handler_in_line(sqlite_only: House) -> None:
    for role in ("officer", "integrator", "marketer", "administrator"):
        page = sqlite_only.browser(role).get("/").get_data(as_text=True)
        assert not re.search(r"\sstyle=|\son\w+=|<style|<script(?![^>]*\ssrc=)|javascript:", page)
        assert "http://" not in page.replace("http://www.w3.org/2000/svg", "")
        assert "https://" not in page


def test_the_find_box_leads_to_what_a_number_names_and_keeps_no_identifier(sqlite_only: House) -> None:
    officer = sqlite_only.browser("officer")
    assert officer.post("/find", {"number": " src_abc "}).headers["Location"] == "/sources/src_abc"
    answer = officer.post("/find", {"number": PERSON})
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert PERSON not in page + str(answer.headers)
    assert 'href="/people"' in page
    assert 'href="/people"' not in sqlite_only.browser("marketer").post("/find", {"number": PERSON}).get_data(as_text=True)
    assert sqlite_only.browser("marketer").post("/find", {"number": "src_abc"}).status_code == 422


def test_a_filter_never_carries_an_identifier(sqlite_only: House) -> None:
    officer = sqlite_only.browser("officer")
    answer = officer.get(f"/dictionary?q={PERSON}", headers=HTML)
    assert answer.status_code == 422
    assert "identifier_in_address" in answer.get_data(as_text=True)
    for path, status in ((f"/dictionary?q={PERSON}", 422), (f"/releases/{PERSON}", 404), (f"/{PERSON}", 404)):
        answer = officer.get(path, headers=HTML)
        assert (answer.status_code, PERSON in answer.get_data(as_text=True) + str(answer.headers)) == (status, False)


def test_the_dictionarys_file_holds_the_rows_that_the_page_shows(sqlite_only: House) -> None:
    browser = sqlite_only.browser("integrator")
    query = "?class=sensitive"
    page = browser.get("/dictionary" + query).get_data(as_text=True)
    rows = list(csv.DictReader(io.StringIO(browser.get("/dictionary.csv" + query).get_data().decode("utf-8-sig"))))
    assert rows
    assert {row["class"] for row in rows} == {"sensitive"}
    assert page.count("<tr>") == len(rows) + 1
    assert f"CSV ({len(rows)} rows)" in page
    every = list(csv.DictReader(io.StringIO(browser.get("/dictionary.csv").get_data().decode("utf-8-sig"))))
    used = {(row["record"], row["field"]): row["used_in"] for row in every}
    assert "store_month" in used["order_line", "store_id"]
    assert used["order_line", "order_id"] == ""
    assert "No entry matches these filters" in browser.get("/dictionary?class=sensitive&q=zebra").get_data(as_text=True)


def test_each_role_starts_with_its_own_page(sqlite_only: House) -> None:
    house = sqlite_only
    _, key = house.source("corner shop")
    house.grant(key, [("customer_no", "u-1")])
    house.batch([track(1), track(2, user="u-2"), {"type": "track"}], key)
    pages = {role: house.browser(role).get("/").get_data(as_text=True) for role in ("officer", "integrator", "marketer", "administrator")}
    assert "corner shop" in pages["integrator"]
    assert "Up to date" in pages["integrator"]
    assert "analytics.statistics" in pages["officer"]
    assert "Both stores can be written" in pages["administrator"]
    for role in ("marketer", "administrator"):
        assert "corner shop" not in pages[role]
    assert "<meter" in pages["marketer"]
    assert all("First steps" in page for page in pages.values())


def test_a_source_that_fell_silent_is_late(sqlite_only: House) -> None:
    _, key = sqlite_only.source("till")
    sqlite_only.source("never")
    sqlite_only.batch([track(1)], key)
    sqlite_only.clock.forward(days=3)
    page = sqlite_only.browser("integrator").get("/").get_data(as_text=True)
    assert page.count("tag-warn") == 1
    assert "Late" in page
    assert "Nothing yet" in page


def test_a_marketers_start_page_knows_no_exact_number_and_an_integrators_none_of_anothers_source(sqlite_only: House) -> None:
    house = sqlite_only
    _, key = house.source("till")
    house.batch([track(1), {"type": "track"}], key)
    mine = overviews.of(house.services, Caller("usr_mine", "marketer", matrix()["marketer"], ""))
    assert mine.keys() == {"gauge", "free", "month", "releases", "exports", "steps"}
    assert mine["exports"] == [], "own requests, of which there are none"
    seen = overviews.of(house.services, Caller("usr_one", "integrator", matrix()["integrator"], ""))
    assert (seen["received"], seen["quarantined"]) == (2, 1)
    owner = house.browser("integrator")
    other = house.browser("integrator")
    made = house.client.post(
        "/api/sources", json={"name": "own", "kind": "segment"}, headers={"Authorization": f"Bearer {house.token('integrator')}"}
    )
    assert made.status_code == 201
    for account in (owner.account, other.account):
        shown = overviews.of(house.services, Caller(account, "integrator", matrix()["integrator"], ""))
        assert [one["name"] for one in shown["sources"]] == ["till"]
