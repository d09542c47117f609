"""A whole deployment with people who allow everything and a recipient that may be given them: for the tests of the gate and its benchmark.

Promise: nothing of the gate is replaced; only who a segment means is told by the test, so that each says exactly whom it is about.
"""

from __future__ import annotations

import csv
import hashlib
import io
import secrets
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pyarrow as pa
import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from app.settings import load
from app.stores import open_stores
from app.wiring import Services
from privacy import custody
from privacy.dp import ledger as budget
from privacy.export.counts import Counter
from privacy.export.door import Exports, Wish
from privacy.export.making import Rules
from privacy.identity import envelope, pseudonyms, vault
from privacy.identity import open as opening
from privacy.identity.keys import Keyring
from privacy.records import Audience, SealedExport
from tests.fakes.paperwork import ADA, AGENCY, BOB, active
from tests.house import Clock, House

if TYPE_CHECKING:
    from flask import Flask

MONTH = 202605
PEOPLE = 200
RHO_NANO = 4_000_000
"""σ = 11.2: a count of 200 fails a minimum of 50 with its margin with a probability below 10⁻¹³, and one of 0 passes it with less."""
CAP_NANO = 200_000_000
PHONES = [f"+86138{number:08d}" for number in range(PEOPLE)]
PRIVATE = X25519PrivateKey.from_private_bytes(hashlib.sha256(b"the recipient of the tests").digest())
COLUMNS = {"gender": "quasi_identifier", "age_band": "quasi_identifier", "city": "quasi_identifier", "illness": "sensitive"}


def kind_of(address: str) -> str:
    """Some people have an e-mail address and no telephone."""
    return "email" if "@" in address else "phone"


def public_key(private: X25519PrivateKey = PRIVATE) -> str:
    """A recipient's key as the register writes it."""
    return envelope.written_key(private.public_key().public_bytes_raw()).removeprefix(envelope.KEY_PREFIX)


def opened(pieces: Sequence[bytes], private: X25519PrivateKey = PRIVATE) -> list[dict[str, str]]:
    """The rows of a sealed file, opened by the recipient's own program with the recipient's key."""
    clear = io.BytesIO()
    opening.unseal(io.BytesIO(b"".join(pieces)), private, clear)
    return list(csv.DictReader(io.StringIO(clear.getvalue().decode("utf-8-sig"))))


@contextmanager
def shop(template: Path, home: Path) -> Iterator[House]:
    """A house on a copy of a home, without its web application: the gate needs none, and making one takes longer than a release."""
    shutil.copytree(template, home, dirs_exist_ok=True)
    settings, clock = load(home, {}), Clock()
    stores = open_stores(settings)
    services = Services(settings, stores, lock=None, keyring=custody.open_keyring(settings.keys_path, stores.read_vault), clock=clock)
    made = House(services, cast("Flask", None), clock, {})
    try:
        yield made
    finally:
        made.close()


class Told:
    """A delivery that remembers what it was handed."""

    def __init__(self) -> None:
        self.queued: list[tuple[SealedExport, int]] = []
        self.left_out: list[tuple[str, int]] = []
        self.removing: set[bytes] = set()

    def queue(self, tx: sa.Connection, export: SealedExport, people: Sequence[bytes], table: pa.Table) -> None:
        assert len(people) == table.num_rows
        self.queued.append((export, table.num_rows))

    def gone(self, tx: sa.Connection, export: str, people: Sequence[bytes]) -> None:
        self.left_out.append((export, len(people)))

    def leaving(self, tx: sa.Connection, recipient: str) -> set[bytes]:
        return self.removing


