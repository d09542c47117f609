"""What a removal is made of: its lanes, its signed manifest, and what the tables say of it.

Promise: a lane is one list at the recipient, with its distinct rows cut into parts; the manifest names counts and digests of the plain bytes
and the exports out of which they are. Must never learn: who is removed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from privacy.consent import flags, ledger
from privacy.delivery import bodies
from privacy.delivery.delivered import Export
from privacy.delivery.holdings import Held
from privacy.delivery.register import ACKNOWLEDGED, ADD, REMOVE, DeliveryRow
from privacy.delivery.suppressions import SuppressionDeltaRow
from privacy.orm import Instant

_DELIVERY: Any = DeliveryRow.__table__
_DELTA: Any = SuppressionDeltaRow.__table__
FORMAT = "piying-suppression-1"


def lanes(held: Sequence[Held], exports: Mapping[str, Export]) -> dict[str, dict[str, Any]]:
    """Lane → family, exports, people, parts and the digest of each part's plain bytes."""
    rows: dict[str, list[Held]] = {}
    for row in held:
        rows.setdefault(exports[row.export].lane, []).append(row)
    found: dict[str, dict[str, Any]] = {}
    for lane, mine in rows.items():
        export = exports[mine[0].export]
        pieces = cut(mine, export)
        digests = [hashlib.sha256(bodies.plain(export, [row.row for row in piece], REMOVE)).hexdigest() for piece in pieces]
        people = len({row.handle for row in mine})
        sources = sorted({row.export for row in mine})
        found[lane] = {"family": export.family, "exports": sources, "people": people, "parts": len(digests), "sha256": digests}
    return found


def cut(held: Sequence[Held], export: Export) -> list[list[Held]]:
    """Rows of one lane in the parts in which they go, all rows of a person in one."""
    size, marks = bodies.rows_per_part(export), sorted({row.handle for row in held})
    pieces = []
    for start in range(0, len(marks), size):
        chosen = set(marks[start : start + size])
        pieces.append([row for row in held if row.handle in chosen])
    return pieces


def manifest(id_: str, recipient: str, now: datetime, people: int, lanes: Mapping[str, Mapping[str, Any]]) -> str:
    """What is signed of a removal."""
    facts = {
        "format": FORMAT,
        "removal": id_,
        "recipient": recipient,
        "made_at": now.isoformat(),
        "people": people,
        "lists": [{"list": lane, **facts} for lane, facts in sorted(lanes.items())],
    }
    return json.dumps(facts, ensure_ascii=True, sort_keys=True, separators=(",", ":"))


def exports_of(tx: sa.Connection, id_: str, lane: str | None = None) -> set[str]:
    """The exports out of which a removal takes people, in one of its lists or in all."""
    told = tx.execute(sa.select(_DELTA.c.manifest).where(_DELTA.c.id == id_)).scalar_one()
    return {name for one in json.loads(told)["lists"] if lane in (None, one["list"]) for name in one["exports"]}


def positions(tx: sa.Connection) -> tuple[int, int]:
    """The last position of the ledger of consent, and one of the flags that changes with every flag that is set or forgotten."""
    return ledger.head(tx), flags.head(tx) + (flags.count(tx) << 32)


def acted(tx: sa.Connection, seq: int) -> list[bytes]:
    """The consent handles of everybody who acted after a position, each once."""
    joined = ledger.acted_handles(tx, seq)
    return list(dict.fromkeys(joined[start : start + 16] for start in range(0, len(joined), 16)))


def sent_parts(tx: sa.Connection, recipient: str) -> set[tuple[str, int]]:
    """(export, part) of everything that was pushed to a recipient, or may have been."""
    asked = sa.select(_DELIVERY.c.batch, _DELIVERY.c.part).where(
        _DELIVERY.c.recipient == recipient, _DELIVERY.c.action == ADD, _DELIVERY.c.first_sent_at.is_not(None)
    )
    return {(batch, part) for batch, part in tx.execute(asked)}


def acknowledged(tx: sa.Connection) -> list[tuple[str, str]]:
    """(removal, recipient) of removals that are not closed and have no part left."""
    left = sa.exists().where(_DELIVERY.c.batch == _DELTA.c.id, _DELIVERY.c.state != ACKNOWLEDGED)
    asked = sa.select(_DELTA.c.id, _DELTA.c.recipient).where(_DELTA.c.acknowledged_at.is_(None), ~left)
    return [(id_, recipient) for id_, recipient in tx.execute(asked)]


def listing(
    tx: sa.Connection, *, recipient: str = "", before: tuple[datetime, str] | None = None, limit: int = 200
) -> list[dict[str, Any]]:
    """Removals as they are shown, newest first; the manifest is the signed text itself."""
    asked = sa.select(_DELTA).order_by(_DELTA.c.made_at.desc(), _DELTA.c.id.desc()).limit(limit)
    if recipient:
        asked = asked.where(_DELTA.c.recipient == recipient)
    if before is not None:
        asked = asked.where(sa.tuple_(_DELTA.c.made_at, _DELTA.c.id) < sa.tuple_(sa.literal(before[0], Instant), sa.literal(before[1])))
    return [
        {name: value.isoformat() if isinstance(value, datetime) else value for name, value in row._mapping.items()}
        for row in tx.execute(asked)
    ]
