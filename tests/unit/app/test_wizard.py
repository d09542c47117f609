"""What pages of imports ask: names of files, templates, progress in time."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from app import access, imports, wizard
from app.access import Caller
from app.imports import FileImport
from privacy.errors import Invalid
from tests.house import House


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("till.csv", "till.csv"),
        ("C:\\till\\may.csv", "may.csv"),
        ("/home/li/may.csv", "may.csv"),
        ("till-20260501.csv", "till-20260501.csv"),
        ("till_2026-05-01.csv", "till_2026-05-01.csv"),
        ("20260501120000.jsonl", "20260501120000.jsonl"),
        ("13812345678.csv", "….csv"),
        ("li 138-1234-5678.csv", "li ….csv"),
        ("11010519491231002X.csv", "…X.csv"),
        ("li@example.com", "…"),
        ("a\nb\x00.csv", "ab.csv"),
        ("", None),
    ],
)
def test_a_files_name_is_kept_without_what_looks_like_a_persons(given: str, shown: str | None) -> None:
    assert imports.spoken_name(given) == shown


def test_a_long_name_keeps_its_beginning_and_its_end() -> None:
    shown = imports.spoken_name("a" * 300 + ".csv") or ""
    assert len(shown) == 100
    assert shown.endswith(".csv")


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("a.csv", "csv"),
        ("A.CSV.GZ", "csv.gz"),
        ("a.ndjson", "jsonl"),
        ("a.b.jsonl.gz", "jsonl.gz"),
        ("a.parquet", "parquet"),
        ("a.tsv", "tsv"),
    ],
)
def test_a_files_name_tells_its_format(name: str, kind: str) -> None:
    assert imports.format_of(name) == kind


@pytest.mark.parametrize("name", ["a.xlsx", "csv", "", "a.parquet.gz", "a.gz"])
def test_a_file_of_no_known_format_is_refused(name: str) -> None:
    with pytest.raises(Invalid) as caught:
        imports.format_of(name)
    assert caught.value.code == "file_kind_unknown"


def test_a_running_import_tells_its_share_and_how_long_it_may_still_take(house: House) -> None:
    """A quarter in three minutes: nine more; without the right to exact numbers the share alone."""
    source, _ = house.source("pos", "file")
    with house.services.begin_intake() as tx:
        made = imports.create(tx, source, state=imports.RUNNING, chunk_rows=10, by="test", now=house.clock(), format="csv")
        tx.execute(sa.update(FileImport).values(done=250, total=1_000, started_at=house.clock(), counts={}))
    house.clock.forward(minutes=3)
    for role in ("officer", "administrator"):
        told = wizard.one(house.services, made.id, caller=Caller("usr_x", role, access.matrix()[role], ""))
        assert (told["share"], told["seconds_left"]) == (0.25, 540)
        assert (told["counts"] is None) == (role == "administrator")
    shown = house.browser("officer").get(f"/imports/{made.id}/progress").get_data(as_text=True)
    assert "25.0% · 0 rows read · about 9 min left" in shown
    assert "data-done" not in shown
    assert "rows read" not in house.browser("administrator").get(f"/imports/{made.id}/progress").get_data(as_text=True)
    assert '<meta http-equiv="refresh" content="3">' in house.browser("officer").get(f"/imports/{made.id}").get_data(as_text=True)
