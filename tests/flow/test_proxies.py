"""Behind proxies: what they forward is believed exactly as far as they reach, and an https address makes cookies and browsers strict."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from flask import jsonify, request, session

from app import jobs, logs
from app.factory import TRANSPORT
from tests.house import House, bearer, sqlite_house

HOME = "10.0.0.9"
"""Whom the server sees: the nearest proxy, or the client where there is none."""
FORGED = {
    "X-Forwarded-For": "203.0.113.7",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Host": "evil.example",
    "X-Forwarded-Port": "444",
    "X-Forwarded-Prefix": "/evil",
    "Forwarded": "for=203.0.113.7;proto=https;host=evil.example",
    "X-Real-IP": "203.0.113.7",
}
SEEN_PLAINLY = {"address": HOME, "scheme": "http", "host": "cdp.example", "root": "/"}


@contextmanager
def behind(template: Path, home: Path, proxies: int = 0, **environment: str) -> Iterator[House]:
    with sqlite_house(template, home, {"PIYING_SERVER_TRUSTED_PROXIES": str(proxies), **environment}, own=True) as house:

        def seen() -> Any:
            session["seen"] = True
            return jsonify(address=request.remote_addr, scheme=request.scheme, host=request.host, root=request.root_path or "/")

        house.app.secret_key = "only for this test"
        house.app.add_url_rule("/seen", "seen", seen)
        yield house


def asked(house: House, headers: dict[str, str]) -> Any:
    return house.client.get("/seen", base_url="http://cdp.example", headers=headers, environ_base={"REMOTE_ADDR": HOME})


def test_without_trusted_proxies_no_forwarded_header_changes_anything(template_home: Path, tmp_path: Path) -> None:
    with behind(template_home, tmp_path / "home") as house:
        assert asked(house, {}).get_json() == asked(house, FORGED).get_json() == SEEN_PLAINLY


def test_behind_one_proxy_only_what_it_added_counts(template_home: Path, tmp_path: Path) -> None:
    """The client's own headers stand to the left of what the proxy appended."""
    with behind(template_home, tmp_path / "home", 1) as house:
        forwarded = FORGED | {"X-Forwarded-For": "203.0.113.7, 198.51.100.20", "X-Forwarded-Proto": "ftp, https"}
        assert asked(house, forwarded).get_json() == SEEN_PLAINLY | {"address": "198.51.100.20", "scheme": "https"}


def test_behind_two_proxies_the_second_hop_from_the_right_is_the_client(template_home: Path, tmp_path: Path) -> None:
    with behind(template_home, tmp_path / "home", 2) as house:
        forwarded = {"X-Forwarded-For": "203.0.113.7, 198.51.100.20, 10.0.0.8"}
        assert asked(house, forwarded).get_json()["address"] == "198.51.100.20"


def test_a_request_that_came_through_fewer_proxies_is_its_senders_own(template_home: Path, tmp_path: Path) -> None:
    with behind(template_home, tmp_path / "home", 2) as house:
        assert asked(house, FORGED).get_json() == SEEN_PLAINLY


@pytest.mark.parametrize("proxies", [0, 1, 8])
def test_the_host_is_believed_from_no_forwarded_header(template_home: Path, tmp_path: Path, proxies: int) -> None:
    with behind(template_home, tmp_path / "home", proxies) as house:
        assert asked(house, FORGED).get_json()["host"] == "cdp.example"


@pytest.mark.parametrize("base_url", ["", "http://cdp.example", "https://cdp.example"])
def test_an_https_address_makes_cookies_secure_and_browsers_stay(template_home: Path, tmp_path: Path, base_url: str) -> None:
    """Decided by the settings: no header of a request turns it on or off."""
    secure = base_url.startswith("https")
    with behind(template_home, tmp_path / "home", 1, PIYING_SERVER_BASE_URL=base_url) as house:
        for headers in ({}, FORGED, {"X-Forwarded-Proto": "http"}):
            answer = asked(house, headers)
            cookie = answer.headers["Set-Cookie"]
            assert ("Secure" in cookie) is secure
            assert "HttpOnly" in cookie
            assert "SameSite=Lax" in cookie
            assert answer.headers.get("Strict-Transport-Security") == (TRANSPORT if secure else None)


NAMES = ["0123456789abcdef0123456789abcdef", "req_0123456789abcdef01234567", "0f8fad5b-d9cb-469f-a165-70867728950e"]


@pytest.mark.parametrize("name", NAMES)
def test_a_trusted_proxy_names_the_request(template_home: Path, tmp_path: Path, name: str) -> None:
    with behind(template_home, tmp_path / "home", 1) as house:
        answer = house.client.get("/no/such", headers={"X-Request-Id": name})
        assert answer.headers["X-Request-Id"] == answer.get_json()["request_id"] == name


@pytest.mark.parametrize(("proxies", "name"), [(0, NAMES[0]), (1, "13912345678"), (1, "a b"), (1, NAMES[0] * 2), (1, "x" * 32)])
def test_any_other_name_is_replaced_by_one_of_ours(template_home: Path, tmp_path: Path, proxies: int, name: str) -> None:
    with behind(template_home, tmp_path / "home", proxies) as house:
        given = house.client.get("/healthz", headers={"X-Request-Id": name}).headers["X-Request-Id"]
        assert given.startswith("req_")
        assert given != name


def test_a_request_is_written_down_by_its_route_and_its_name_and_not_by_its_address(
    template_home: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with behind(template_home, tmp_path / "home") as house:
        with house.services.begin_jobs() as tx:
            job = jobs.enqueue(tx, "flush", {}, by="schedule", now=house.clock())
        answer = house.client.get(f"/api/jobs/{job}?cursor=13912345678", headers=bearer(house.token("administrator")))
        assert answer.status_code == 200
        lines = capfd.readouterr().err
        assert '"/api/jobs/<job_id>"' in lines
        assert answer.headers["X-Request-Id"] in lines
        assert not {"13912345678", job} & set(re.findall(r"\w+", lines))
        house.client.get("/api/jobs/13912345678")
        house.send({"batch": []}, "wk_unknown")
        house.client.get("/healthz")
        assert capfd.readouterr().err == "", "what clients send and what is denied is counted and not written down"
        assert {"route", "request_id", "status"} <= logs.FIELDS
