"""The pages of whoever runs the house: jobs, settings, health."""

from __future__ import annotations

import csv
import io
import re

import pytest

from app import jobs
from tests.house import House


def queued(house: House, by: str, kind: str = "report") -> str:
    with house.services.begin_jobs() as tx:
        return jobs.enqueue(tx, kind, {"from": "2026-05"}, by=by, now=house.clock())


def finish(house: House, made: str, counts: dict[str, object]) -> None:
    with house.services.begin_jobs() as tx:
        claimed = jobs.claim(tx, "worker", now=house.clock(), job_id=made)
        assert claimed is not None
        jobs.progress(tx, claimed, done=4711, total=9000, now=house.clock())
        jobs.finish(tx, claimed, counts, now=house.clock())


def test_a_marketer_follows_a_report_to_its_release_and_sees_steps_and_no_rows(sqlite_only: House) -> None:
    house = sqlite_only
    here = house.browser("marketer")
    made = queued(house, here.account)
    page = here.client.get(f"/jobs/{made}?follow=1")
    assert page.status_code == 200
    text = page.get_data(as_text=True)
    assert f'data-poll="/jobs/{made}/progress"' in text
    assert '<meta http-equiv="refresh"' in text, "it is followed without a script too"
    finish(house, made, {"release": "rel_0123456789abcdef01234567", "rows": 4711})
    fragment = here.client.get(f"/jobs/{made}/progress").get_data(as_text=True)
    assert "data-done" in fragment
    assert "<html" not in fragment
    assert "4711" not in fragment + here.client.get(f"/jobs/{made}").get_data(as_text=True)
    followed = here.client.get(f"/jobs/{made}?follow=1")
    assert (followed.status_code, followed.headers["Location"]) == (303, "/releases/rel_0123456789abcdef01234567")


def test_a_marketer_sees_no_job_of_anybody_else(sqlite_only: House) -> None:
    """The same page for a job of another as for one that never was (attack 47)."""
    house = sqlite_only
    other = queued(house, "usr_somebody_else", "import")
    here = house.browser("marketer")
    pages = [here.client.get(path) for path in (f"/jobs/{other}", "/jobs/job_000000000000000000000000", f"/jobs/{other}/progress")]
    assert [page.status_code for page in pages] == [404, 404, 404]
    texts = [re.sub(r"(req|job)_[0-9a-f]+", "", page.get_data(as_text=True)) for page in pages]
    assert len({re.sub(r'(value|content)="[^"]*"', "", text) for text in texts[:2]}) == 1
    assert other not in here.client.get("/jobs").get_data(as_text=True)


def test_the_file_of_jobs_holds_what_the_list_shows(sqlite_only: House) -> None:
    house = sqlite_only
    here = house.browser("administrator")
    made = [queued(house, "schedule", "flush") for _ in range(3)]
    queued(house, "schedule", "pull")
    answer = here.client.get("/jobs.csv?kind=flush")
    rows = list(csv.DictReader(io.StringIO(answer.get_data().decode("utf-8-sig"))))
    assert {row["id"] for row in rows} == set(made)
    assert {row["kind"] for row in rows} == {"flush"}
    page = here.client.get("/jobs?kind=flush&state=queued").get_data(as_text=True)
    assert all(one in page for one in made)
    assert here.client.get("/jobs?kind=nonsense").status_code == 422


def test_a_failed_job_says_its_code(sqlite_only: House) -> None:
    house = sqlite_only
    here = house.browser("administrator")
    made = queued(house, "schedule", "flush")
    with house.services.begin_jobs() as tx:
        claimed = jobs.claim(tx, "worker", now=house.clock(), job_id=made)
        assert claimed is not None
        jobs.fail(tx, claimed, "lake_busy", again=False, now=house.clock())
    assert "lake_busy" in here.client.get(f"/jobs/{made}").get_data(as_text=True)


def test_settings_show_every_key_and_no_address_of_a_store(sqlite_only: House) -> None:
    house = sqlite_only
    text = house.browser("administrator").client.get("/settings").get_data(as_text=True)
    for one in house.services.settings.listing():
        assert f"<code>{one['key']}</code>" in text
    assert str(house.home) not in text


def test_health_shows_checks_and_runs_all_of_them_when_asked(sqlite_only: House) -> None:
    house = sqlite_only
    here = house.browser("administrator")
    with house.services.begin_jobs() as tx:
        jobs.plan(tx, "flush", 5, now=house.clock())
    quick = here.client.get("/health").get_data(as_text=True)
    assert "Access log</th>" not in quick
    assert "signing" in quick
    before = house.counts()
    whole = here.post("/health")
    assert whole.status_code == 200
    assert "Access log</th>" in whole.get_data(as_text=True)
    assert house.counts() == before
    assert here.client.post("/health").status_code == 403, "only our own form asks for it"


@pytest.mark.parametrize("role", ["integrator", "marketer", "officer"])
@pytest.mark.parametrize("path", ["/settings", "/health"])
def test_settings_and_health_are_an_administrators(sqlite_only: House, role: str, path: str) -> None:
    assert sqlite_only.browser(role).client.get(path).status_code == 403


@pytest.mark.parametrize("path", ["/jobs", "/settings", "/health", "/jobs/job_000000000000000000000000"])
def test_nobody_who_is_not_signed_in_sees_them(sqlite_only: House, path: str) -> None:
    answer = sqlite_only.client.get(path)
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith("/sign-in?next=")


def test_the_pages_are_in_the_readers_language(sqlite_only: House) -> None:
    here = sqlite_only.browser("administrator")
    queued(sqlite_only, "schedule", "flush")
    for path, word in (("/jobs", "将行移入数据湖"), ("/settings", "保存期限"), ("/health", "密钥版本")):
        text = here.client.get(path, headers={"Accept-Language": "zh-CN"}).get_data(as_text=True)
        assert word in text, path
