"""What changes hands on the way to a recipient: a parcel, how an attempt ended, whatever carries it.

Promise: nothing here says anything of anybody but the parcel's own bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import pyarrow as pa
    import sqlalchemy as sa

    from privacy.records import SealedExport


@dataclass(frozen=True, slots=True)
class Parcel:
    """What is carried to a recipient in one go. `key` is the same however often it is sent, so that the recipient takes it once; neither it
    nor `name` says anything of anybody."""

    key: str
    name: str
    media: str
    body: bytes = field(repr=False)
    method: str = "POST"
    signature: str = ""
    """Ours, detached, over key and body, for whoever checks that it comes from us."""


@dataclass(frozen=True, slots=True)
class Sent:
    """How an attempt to deliver ended: `acknowledged`, `offered` (it lies there and is not taken yet), `again` or `refused`, with a code.

    `reached` is false where it is certain that nothing left: then nobody has to be told of it later.
    """

    outcome: str
    code: str = ""
    retry_after: int | None = None
    reached: bool = True


class Destination(Protocol):
    """Carries parcels to one recipient. It answers how that ended, and raises nothing for what a recipient or a network does."""

    def look(self, key: str, name: str) -> Sent | None:
        """How something stands that was handed over under this key before; None where it was not, or where nobody can tell."""
        ...

    def send(self, parcel: Parcel) -> Sent:
        """One attempt."""
        ...


class Delivery(Protocol):
    """Takes a released list towards its recipient: queued in the transaction that releases it, so that neither stands without the other.

    `people` are the ids beside the rows of `table` (empty bytes for a control row): in memory only, for whoever has to take somebody out of the
    list later. Whoever carries it asks the gate for the bytes at the moment of sending, because people may have said no since.
    """

    def queue(self, tx: sa.Connection, export: SealedExport, people: Sequence[bytes], table: pa.Table) -> None:
        """Takes it on; its manifest names the form and the consents of everybody in it. Raises Refused where removals are overdue there."""

    def gone(self, tx: sa.Connection, export: str, people: Sequence[bytes]) -> None:
        """Whom the gate left out of a new revision of an export that was queued."""

    def leaving(self, tx: sa.Connection, recipient: str) -> set[bytes]:
        """The consent handles of people whom a recipient is being told to remove: nobody of them is added there meanwhile."""
        ...
