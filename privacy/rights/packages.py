"""The register of packages: which copies of somebody's data were made, until when they open, how often they were taken.

Promise: the content lies sealed elsewhere, under a key of its own that dies on the day the package ends; here stand its digest, its size
and how many rows of each store are in it. A download is counted before a byte is given. It must never learn what is inside.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from privacy.errors import NotFound
from privacy.orm import Instant, PlatformBase

PREFIX = "pkg_"
LASTS = timedelta(days=14)
"""How long a package can be taken; its key dies then."""
DOWNLOADS = 10
"""How often it can be taken."""


class PackageRow(PlatformBase):
    """`stores` says for each store how many rows of it are in the package."""

    __tablename__ = "request_package"

    id: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    number: Mapped[str] = mapped_column(sa.String(20), index=True)
    made_at: Mapped[datetime] = mapped_column(Instant)
    made_by: Mapped[str] = mapped_column(sa.String(80))
    expires_at: Mapped[datetime] = mapped_column(Instant, index=True)
    size: Mapped[int] = mapped_column(sa.BigInteger)
    sealed_size: Mapped[int] = mapped_column(sa.BigInteger)
    sha256: Mapped[bytes] = mapped_column(sa.LargeBinary(32))
    stores: Mapped[dict[str, int]] = mapped_column(sa.JSON)
    downloads: Mapped[int] = mapped_column(sa.Integer)
    destroyed_at: Mapped[datetime | None] = mapped_column(Instant)


_PACKAGE: Any = PackageRow.__table__


@dataclass(frozen=True, slots=True)
class Package:
    """A package as it is shown."""

    id: str
    number: str
    made_at: datetime
    made_by: str
    expires_at: datetime
    size: int
    sealed_size: int
    sha256: bytes
    stores: Mapping[str, int]
    downloads: int
    destroyed_at: datetime | None

    def opens(self, now: datetime) -> bool:
        """Whether it can still be taken."""
        return self.destroyed_at is None and now < self.expires_at and self.downloads < DOWNLOADS

    def document(self, now: datetime) -> dict[str, Any]:
        """What is shown of it."""
        return {
            "package": self.id,
            "made_at": self.made_at.isoformat(),
            "made_by": self.made_by,
            "expires_at": self.expires_at.isoformat(),
            "size": self.size,
            "sha256": self.sha256.hex(),
            "stores": dict(self.stores),
            "downloads": self.downloads,
            "opens": self.opens(now),
        }


def add(tx: sa.Connection, package: Package) -> None:
    """Enters a package."""
    tx.execute(sa.insert(_PACKAGE), [{name: getattr(package, name) for name in Package.__slots__}])


def of(tx: sa.Connection, number: str) -> list[Package]:
    """The packages of a request, the newest first."""
    rows = tx.execute(sa.select(_PACKAGE).where(_PACKAGE.c.number == number).order_by(_PACKAGE.c.made_at.desc(), _PACKAGE.c.id))
    return [_package(row) for row in rows]


def take(tx: sa.Connection, number: str, now: datetime) -> Package:
    """Counts a download of a request's newest package; raises NotFound for one that is gone (`package_gone`) or never was."""
    made = of(tx, number)
    if not made:
        raise NotFound("no package was made for this request", code="package_unknown", field="request")
    newest = next((one for one in made if one.opens(now)), None)
    if newest is None:
        raise NotFound("the package is gone: its time is over, or it was taken as often as it may be", code="package_gone", field="request")
    tx.execute(sa.update(_PACKAGE).where(_PACKAGE.c.id == newest.id).values(downloads=_PACKAGE.c.downloads + 1))
    return newest


def ended(tx: sa.Connection, now: datetime, numbers: Sequence[str] = ()) -> list[Package]:
    """Packages whose time is over or that belong to these requests, and that are not destroyed yet."""
    due = _PACKAGE.c.expires_at <= now
    rows = tx.execute(sa.select(_PACKAGE).where(_PACKAGE.c.destroyed_at.is_(None), sa.or_(due, _PACKAGE.c.number.in_(numbers))))
    return [_package(row) for row in rows]


def destroyed(tx: sa.Connection, ids: Sequence[str], now: datetime) -> None:
    """Notes that packages are gone."""
    tx.execute(sa.update(_PACKAGE).where(_PACKAGE.c.id.in_(ids), _PACKAGE.c.destroyed_at.is_(None)).values(destroyed_at=now))


def _package(row: Any) -> Package:
    values = dict(row._mapping)
    return Package(**values | {"sha256": bytes(values["sha256"])})
