"""Pages that send with a key that anybody can read: which may, what their browsers ask first, what the clients fetch."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.flow.bad_input import problem
from tests.house import House, basic, sqlite_house, track, zipped

SHOP, OTHER = "https://shop.example", "https://other.example"
ASKED = "anonymousid,authorization,content-type,sentat,x-retry-count"
ROUTES = ("/v1/t", "/v1/batch", "/v1/b/", "/beacon/v1/batch", "/com.snowplowanalytics.snowplow/tp2", "/v1/m", "/batch/")


@pytest.fixture(scope="module")
def shop(template_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[House, str]]:
    """A house with one browser source whose pages are known, and another whose pages are others."""
    with sqlite_house(template_home, tmp_path_factory.mktemp("pages") / "home") as house:
        _, key = house.source("web", public=True, origins=[SHOP], categories={"ads": "marketing.profiling"})
        house.source("elsewhere", public=True, origins=[OTHER])
        yield house, key


@pytest.mark.parametrize("path", [*ROUTES, "/sourceConfig/", "/v1/projects/x/settings", "/i"])
def test_a_browser_may_ask_before_it_sends_and_needs_no_key_for_that(shop: tuple[House, str], path: str) -> None:
    house, _ = shop
    method = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": ASKED}
    answer = house.client.options(path, headers={"Origin": SHOP, **method})
    assert answer.status_code == 200
    assert answer.headers["Access-Control-Allow-Origin"] == SHOP
    assert set(ASKED.split(",")) <= set(answer.headers["Access-Control-Allow-Headers"].split(", "))
    assert answer.headers["Access-Control-Allow-Methods"] == "GET, POST, OPTIONS"
    assert answer.headers["Access-Control-Max-Age"] == "900"
    assert "Access-Control-Allow-Credentials" not in answer.headers
    for stranger in ("https://evil.example", "null", SHOP + ".evil.example", SHOP.upper()):
        refused = house.client.options(path, headers={"Origin": stranger, **method})
        assert "Access-Control-Allow-Origin" not in refused.headers
        assert "Origin" in refused.headers["Vary"]


def test_only_the_sources_own_pages_may_send_and_read_the_answer(shop: tuple[House, str]) -> None:
    house, key = shop
    before = house.counts()
    for origin in (OTHER, "https://evil.example", "null", ""):
        answer = house.send({"batch": [track(1)]}, key, headers={"Origin": origin})
        assert problem(answer, 403)["code"] == "origin_not_allowed"
        assert "Access-Control-Allow-Origin" not in answer.headers, "also where another source allows the page"
    assert house.counts() == before
    answer = house.send({"batch": [track(1)]}, key, headers={"Origin": SHOP})
    assert (answer.get_json(), answer.headers["Access-Control-Allow-Origin"]) == ({"success": True}, SHOP)
    assert house.send({"batch": []}, key).status_code == 200, "an app sends no origin"


def test_a_source_that_names_no_page_allows_any_and_a_servers_key_is_not_a_pages(sqlite_only: House) -> None:
    _, server = sqlite_only.source("till")
    asked = {"Origin": SHOP, "Access-Control-Request-Method": "POST"}
    assert "Access-Control-Allow-Origin" not in sqlite_only.client.options("/v1/batch", headers=asked).headers
    answer = sqlite_only.send({"batch": []}, server, headers={"Origin": SHOP})
    assert answer.status_code == 200
    assert "Access-Control-Allow-Origin" not in answer.headers
    _, public = sqlite_only.source("web", public=True)
    assert sqlite_only.client.options("/v1/batch", headers=asked).headers["Access-Control-Allow-Origin"] == SHOP
    answer = sqlite_only.send({"batch": []}, public, headers={"Origin": SHOP})
    assert (answer.status_code, answer.headers["Access-Control-Allow-Origin"]) == (200, SHOP)


def test_a_page_can_read_why_it_was_refused_and_when_to_come_again(template_home: Path, tmp_path: Path) -> None:
    """Otherwise its client takes a wrong key for a broken line, and tries again without end."""
    with sqlite_house(template_home, tmp_path / "home", {"PIYING_LIMITS_REQUESTS_PER_SECOND": "1"}) as house:
        _, key = house.source("web", public=True, origins=[SHOP])
        wrong = [house.send({"batch": []}, "wk_" + "a" * 52, headers={"Origin": SHOP}), house.send(b"{", key, headers={"Origin": SHOP})]
        wrong.append(house.send({"batch": []}, key, headers={"Origin": SHOP}))
        assert [answer.status_code for answer in wrong] == [401, 400, 429]
        for answer in wrong:
            assert answer.headers["Access-Control-Allow-Origin"] == SHOP
            assert answer.headers["Access-Control-Expose-Headers"] == "Retry-After"
        assert int(wrong[-1].headers["Retry-After"]) >= 1


# ── bodies as browsers and servers label them ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("label", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "image/png", ""])
@pytest.mark.parametrize("packed", [False, True])
def test_a_body_is_json_whatever_its_label_says(sqlite_only: House, label: str, packed: bool) -> None:
    _, key = sqlite_only.source()
    assert sqlite_only.grant(key, [("customer_no", "u-1")]).status_code == 201
    sqlite_only.clock.forward(seconds=1)
    body = {"batch": [track(1)], "writeKey": key}
    raw = zipped(body) if packed else json.dumps(body).encode()
    answer = sqlite_only.client.post("/v1/batch", data=raw, headers={"Content-Type": label})
    assert (answer.status_code, answer.get_json()["stored"]) == (200, 1)


def test_a_key_is_taken_from_the_header_before_the_query_and_from_the_query_before_the_body(sqlite_only: House) -> None:
    _, key = sqlite_only.source()
    for headers, query, body, status in (
        (basic(key), "wk_q", "wk_b", 200),
        ({}, key, "wk_b", 200),
        ({}, "", key, 200),
        (basic("wk_h"), key, key, 401),
        ({}, "wk_q", key, 401),
        ({}, "", "", 401),
        ({}, "", 5, 401),
    ):
        address = f"/beacon/v1/batch?writeKey={query}"
        answer = sqlite_only.client.post(address, data=json.dumps({"batch": [], "writeKey": body}), headers=headers)
        assert answer.status_code == status


def test_what_a_browser_client_counts_about_itself_is_taken_and_dropped(shop: tuple[House, str]) -> None:
    house, _ = shop
    before = house.counts()
    for path in ("/v1/m", "/v1/m/"):
        answer = house.client.post(path, data=b"\x00" * 10_000, headers={"Origin": SHOP})
        assert (answer.status_code, answer.get_json()) == (200, {"success": True})
    assert house.counts() == before


# ── what clients fetch first ───────────────────────────────────────────────────────────────────────────────────────────────────


def fetched(house: House, client: str, key: str, **headers: str) -> Any:
    if client == "segment":
        return house.client.get(f"/v1/projects/{key}/settings", headers=headers)
    return house.client.get("/sourceConfig/?p=npm&v=3&writeKey=x", headers={**basic(key), **headers})


def test_segments_browser_client_is_told_where_to_send_and_to_count_nothing(shop: tuple[House, str]) -> None:
    house, key = shop
    answer = fetched(house, "segment", key, Origin=SHOP, Host="in.shop.example:8443")
    told = answer.get_json()
    sends = told["integrations"]["Segment.io"]
    assert (sends["apiKey"], sends["apiHost"], sends["protocol"]) == (key, "in.shop.example:8443/v1", "http")
    assert told["metrics"] == {"sampleRate": 0}
    assert told["consentSettings"]["allCategories"] == ["ads"]
    assert answer.headers["Access-Control-Allow-Origin"] == SHOP


def test_rudderstacks_browser_client_is_told_to_say_what_the_visitor_allowed(shop: tuple[House, str]) -> None:
    house, key = shop
    answer = fetched(house, "rudderstack", key, Origin=SHOP)
    told = answer.get_json()
    assert told["consentManagementMetadata"] == {"providers": [{"provider": "custom", "resolutionStrategy": "or"}]}
    assert (told["source"]["enabled"], told["source"]["destinations"], told["source"]["writeKey"]) == (True, [], key)
    assert house.client.get(f"/sourceConfig?writeKey={key}", headers={"Origin": SHOP}).status_code == 200


@pytest.mark.parametrize("client", ["segment", "rudderstack"])
def test_the_documents_are_for_a_sources_own_key_and_pages_and_name_nothing_but_the_source(shop: tuple[House, str], client: str) -> None:
    house, key = shop
    assert problem(fetched(house, client, "wk_" + "a" * 52, Origin=SHOP), 401)["code"] == "key_unknown"
    assert problem(fetched(house, client, key, Origin=OTHER), 403)["code"] == "origin_not_allowed"
    text = fetched(house, client, key).get_data(as_text=True)
    assert "web" not in text, "the name that its owner gave it is not for everybody"
    assert "analytics.statistics" not in text
