"""Who is in which delivered export, in the vault: the row as it left, sealed, under a mark that only this recipient's key makes.

Promise: a mark is a permutation of the person's id under a key of the recipient's own, so two recipients' marks never meet; a row is sealed
under another key of the recipient and opens only at its mark and in its export. Nothing here is readable without the keys. Rows are kept by
export idempotently, before the platform's transaction that queues the export; what no export claims is swept. A control row bears a mark of nobody.
Must never learn: an address of anybody in clear outside a call, what was allowed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

import orjson
import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from privacy.identity import bulk, pseudonyms, sealed
from privacy.identity.keys import Keyring
from privacy.orm import Instant, VaultBase, to_micros
from privacy.records import RandomBytes

PLACE: Final = sealed.Place("export_holding", "sealed")
HANDLE_BYTES: Final = 16
AT_ONCE: Final = 50_000
"""Rows that are sealed together: what bounds the memory of an export."""


class HoldingRow(VaultBase):
    """One row of one export at one recipient."""

    __tablename__ = "export_holding"
    __table_args__ = (sa.Index("ix_export_holding_recipient_handle", "recipient", "handle"),)

    export: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    handle: Mapped[bytes] = mapped_column(sa.LargeBinary(HANDLE_BYTES), primary_key=True)
    recipient: Mapped[str] = mapped_column(sa.String(40))
    part: Mapped[int] = mapped_column(sa.Integer)
    control: Mapped[bool] = mapped_column(sa.Boolean)
    sealed: Mapped[bytes] = mapped_column(sa.LargeBinary)
    kept_at: Mapped[datetime] = mapped_column(Instant)


_HOLDING: Any = HoldingRow.__table__
_COLUMNS: Final = ("export", "handle", "recipient", "part", "control", "sealed", "kept_at")


class Held(NamedTuple):
    """A row that a recipient has; `row` is in its own form."""

    export: str
    part: int
    handle: bytes
    control: bool
    row: Mapping[str, Any]


def marks(keyring: Keyring, recipient: str, people: Sequence[bytes]) -> list[bytes]:
    """What this module calls people at one recipient."""
    return _blocks(pseudonyms.handles(b"".join(people), keyring.block_cipher(pseudonyms.HELD, recipient))) if people else []


def people(keyring: Keyring, recipient: str, handles: Sequence[bytes]) -> list[bytes]:
    """The people behind marks."""
    return _blocks(keyring.inverse_block_cipher(pseudonyms.HELD, recipient)(b"".join(handles))) if handles else []


def keep(
    tx: sa.Connection,
    keyring: Keyring,
    *,
    recipient: str,
    export: str,
    persons: Sequence[bytes],
    table: pa.Table,
    rows_per_part: int,
    now: datetime,
    random: RandomBytes,
) -> int:
    """Keeps the rows of an export in their order and returns how many parts they make; again is no error. No person: a control row."""
    cipher = sealed.aead(_key(keyring, recipient), keyring.profile.sealing)
    stamp, size = to_micros(now), max(1, rows_per_part)
    tx.execute(sa.delete(_HOLDING).where(_HOLDING.c.export == export))
    for start in range(0, len(persons), AT_ONCE):
        some, rows = persons[start : start + AT_ONCE], table.slice(start, AT_ONCE).to_pylist()
        known = iter(marks(keyring, recipient, [person for person in some if person]))
        handles = [next(known) if person else random(HANDLE_BYTES) for person in some]
        owners = [_owner(export, handle) for handle in handles]
        closed = sealed.seal_many([cipher] * len(rows), sealed.DATA_KEY_VERSION, PLACE, owners, [orjson.dumps(row) for row in rows], random)
        given = [
            (export, handle, recipient, place // size, not person, box, stamp)
            for place, (handle, person, box) in enumerate(zip(handles, some, closed, strict=True), start)
        ]
        bulk.insert(tx, _HOLDING, _COLUMNS, given)
    return -(-len(persons) // size)


def of_part(tx: sa.Connection, keyring: Keyring, recipient: str, export: str, part: int) -> list[Held]:
    """The rows of one part of an export, opened."""
    asked = sa.select(_HOLDING).where(_HOLDING.c.export == export, _HOLDING.c.part == part).order_by(_HOLDING.c.handle)
    return _opened(keyring, recipient, tx.execute(asked).all())


def of_people(tx: sa.Connection, keyring: Keyring, recipient: str, handles: Collection[bytes], exports: Collection[str]) -> list[Held]:
    """What a recipient has of people out of some of its exports, opened, in the order of the marks."""
    rows = [row for row in _rows(tx, recipient, handles) if row.export in exports]
    return _opened(keyring, recipient, sorted(rows, key=lambda row: (bytes(row.handle), row.export)))


def places(tx: sa.Connection, recipient: str, handles: Collection[bytes] | None = None) -> list[tuple[bytes, str, int]]:
    """(mark, export, part) of the people that a recipient has, of all or of some; control rows left out. Opens nothing."""
    if handles is not None:
        return [(bytes(row.handle), row.export, row.part) for row in _rows(tx, recipient, handles) if not row.control]
    asked = sa.select(_HOLDING.c.handle, _HOLDING.c.export, _HOLDING.c.part).where(
        _HOLDING.c.recipient == recipient, _HOLDING.c.control.is_(False)
    )
    return [(bytes(handle), export, part) for handle, export, part in tx.execute(asked)]


def forget(tx: sa.Connection, recipient: str, handles: Collection[bytes], *, export: str | None = None) -> int:
    """Forgets that a recipient had people, in all of its exports or in one."""
    ordered = sorted(handles)
    which = sa.delete(_HOLDING).where(_HOLDING.c.recipient == recipient)
    which = which if export is None else which.where(_HOLDING.c.export == export)
    return sum(tx.execute(which.where(_HOLDING.c.handle.in_(ordered[at : at + 500]))).rowcount for at in range(0, len(ordered), 500))


def sweep(tx: sa.Connection, exports: Iterable[str], *, before: datetime) -> int:
    """Deletes rows of exports that were never queued: a crash stood between the vault and the platform."""
    kept = set(exports)
    stale = set(tx.execute(sa.select(_HOLDING.c.export).where(_HOLDING.c.kept_at < before).distinct()).scalars()) - kept
    return sum(tx.execute(sa.delete(_HOLDING).where(_HOLDING.c.export == one)).rowcount for one in stale)


def end(tx: sa.Connection, exports: Iterable[str]) -> int:
    """Deletes the rows of exports that are over."""
    return sum(tx.execute(sa.delete(_HOLDING).where(_HOLDING.c.export == one)).rowcount for one in exports)


def _rows(tx: sa.Connection, recipient: str, handles: Collection[bytes]) -> list[Any]:
    ordered: list[bytes] = sorted(handles)
    found: list[Any] = []
    for start in range(0, len(ordered), 500):
        chosen = _HOLDING.c.handle.in_(ordered[start : start + 500])
        found += tx.execute(sa.select(_HOLDING).where(_HOLDING.c.recipient == recipient, chosen)).all()
    return found


def _opened(keyring: Keyring, recipient: str, rows: Sequence[Any]) -> list[Held]:
    key = _key(keyring, recipient)
    return [
        Held(
            row.export,
            row.part,
            bytes(row.handle),
            bool(row.control),
            orjson.loads(sealed.unseal(key, PLACE, _owner(row.export, bytes(row.handle)), bytes(row.sealed))),
        )
        for row in rows
    ]


def _key(keyring: Keyring, recipient: str) -> bytes:
    return keyring.mac_key(pseudonyms.HELD_ROW, recipient).key


def _owner(export: str, handle: bytes) -> bytes:
    return handle + export.encode()


def _blocks(joined: bytes) -> list[bytes]:
    return [joined[start : start + HANDLE_BYTES] for start in range(0, len(joined), HANDLE_BYTES)]
