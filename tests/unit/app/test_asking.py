"""What leaves is a release or a public fact; a job's row tells the release and no number."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

from app import asking, housekeeping, jobs
from app.cli.demo_state import ERASURES
from app.jobs import Job
from app.wiring import Services, open_services
from app.wiring.doors import utc_now
from app.wiring.lake import LEASE
from privacy.audit.reading import Filter, lines
from privacy.errors import Invalid, NotFound, PiyingError, Refused, Unavailable
from tests.fakes.log import RefusingLog
from tests.house import ROOT
from tests.unit.app.commands import told

RFM = {"kind": "rfm"}
ZONE = ZoneInfo("Asia/Shanghai")


@pytest.fixture
def services(home: Path) -> Iterator[Services]:
    """Services of a home with three closed months."""
    with closing(open_services(home=home)) as made:
        yield made


def last_closed(services: Services) -> int:
    return services.report_options(asking.options(RFM)).end


@pytest.mark.parametrize(("text", "month"), [("2026-10", 202610), ("1999-01", 199901), ("2026-12", 202612)])
def test_a_month_is_a_year_and_a_number(text: str, month: int) -> None:
    assert asking.month_of(text, "from") == month


@pytest.mark.parametrize("text", ["", "2026", "2026-1", "2026-13", "2026-00", "26-10", "2026-10-01", "２０２６-10", "2026-1o", "-10"])
def test_anything_else_is_refused_by_its_field(text: str) -> None:
    with pytest.raises(Invalid) as wrong:
        asking.month_of(text, "from")
    assert (wrong.value.code, wrong.value.field) == ("bad_month", "from")


def test_a_requests_words_become_options() -> None:
    body = {"kind": "store-month", "from_": "2026-05", "by": ("channel",), "where": ["channel=pos"]}
    assert asking.options(body) == {
        "kind": "store_month",
        "first": "2026-05",
        "last": "2026-05",
        "by": ["channel"],
        "where": ["channel=pos"],
    }
    assert asking.options(RFM) == {"kind": "rfm", "first": None, "last": None, "by": [], "where": []}


def test_an_end_without_a_beginning_is_refused() -> None:
    with pytest.raises(Invalid) as wrong:
        asking.options({"kind": "rfm", "to": "2026-05"})
    assert wrong.value.field == "from"


def spent(services: Services) -> int:
    return sum(int(one["spent_nano"]) for one in asking.budget(services)["items"])


def test_a_quote_costs_nothing_and_an_answer_is_paid_once(services: Services) -> None:
    body = {"kind": "funnel", "where": ["channel=mini_program"]}
    before = spent(services)
    quoted = asking.quote(services, body)
    assert spent(services) == before
    first = asking.ask(services, body, asked_by="cli")
    assert spent(services) == before + quoted["cost"]["rho_nano"]
    again = asking.ask(services, body, asked_by="usr_0123456789abcdef")
    assert (first["cached"], again["cached"]) == (False, True)
    assert (again["release"], again["rows"]) == (first["release"], first["rows"])
    assert spent(services) == before + quoted["cost"]["rho_nano"]
    shown = asking.show_release(services, first["release"])
    assert shown["rows"] == first["rows"]


def test_a_queued_report_is_a_job_whose_row_tells_its_release_and_no_number(services: Services) -> None:
    body = {"kind": "funnel", "where": ["channel=mini_program"]}
    queued = asking.ask_later(services, body, asked_by="usr_0123456789abcdef")
    assert set(queued) == {"job", "release", "free", "cost"}
    assert jobs.run_one(services.begin_jobs, services.handlers, "worker", clock=services.clock)
    with services.read_jobs() as tx:
        job = tx.execute(sa.select(Job).where(Job.id == queued["job"])).one()
    assert job.state == "done", job.error_code
    assert set(job.counts) == {"release"}
    assert asking.show_release(services, job.counts["release"])["rows"]


def test_what_is_wrong_with_a_question_is_told_before_it_is_queued(services: Services) -> None:
    for body in ({"kind": "horoscope"}, {"kind": "rfm", "where": ["colour=red"]}, {"kind": "rfm", "from_": "2020-01"}):
        with pytest.raises(PiyingError):
            asking.ask_later(services, body, asked_by="cli")
    with services.read_jobs() as tx:
        assert tx.execute(sa.select(sa.func.count()).select_from(Job).where(Job.kind == asking.ASK)).scalar_one() == 0


def test_a_release_that_nobody_made_is_not_found(services: Services) -> None:
    with pytest.raises(NotFound):
        asking.show_release(services, "rel_000000000000000000000000")


def test_the_budget_tells_every_month_and_what_the_caps_mean(services: Services) -> None:
    known = asking.budget(services)
    assert len(known["items"]) >= 3
    for month in known["items"]:
        assert month["left_nano"] == month["cap_nano"] - month["spent_nano"]
        assert 0 <= month["epsilon_spent"] <= month["epsilon_cap"]
    assert set(known["epsilon"]) == {"1", "12", "24", "since_joining"}


def test_a_closed_month_stays_as_it_is(services: Services) -> None:
    month = last_closed(services)
    before = spent(services)
    told = asking.close_month(services, month, actor="cli")
    assert told == {"month": month, "closed": False, "already": True, "norms": True, "bought": [], "missing": {}}
    assert spent(services) == before


def test_closing_is_logged_before_anything_is_read_and_not_done_without(services: Services) -> None:
    month = last_closed(services)
    asking.close_month(services, month, actor="cli")
    with services.read_console() as tx:
        first = next(one for one in lines(tx, Filter(), limit=20).items if one.action == "month.close")
    assert first.facts == {"month": month}
    services.log = RefusingLog()  # type: ignore[assignment]
    with pytest.raises(Unavailable) as refused:
        asking.close_month(services, month, actor="cli")
    assert refused.value.code == "log_unavailable"


def test_a_month_is_not_closed_while_another_process_writes_the_lake(services: Services) -> None:
    with services.begin_jobs() as tx:
        assert housekeeping.take_lease(tx, LEASE, "elsewhere:1:1", now=services.clock())
    with pytest.raises(Unavailable) as busy:
        asking.close_month(services, last_closed(services), actor="cli")
    assert busy.value.code == "lake_busy"


def test_a_month_that_is_not_over_is_not_closed(services: Services) -> None:
    """Nor in the week after: what comes late would be left out for ever, and its norms could not be bought."""
    with services.read_console() as tx:
        before = len(lines(tx, Filter(), limit=100).items)
    services.clock = lambda: datetime(2031, 3, 7, 12, tzinfo=UTC)
    with pytest.raises(Refused) as wrong:
        asking.close_month(services, 203102, actor="cli")
    assert wrong.value.code == "period_open"
    with services.read_console() as tx:
        assert len(lines(tx, Filter(), limit=100).items) == before
    assert not services.reader.month_closed("person_month", 203102)


def test_nothing_is_due_where_everything_is_closed_or_nothing_came(services: Services) -> None:
    assert asking.close_due(services) == {"month": None}
    later = services.clock() + timedelta(days=62)
    services.clock = lambda: later
    assert asking.close_due(services) == {"month": None}


def test_a_month_in_which_something_came_is_closed_when_it_is_due_and_once(home: Path, tmp_path: Path) -> None:
    today = utc_now().astimezone(ZONE)
    file = tmp_path / "tills.csv"
    allowing = (home / ERASURES).read_text(encoding="utf-8").splitlines()[1]
    row = f"R1,1,{today.replace(hour=0, minute=0):%Y-%m-%d %H:%M:%S},S01,D01,1,15,0,15,{allowing}\n"
    file.write_text("receipt,line,at,store,sku,cups,price,off,paid,card\n" + row, encoding="utf-8")
    mapping = str(ROOT / "ingestion/sources/mappings/retail_tills.toml")
    assert told(home, "import", str(file), "--source", "demo-pos", "--mapping", mapping)["stored"] == 1
    assert told(home, "flush")["rows"] == 1
    month = today.year * 100 + today.month
    due = datetime(today.year + today.month // 12, today.month % 12 + 1, 8, tzinfo=ZONE)
    for at, closes in ((due - timedelta(seconds=1), False), (due, True), (due, False)):
        with closing(open_services(home=home, at=at.isoformat())) as services:
            assert asking.close_due(services)["month"] == (month if closes else None)
