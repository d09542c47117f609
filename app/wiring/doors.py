"""Stores, keys and the doors of privacy."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from app import processes, rates
from app.pace import Pace
from app.settings import Settings
from app.stores import Role, Stores
from ingestion import inbox, live, pipeline, quality, signatures
from privacy import custody
from privacy.admission import showing
from privacy.admission.door import Admission, AdmissionTools
from privacy.audit import checkpoint
from privacy.audit.log import AuditLog, head, oldest, ready
from privacy.consent import registry as purposes
from privacy.consent import tally
from privacy.dictionary import catalogue
from privacy.errors import Locked
from privacy.identity import assertions
from privacy.identity.box import VaultBox

if TYPE_CHECKING:
    from privacy.audit.reading import Filter
    from privacy.audit.unusual import Office
    from privacy.identity.keys import Keyring
    from privacy.oversight.cases import Cases
    from privacy.oversight.door import Oversight
    from privacy.oversight.kinship import Kinship
    from privacy.oversight.wards import Wards
    from privacy.preferences import Preferences
    from privacy.release import Releases
    from privacy.retention import LogEnds

Transaction = AbstractContextManager[sa.Connection]
LEASE = "lake"


def utc_now() -> datetime:
    """The clock."""
    return datetime.now(UTC)


class Doors:
    """Stores, keys and the doors of privacy, each made when first used."""

    def __init__(
        self, settings: Settings, stores: Stores, *, lock: Locked | None, keyring: Keyring | None, clock: Callable[[], datetime]
    ) -> None:
        self.settings = settings
        self.stores = stores
        self.lock = lock
        self.clock = clock
        self.log = AuditLog(clock, secrets.token_bytes)
        self._keyring = keyring
        self.process = processes.name()
        self.gone = processes.gone

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
    def pace(self) -> Pace:
        """When client keys are answered, in this process."""
        return Pace(self.settings.limits.public_answer / 1000)

    @cached_property
    def limiter(self) -> rates.Limiter:
        return rates.Limiter(self.begin_intake, self.clock)

    def signed(self, public_key: str, message: bytes, signature: bytes) -> bool:
        """Whether the private half of a source's public key signed the message."""
        return assertions.signed(public_key, message, signature)

    def checked_public_key(self, pem: str) -> str:
        """A source's public key in its one spelling; raises Invalid."""
        return assertions.public_key(pem)

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
            ring=self.ring,
        )

    @cached_property
    def ring(self) -> live.Ring:
        """This process's side of live events."""
        known = catalogue.load()
        return live.Ring(lambda part, rows: showing.shown(known, part, rows, zone=self.settings.zone), secrets.token_bytes)

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
            unknown_age=self.settings.privacy.unknown_age,
        )

    @cached_property
    def oversight(self) -> Oversight:
        from privacy.oversight.door import Oversight

        return Oversight(
            begin_platform=self.begin_console,
            read_platform=self.read_console,
            read_vault=self.stores.read_vault,
            keyring=self.open_keyring(),
            log=self.log,
            clock=self.clock,
            zone=self.settings.zone,
        )

    @cached_property
    def wards(self) -> Wards:
        from privacy.oversight.wards import Wards

        return Wards(
            begin_platform=self.begin_console,
            read_platform=self.read_console,
            read_vault=self.stores.read_vault,
            keyring=self.open_keyring(),
            log=self.log,
            clock=self.clock,
            zone=self.settings.zone,
        )

    @cached_property
    def kinship(self) -> Kinship:
        from privacy.oversight.kinship import Kinship

        return Kinship(
            begin_vault=self.stores.begin_vault,
            random=secrets.token_bytes,
            begin_platform=self.begin_intake,
            read_platform=self.read_intake,
            read_vault=self.stores.read_vault,
            keyring=self.open_keyring(),
            log=self.log,
            clock=self.clock,
            zone=self.settings.zone,
        )

    @cached_property
    def cases(self) -> Cases:
        from privacy.oversight.cases import Cases

        return Cases(
            begin_vault=self.stores.begin_vault,
            random=secrets.token_bytes,
            begin_platform=self.begin_intake,
            read_platform=self.read_intake,
            read_vault=self.stores.read_vault,
            keyring=self.open_keyring(),
            log=self.log,
            clock=self.clock,
            zone=self.settings.zone,
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
        return Releases(self.begin_analysis, self.log, self.clock, secrets.token_bytes, settings, holder=self.process, gone=self.gone)

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

    def share_secret(self, source_id: str, scheme: str, secret: str, *, actor: str) -> int:
        """Keeps the secret that a source signs its messages with; returns its number."""
        return custody.share_secret(
            source_id,
            scheme,
            secret.encode(),
            self.open_keyring(),
            self.stores.begin_vault,
            self.begin_console,
            self.log,
            clock=self.clock,
            random=secrets.token_bytes,
            actor=actor,
        )

    def check_signature(self, source_id: str, header: Callable[[str], str], body: bytes) -> None:
        """Raises Refused unless the body is signed with a secret of the source."""
        known = custody.shared_secrets(source_id, self.open_keyring(), self.stores.read_vault, clock=self.clock)
        signatures.check(header, body, known, now=self.clock())

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

    def log_filter(self, **wanted: Any) -> Filter:
        """What a reader of the access log asks for."""
        from privacy.audit.reading import Filter

        return Filter(**wanted)

    def check_schema(self, store: str) -> None:
        """Raises WrongSchema unless the store's schema is this program's own."""
        from migrations import run

        with self.stores.read_vault() if store == "vault" else self.read_jobs() as tx:
            run.check(tx, "vault" if store == "vault" else "platform")

    def over_budget(self) -> list[int]:
        """Months whose ledger is over its cap: always none, or something is very wrong."""
        from privacy.dp import ledger

        with self.read_console() as tx:
            return [month for month, account in ledger.accounts(tx).items() if account.spent_nano > account.cap_nano]

    def log_state(self, tx: sa.Connection) -> tuple[int, datetime | None]:
        """How many entries the access log has, and when it was last signed."""
        newest = checkpoint.latest(tx)
        return head(tx).size, None if newest is None else newest[0]

    def log_oldest(self, tx: sa.Connection) -> datetime | None:
        """When the first entry of the access log was written."""
        return oldest(tx)

    def office(self) -> Office:
        """When people are expected to work here."""
        from privacy.audit.unusual import Office

        return Office(self.settings.time_zone, self.settings.log.office_from, self.settings.log.office_until)

    def consent_by_day(self, tx: sa.Connection, *, since: datetime) -> dict[tuple[date, str], tuple[int, int]]:
        """(day, purpose) → (grants, withdrawals and refusals) that were recorded since an instant."""
        return tally.acts_by_day(tx, since=since, zone=self.settings.zone)

    def anything_came(self, tx: sa.Connection) -> bool:
        """Whether any source ever sent an item."""
        return quality.anything(tx)

    def log_ready(self, tx: sa.Connection) -> bool:
        """Whether an entry could be added to the access log."""
        return ready(tx)

    def inbox_age(self) -> int:
        """Seconds that the oldest batch has waited."""
        with self.read_jobs() as tx:
            return int(inbox.age(tx, self.clock()).total_seconds())

    def end_cases(self, tx: sa.Connection) -> tuple[int, int]:
        """Removes the cases of officers that are over, and counts of what a no kept out that are too old; how many of each."""
        from privacy.consent import stopped
        from privacy.oversight import casebook

        now = self.clock()
        return casebook.sweep(tx, now), stopped.sweep(tx, now.astimezone(self.settings.time_zone).date())

    @property
    def log_ends(self) -> LogEnds:
        """Ends what old entries of the access log say; only the console's account may."""
        from privacy.retention import LogEnds

        return LogEnds(begin=self.begin_console, read=self.read_console, log=self.log, clock=self.clock)

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