class Scene:
    """A retailer whose people allow what a recipient needs, and segments that a test names. Made once on a home and found again on its copies."""

    def __init__(self, house: House, given: dict[str, Any] = AGENCY, phones: Sequence[str] = PHONES, **changes: Any) -> None:
        self.house, self.services, self.given = house, house.services, given | changes
        self.share = [f"share.{given['key']}"]
        self.segments: dict[str, Sequence[str]] = {"all": phones}
        self.tables: dict[str, pa.Table] = {}
        self.delivery = Told()
        known = [one for one in self.services.recipients.listing() if one["key"] == given["key"]]
        self.recipient = known[0]["id"] if known else self.prepare(phones)
        self.rules = Rules(controller="Lantern Tea", contact="privacy@lantern.example", opt_out="TD", unknown_age="include")
        self.door = self.gate()
        self.open_month()

    def prepare(self, phones: Sequence[str]) -> str:
        """The recipient with its papers, the people and their consents."""
        recipient = active(self.services, self.given, sealing_key=public_key())
        purposes = {"marketing.profiling", *self.given["purposes"], *self.share}
        for start in range(0, len(phones), 2_000):
            self.allow(phones[start : start + 2_000], sorted(purposes))
        return recipient

    def gate(self, rho_nano: int = RHO_NANO, **rules: Any) -> Exports:
        """The door over the house's own stores."""
        services, like = self.services, self.services.exports
        return Exports(
            begin_platform=services.begin_console,
            read_platform=services.read_console,
            read_vault=services.stores.read_vault,
            counter=Counter(begin=services.begin_analysis, read=services.read_console, cap_nano=CAP_NANO, rho_nano=rho_nano),
            keyring=self.ring,
            shelf=like._shelf,
            log=services.log,
            clock=services.clock,
            random=secrets.token_bytes,
            zone=services.settings.time_zone,
            audience=self.audience,
            attributes=self.columns,
            columns=COLUMNS,
            delivery=self.delivery,
            rules=replace(self.rules, **rules),
        )

    @property
    def ring(self) -> Keyring:
        return self.services.open_keyring()

    def allow(self, phones: Sequence[str], purposes: Sequence[str], state: str = "granted") -> None:
        """An act of each person about each purpose; every one is recorded or the test ends."""
        told = self.services.preferences.record(
            [
                {"identifier": {"type": kind_of(phone), "value": phone}, "purpose": purpose, "state": state, "default_state": "unchecked"}
                for phone in phones
                for purpose in purposes
            ],
            actor="test",
        )
        assert not [one for one in told if "code" in one], told

    def people(self, phones: Sequence[str]) -> list[bytes]:
        """The ids of people who are there."""
        with self.services.stores.read_vault() as tx:
            found = [vault.lookup(tx, self.ring, kind_of(phone), phone) for phone in phones]
        return [one for one in found if one]

    def names(self, people: Sequence[bytes]) -> list[int]:
        """Their virtual IDs in the month."""
        cipher = self.ring.block_cipher(pseudonyms.VIRTUAL_ID, str(MONTH))
        return [int(one) for one in pseudonyms.virtual_ids(b"".join(people), cipher).tolist()]

    def audience(self, segment: str) -> Audience:
        """Whom a segment means today; its digest is that of its people, so that another rule is another definition."""
        phones = self.segments[segment]
        digest = hashlib.sha256(segment.encode() if segment.startswith("same") else "".join(phones).encode()).hexdigest()
        rows = pa.array(sorted(self.names(self.people(phones))), pa.int64())
        return Audience("marketing.profiling", "messages", segment, 1, digest, MONTH, self.services.clock(), "fold-1", rows)

    def columns(self, audience: Audience, columns: Sequence[str]) -> pa.Table:
        """What the test says of people, by virtual ID."""
        known = self.tables[audience.segment]
        spots = {name: place for place, name in enumerate(known["virtual_id"].to_pylist())}
        return known.take(pa.array([spots[one] for one in audience.virtual_ids.to_pylist()])).select(list(columns))

    def say(self, segment: str, phones: Sequence[str], **columns: Sequence[str]) -> None:
        """Columns about people, in their order."""
        self.segments[segment] = phones
        self.tables[segment] = pa.table(
            {"virtual_id": self.names(self.people(phones)), **{name: list(one) for name, one in columns.items()}}
        )

    def wish(self, **changes: Any) -> Wish:
        """A good request."""
        wish = Wish(
            "all", "marketing.profiling", "messages", "sms", self.recipient, "sms", ("phone",), "A message about the new tea",
            self.services.clock() + timedelta(days=10),
        )  # fmt: skip
        return replace(wish, **changes)

    def approved(self, **changes: Any) -> str:
        """A request of one person that another approved."""
        made = self.door.request(self.wish(**changes), actor=ADA)
        self.door.approve(made["id"], actor=BOB)
        return str(made["id"])

    def released(self, **changes: Any) -> str:
        """A list that is there to be taken."""
        id_ = self.approved(**changes)
        self.door.release(id_, actor=BOB)
        return id_

    def opened(self, id_: str) -> list[dict[str, str]]:
        """The rows that the recipient reads."""
        return opened(list(self.door.take(id_, actor=BOB)[1]))

    def phones(self, id_: str) -> set[str]:
        """The telephones that the recipient reads."""
        return {row["phone"] for row in self.opened(id_)}

    def open_month(self) -> None:
        """The account that counts are paid from."""
        with self.services.begin_analysis() as tx:
            budget.settle(tx, [MONTH], CAP_NANO)
