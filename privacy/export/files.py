"""The register of released files: which revision lies where, what its signed manifest says, how often it was taken.

Promise: the bytes lie sealed for the recipient elsewhere; here stand their digest and the manifest. A download is counted before a byte is
given. It must never learn what is inside.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, Protocol

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from privacy.orm import Instant, PlatformBase
from privacy.records import SealedExport


class Shelf(Protocol):
    """Where sealed files lie. A file is on the disk, whole, when `put` answers; it never overwrites one."""

    def put(self, name: str, pieces: Iterable[bytes]) -> tuple[bytes, int]:
        """Keeps a file; its SHA-256 and size."""
        ...

    def open(self, name: str) -> Iterator[bytes]:
        """Its bytes; raises NotFound."""
        ...

    def remove(self, name: str) -> None:
        """Removes it; twice is no error."""
        ...


class FileRow(PlatformBase):
    """A revision of a released list. `officers` is the officer's part of the manifest."""

    __tablename__ = "export_file"

    export: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    revision: Mapped[int] = mapped_column(sa.Integer, primary_key=True, autoincrement=False)
    recipient: Mapped[str] = mapped_column(sa.String(40))
    file: Mapped[str] = mapped_column(sa.String(80))
    sha256: Mapped[bytes] = mapped_column(sa.LargeBinary(32))
    size: Mapped[int] = mapped_column(sa.BigInteger)
    rows: Mapped[int] = mapped_column(sa.BigInteger)
    manifest: Mapped[dict[str, Any]] = mapped_column(sa.JSON)
    officers: Mapped[dict[str, Any]] = mapped_column(sa.JSON)
    signature: Mapped[str] = mapped_column(sa.String(120))
    expires_at: Mapped[datetime] = mapped_column(Instant)
    downloads: Mapped[int] = mapped_column(sa.Integer)
    destroyed_at: Mapped[datetime | None] = mapped_column(Instant)


_FILE: Any = FileRow.__table__


def add(tx: sa.Connection, sealed: SealedExport, officers: Mapping[str, Any]) -> None:
    """Enters a revision."""
    row = {name: getattr(sealed, name) for name in SealedExport.__slots__}
    tx.execute(sa.insert(_FILE), [row | {"manifest": dict(sealed.manifest), "officers": dict(officers), "downloads": 0}])


def newest(tx: sa.Connection, export: str) -> tuple[SealedExport, dict[str, Any], int, bool] | None:
    """The newest revision, the officer's part of its manifest, how often it was taken, and whether it still lies there."""
    row = tx.execute(sa.select(_FILE).where(_FILE.c.export == export).order_by(_FILE.c.revision.desc()).limit(1)).first()
    if row is None:
        return None
    values = row._mapping
    sealed = SealedExport(**{name: values[name] for name in SealedExport.__slots__})
    return sealed, dict(row.officers), row.downloads, row.destroyed_at is None


def all_officers(tx: sa.Connection, export: str, *, lying: bool) -> list[dict[str, Any]]:
    """The officer's parts of all revisions that anybody got, the oldest first; with `lying`, of the one too that may still be taken."""
    left = _FILE.c.downloads > 0
    asked = sa.select(_FILE.c.officers).where(_FILE.c.export == export, sa.or_(left, _FILE.c.destroyed_at.is_(None)) if lying else left)
    asked = asked.order_by(_FILE.c.revision)
    return [dict(one) for one in tx.execute(asked).scalars()]


def count_download(tx: sa.Connection, export: str, revision: int) -> None:
    """Counts a download."""
    here = sa.and_(_FILE.c.export == export, _FILE.c.revision == revision)
    tx.execute(sa.update(_FILE).where(here).values(downloads=_FILE.c.downloads + 1))


def taken(tx: sa.Connection, export: str) -> bool:
    """Whether any revision was ever taken: then who is in it has to be called back, and cannot be left out silently."""
    return bool(tx.execute(sa.select(sa.func.coalesce(sa.func.sum(_FILE.c.downloads), 0)).where(_FILE.c.export == export)).scalar_one())


def destroy(tx: sa.Connection, export: str, now: datetime) -> list[str]:
    """Notes that every revision is gone; the names of the files to remove."""
    here = sa.and_(_FILE.c.export == export, _FILE.c.destroyed_at.is_(None))
    names = list(tx.execute(sa.select(_FILE.c.file).where(here)).scalars())
    tx.execute(sa.update(_FILE).where(here).values(destroyed_at=now))
    return names
