"""The bytes of one part, in the recipient's own form: assembled at the moment at which they leave.

Promise: the same rows make the same plain bytes, in the order of their own values; a row that two exports brought goes once; whatever is not
pushed into the recipient's own interface is sealed for its key. A signature binds the bytes to the part's key.
Must never learn: who the rows are, an address to send them to.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import pyarrow as pa

from privacy import errors
from privacy.carriage import Parcel
from privacy.delivery.delivered import PUSH, Export
from privacy.delivery.register import REMOVE, Delivery
from privacy.identity import envelope, sealingkeys
from privacy.identity.forms import book, lines, partner
from privacy.identity.forms.shape import Action, Filled
from privacy.records import RandomBytes

PARTNER: Final = "pseudonymous"
"""The form of a partner's table; every other form is a family of the book."""
ROWS_OF_A_FILE: Final = 50_000
SIGNED: Final = b"piying-delivery-1\n"
_METHODS: Final = frozenset({"POST", "PUT", "PATCH", "DELETE"})


def rows_per_part(export: Export) -> int:
    """How many people one part holds: what the family takes in one request, or as much as is sealed in one file."""
    return book.form(export.family).batch or ROWS_OF_A_FILE if in_requests(export) else ROWS_OF_A_FILE


def in_requests(export: Export) -> bool:
    """Whether it goes as requests of the family's own interface; everything else goes as files."""
    return export.way == PUSH and export.family != PARTNER and book.form(export.family).body is not None


def in_clear(export: Export) -> bool:
    """Whether it goes without an envelope: pushed into the interface of a family that takes digests."""
    return in_requests(export) and not book.form(export.family).sealed


def lane_of(way: str, family: str, columns: Sequence[str], target: Mapping[str, Any]) -> str:
    """The same for exports that end in the same list of a recipient."""
    text = json.dumps([way, family, list(columns), dict(target)], ensure_ascii=True, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def plain(export: Export, rows: Sequence[Mapping[str, Any]], action: str) -> bytes:
    """The bytes of rows of one export, added or removed."""
    does = Action.REMOVE if action == REMOVE else Action.ADD
    distinct = sorted({json.dumps(row, ensure_ascii=True, sort_keys=True): row for row in rows}.items())
    given = [row for _, row in distinct]
    columns = {name: [row.get(name) for row in given] for name in export.columns}
    if export.family == PARTNER:
        table = pa.table(columns)
        gone = partner.removal(pa.array(columns[partner.PSEUDONYM], pa.string())) if does is Action.REMOVE else table
        return b"".join(lines.csv(gone, bare=[partner.PSEUDONYM]))
    form = book.form(export.family)
    table = pa.table({name: pa.array(values, pa.string()) for name, values in columns.items()})
    filled = Filled(form, table, pa.array(range(len(given)), pa.int64()), {})
    if not in_requests(export):
        return b"".join(lines.file(filled, does))
    pieces = list(lines.requests(filled, does, dict(export.target)))
    if len(pieces) > 1:
        raise errors.Invalid("a part is one request", code="part_too_large")
    return pieces[0] if pieces else b""


def name_of(one: Delivery, export: Export) -> str:
    """What a parcel is called, known before it is put together."""
    stem = f"{one.action}-{one.batch}-{one.part:04}"
    return stem + (".json" if in_requests(export) else ".csv") + ("" if in_clear(export) else ".sealed")


def parcel(
    one: Delivery, export: Export, content: bytes, *, sealed_for: str | None, people: int, sign: Callable[[bytes], bytes], random: RandomBytes,
) -> Parcel:  # fmt: skip
    """The part as it is carried; `sealed_for` is the recipient's public key as it was registered."""
    media = "application/json"
    if not in_clear(export):
        if sealed_for is None:
            raise errors.Refused("This form travels only sealed for its recipient.", code="recipient_key_missing", field="sealing_key")
        about = {"form": export.family, "action": one.action, "rows": people, "part": one.part, "batch": one.batch}
        content, media = b"".join(envelope.seal([content], _key(sealed_for), about, random=random)), "application/octet-stream"
    return signed(one, export, content, media, sign=sign)


def signed(one: Delivery, export: Export, content: bytes, media: str, *, sign: Callable[[bytes], bytes]) -> Parcel:
    """Bytes that are ready to go, with our signature over them and the part's key."""
    word = book.form(export.family).words[Action.REMOVE if one.action == REMOVE else Action.ADD] if in_requests(export) else ""
    signature = base64.b64encode(sign(SIGNED + one.key.encode() + b"\n" + hashlib.sha256(content).digest())).decode()
    return Parcel(one.key, name_of(one, export), media, content, word if word in _METHODS else "POST", signature)


def _key(text: str) -> bytes:
    key = sealingkeys.checked(text.removeprefix(envelope.KEY_PREFIX))
    if key.algorithm != sealingkeys.X25519:
        raise errors.Refused("Files are sealed for keys of X25519.", code="recipient_key_algorithm", field="sealing_key")
    return envelope.read_key(envelope.KEY_PREFIX + key.text)
