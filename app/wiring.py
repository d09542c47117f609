"""Where concrete parts meet, and nowhere else: stores, keys, doors, workshops.

Promise: heavy parts (lake, engine, sampler) are made when they are first used. With missing or wrong keys the services are `locked`:
they can say so and do nothing else.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from app import asking, housekeeping, intake, jobs
from app.settings import Settings, load
from app.stores import Role, Stores, open_stores, register_dialect
from ingestion import inbox, pipeline
from ingestion.mapping import FileMapping, parse
from privacy import custody
from privacy.admission.door import Admission, AdmissionTools
from privacy.audit.log import AuditLog
from privacy.consent import registry as purposes
from privacy.dictionary import catalogue
from privacy.errors import Invalid, Locked, NotFound, Unavailable, WrongSchema
from privacy.identity.box import VaultBox

if TYPE_CHECKING:
    from analytics.lake.maintenance import LakeMaintenance
    from analytics.lake.reader import LakeReader
    from analytics.lake.writer import LakeWriter
    from analytics.reports.base import Options, Reports
    from ingestion.strictjson import Parsed
    from privacy.identity.keys import Keyring
    from privacy.oversight import Oversight
    from privacy.preferences import Preferences
    from privacy.records import RawBatch, SourceFacts
    from privacy.release import Releases

Transaction = AbstractContextManager[sa.Connection]
LEASE = "lake"


def utc_now() -> datetime:
    """The clock."""
    return datetime.now(UTC)


class Services:
    """The parts of one deployment, made when first used."""

    def __init__(
        self, settings: Settings, stores: Stores, *, lock: Locked | None, keyring: Keyring | None, clock: Callable[[], datetime]
    ) -> None:
        self.settings = settings
        self.stores = stores
        self.lock = lock
        self.clock = clock
        self.log = AuditLog(clock, secrets.token_bytes)
        self._keyring = keyring

    # ── transactions, by who needs them ──────────────────────────────────────────────────────────────────────────────────────

    def begin_console(self) -> Transaction:
        return self.stores.begin_platform(Role.CONSOLE)

    def read_console(self) -> Transaction:
        return self.stores.read_platform(Role.CONSOLE)

    def begin_intake(self) -> Transaction:
        return self.stores.begin_platform(Role.INTAKE)

    def read_intake(self) -> Transaction:
        return self.stores.read_platform(Role.INTAKE)

    def begin_jobs(self) -> Transaction:
        return self.stores.begin_platform(Role.JOBS)

    def read_jobs(self) -> Transaction:
        return self.stores.read_platform(Role.JOBS)

    def begin_analysis(self) -> Transaction:
        return self.stores.begin_platform(Role.ANALYSIS)

    # ── keys and doors ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def open_keyring(self) -> Keyring:
        """The keys; raises Locked."""
        if self._keyring is None:
            raise self.lock or Locked("keys are locked: run `piying doctor`")
        return self._keyring

    @cached_property
    def box(self) -> VaultBox:
        return VaultBox(
            self.stores.begin_vault, self.open_keyring(), clock=self.clock, random=secrets.token_bytes, read_vault=self.stores.read_vault
        )

    @cached_property
    def intake(self) -> pipeline.Intake:
        tools = AdmissionTools(
            begin_vault=self.stores.begin_vault,
            read_vault=self.stores.read_vault,
            read_platform=self.read_intake,
            keyring=self.open_keyring(),
            catalogue=catalogue.load(),
            log=self.log,
            clock=self.clock,
            random=secrets.token_bytes,
            zone=self.settings.zone,
        )
        return pipeline.Intake(
            admit=Admission(tools),
            begin=self.begin_intake,
            box=self.box,
            catalogue=catalogue.load(),
            clock=self.clock,
            zone=self.settings.zone,
            retention_days=self.settings.retention.lake_months * 31,
        )

    @cached_property
    def preferences(self) -> Preferences:
        from privacy.preferences import Preferences

        return Preferences(
            begin_vault=self.stores.begin_vault,
            begin_platform=self.begin_intake,
            keyring=self.open_keyring(),
            log=self.log,
            clock=self.clock,
            random=secrets.token_bytes,
            zone=self.settings.zone,
            read_vault=self.stores.read_vault,
            read_platform=self.read_intake,
        )

    @cached_property
    def oversight(self) -> Oversight:
        from privacy.oversight import Oversight

        return Oversight(
            begin_platform=self.begin_console,
            read_platform=self.read_console,
            read_vault=self.stores.read_vault,
            keyring=self.open_keyring(),
            log=self.log,
            clock=self.clock,
        )

    @cached_property
    def releases(self) -> Releases:
        from privacy.release import Releases, ReleaseSettings

        private = self.settings.privacy
        settings = ReleaseSettings(
            rho_per_month_nano=private.rho_per_month,
            delta=private.delta,
            zone=self.settings.zone,
            declared_members=private.declared_members,
            retention_months=self.settings.retention.lake_months,
        )
        return Releases(self.begin_analysis, self.log, self.clock, secrets.token_bytes, settings, holder=f"pid-{os.getpid()}")

    # ── the lake ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

    @cached_property
    def _lake(self) -> Any:
        from analytics.lake import tables

        register_dialect()
        catalog = tables.open_catalogue(self.settings.catalogue_url, self.settings.lake_path)
        tables.ensure(catalog, catalogue.load())
        return catalog

    @cached_property
    def writer(self) -> LakeWriter:
        from analytics.lake.writer import LakeWriter

        return LakeWriter(self._lake, catalogue.load(), secrets.token_bytes)

    @cached_property
    def maintenance(self) -> LakeMaintenance:
        from analytics.lake.maintenance import LakeMaintenance

        return LakeMaintenance(self._lake, catalogue.load(), secrets.token_bytes)

    @cached_property
    def reader(self) -> LakeReader:
        from analytics.engine import Engine
        from analytics.lake.reader import LakeReader

        limits = self.settings.limits
        engine = Engine(
            self.settings.lake_path, self.settings.temp_path, threads=limits.engine_threads, memory=f"{limits.engine_memory}MiB"
        )
        return LakeReader(self._lake, catalogue.load(), engine, self.preferences.population)

    @cached_property
    def reports(self) -> Reports:
        from analytics.reports.base import House, Reports
        from analytics.reports.kinds import KINDS
        from analytics.reports.norms import StoreMonthNorms

        house = House(catalogue.load(), self.settings.zone, self.settings.currency)
        return Reports(self.reader, self.releases, house, KINDS, StoreMonthNorms())

    def report_options(self, asked: Mapping[str, Any]) -> Options:
        """A request's words as options; without a period the last month that is closed by the calendar."""
        from analytics.reports.base import Options

        if asked["first"] is None:
            today = self.clock().astimezone(self.settings.time_zone).date()
            first = today.replace(day=1) - timedelta(days=1 if today.day > 7 else 32)
            last = first
            start = end = first.year * 100 + last.month
        else:
            start, end = asking.month_of(asked["first"], "from"), asking.month_of(asked["last"], "to")
        return Options(start, end, tuple(asked["by"]), tuple(asked["where"]))

    def close_month(self, month: int) -> bool:
        """Writes the month's person_month rows; false if it was closed before."""
        from analytics.profiles import close_month

        return close_month(self.reader, self.writer, month, zone=self.settings.zone, now=self.clock())

    @contextmanager
    def lake_lease(self) -> Iterator[None]:
        """One writer of the lake at a time, in any process; raises Unavailable while another holds the lease."""
        holder = f"{os.getpid()}-{secrets.token_hex(6)}"
        with self.begin_jobs() as tx:
            if not housekeeping.take_lease(tx, LEASE, holder, now=self.clock()):
                raise Unavailable("another process is writing the lake", code="lake_busy", retry_after=5)
        try:
            yield
        finally:
            with self.begin_jobs() as tx:
                housekeeping.give_lease_back(tx, LEASE, holder)

    # ── sources: the only place that names them ──────────────────────────────────────────────────────────────────────────────

    def messages(self, source: SourceFacts, kind: str, parsed: Parsed, request_id: str) -> RawBatch:
        """A request's messages, read by the adapter of the source's kind."""
        from ingestion.sources import segment

        if source.kind not in ("segment", "rudderstack"):
            raise Invalid("this source does not send messages here", code="wrong_endpoint")
        only = None if kind == "batch" else kind
        return segment.read(parsed, source, catalogue.load(), received_at=self.clock(), request_id=request_id, only=only)

    def mapping(self, path: Path) -> FileMapping:
        """A mapping file; raises Invalid with the place that is wrong."""
        try:
            return parse(path.read_text("utf-8"), catalogue.load())
        except FileNotFoundError:
            raise NotFound("there is no such mapping file", code="mapping_unknown", field="mapping") from None

    def read_file(self, path: Path, source: SourceFacts, progress: Callable[[int, int], None]) -> Iterator[RawBatch]:
        """A file's chunks; `progress` hears how much of the file was read, of how much."""
        from ingestion.sources import files

        yield from files.read(path, source, clock=self.clock, chunk_rows=self.settings.limits.import_rows, progress=progress)

    def replayed(self, source: SourceFacts, payloads: Sequence[bytes], mapping_path: Path | None) -> tuple[RawBatch, FileMapping | None]:
        """Held payloads as a batch again: messages by their adapter, rows of files by a mapping."""
        from ingestion import strictjson
        from ingestion.sources import files, segment

        if source.kind != "file":
            parsed = strictjson.loads(b'{"batch":[' + b",".join(payloads) + b"]}")
            return segment.read(parsed, source, catalogue.load(), received_at=self.clock(), request_id=""), None
        if mapping_path is None:
            raise Invalid("rows of a file need a mapping", code="mapping_missing", field="mapping")
        return files.replayed(source, payloads, now=self.clock()), self.mapping(mapping_path)

    def synthetic(self, folder: Path, *, members: int, first: date, last: date) -> dict[str, Path]:
        """Files of an invented retailer."""
        from ingestion.sources import synthetic

        return synthetic.write(folder, synthetic.Retailer(members, first, last))

    # ── facts ────────────────────────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def base_url(self) -> str:
        server = self.settings.server
        return server.base_url or f"http://{server.host}:{server.port}"

    def seed_purposes(self, tx: sa.Connection) -> int:
        """Registers the first purposes that are not there yet."""
        return purposes.seed(tx, self.clock())

    def purposes(self, tx: sa.Connection) -> Mapping[str, purposes.Purpose]:
        """Every registered purpose."""
        return purposes.purposes(tx)

    def rotate_key(self, kind: str, *, actor: str) -> int:
        """Adds a key version while everything runs."""
        return custody.rotate(
            kind,
            self.open_keyring(),
            self.stores.begin_vault,
            self.begin_jobs,
            self.log,
            clock=self.clock,
            random=secrets.token_bytes,
            actor=actor,
        )

    def renew_keys(self) -> int:
        """One step of taking what is stored to the newest key versions; returns how many rows it renewed."""
        return custody.renew(self.open_keyring(), self.stores.begin_vault, random=secrets.token_bytes)

    def destroy_ephemeral_keys(self) -> int:
        """Destroys the keys whose time has come, and the sealed payloads that only they opened."""
        destroyed = custody.destroy_expired(self.stores.begin_vault, self.begin_jobs, self.log, clock=self.clock)
        self.box.sweep()
        return destroyed

    def log_page(self, *, before: int | None, actor: str) -> dict[str, Any]:
        """A page of the access log, newest first; the reading is logged first."""
        from dataclasses import asdict

        from privacy.audit.reading import Filter

        page = self.oversight.entries(Filter(), actor=actor, before=before)
        return {"items": [asdict(line) for line in page.items], "next": None if page.next is None else str(page.next)}

    def check_schema(self, store: str) -> None:
        """Raises WrongSchema unless the store's schema is this program's own."""
        from migrations import run

        with self.stores.read_vault() if store == "vault" else self.read_jobs() as tx:
            run.check(tx, "vault" if store == "vault" else "platform")

    def lake_tables(self) -> int:
        """How many tables of the lake open."""
        from analytics.lake import tables

        return len([tables.load(self._lake, name) for name in catalogue.load().tables])

    def over_budget(self) -> list[int]:
        """Months whose ledger is over its cap: always none, or something is very wrong."""
        from privacy.dp import ledger

        with self.read_jobs() as tx:
            return [month for month, account in ledger.accounts(tx).items() if account.spent_nano > account.cap_nano]

    def inbox_age(self) -> int:
        """Seconds that the oldest batch has waited."""
        with self.read_jobs() as tx:
            return int(inbox.age(tx, self.clock()).total_seconds())

    def sweep_orphans(self, older_than: timedelta) -> int:
        """Removes people whose batch never reached the platform."""
        from privacy.retention import Retention

        door = Retention(
            begin_vault=self.stores.begin_vault,
            begin_platform=self.begin_jobs,
            read_platform=self.read_jobs,
            keyring=self.open_keyring(),
            log=self.log,
            clock=self.clock,
        )
        return door.sweep_orphans(older_than)

    # ── scheduled work ───────────────────────────────────────────────────────────────────────────────────────────────────────

    schedule: Mapping[str, int] = {"flush": 5, "checkpoint": 60, "upkeep": 3600, "retention": 3600}
    """Kinds of jobs that come again, in seconds."""

    @cached_property
    def handlers(self) -> Mapping[str, jobs.Handler]:
        """What does the work of each kind of job."""
        return {
            asking.ASK: lambda job: asking.answer_job(self, job),
            "flush": lambda job: intake.flush(self),
            "checkpoint": lambda job: {"size": len(self.oversight.checkpoint())},
            "upkeep": lambda job: housekeeping.upkeep(self),
            "retention": lambda job: housekeeping.retention(self),
        }


def open_services(*, serving: bool = False, checking: bool = False, at: str | None = None, home: Path | None = None) -> Services:
    """The services of PIYING_HOME. Locked keys raise, except for a server (which answers 503) and the doctor (who says why)."""
    settings = load(home)
    clock = utc_now if at is None else _fixed(at)
    stores = open_stores(settings)
    if not settings.home.exists():
        raise NotFound("there is no home yet: run `piying init`", code="home_unknown")
    services = Services(settings, stores, lock=None, keyring=None, clock=clock)
    if not checking:
        for store in ("vault", "platform"):
            services.check_schema(store)
    try:
        services._keyring = custody.open_keyring(settings.keys_path, stores.read_vault)
    except Locked as locked:
        services.lock = locked
        if not (serving or checking):
            raise
    except WrongSchema:
        if not checking:
            raise
        services.lock = Locked("the vault cannot be read", code="keys_locked")
    return services


def _fixed(at: str) -> Callable[[], datetime]:
    try:
        moment = datetime.fromisoformat(at)
    except ValueError:
        raise Invalid("an instant is written in ISO 8601", code="bad_instant", field="at") from None
    if moment.tzinfo is None:
        raise Invalid("an instant needs a zone", code="bad_instant", field="at")
    return lambda: moment
