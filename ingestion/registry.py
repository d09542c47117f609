"""Who may send: sources, what they declared, and their write keys.

Promise: a key is stored only as a digest and shown once, when it is made. A source that nobody registered, a key that expired and a
purpose that was not declared do not exist here. Knows nothing of people.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from privacy.errors import Conflict, Invalid, NotFound, Refused
from privacy.orm import Instant, PlatformBase
from privacy.records import SourceFacts
from privacy.vocabulary import SOURCE_KINDS, ConsentSignals, OnNoConsent

if TYPE_CHECKING:
    from privacy.records import RandomBytes

KEY_PREFIX = "wk_"
MOST_REQUESTS = 100_000
"""Requests a second that a source may be allowed: the same as the setting's most."""
_NAME = re.compile(r"[^\W_][\w .-]{0,63}\Z")
_PURPOSE = re.compile(r"[a-z][a-z0-9_]*(?:\.[A-Za-z0-9_-]+)+\Z")
_ORIGIN = re.compile(r"https?://[a-z0-9.-]+(?::[0-9]{1,5})?\Z")


class Source(PlatformBase):
    __tablename__ = "source"

    id: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    name: Mapped[str] = mapped_column(sa.String(64), unique=True)
    kind: Mapped[str] = mapped_column(sa.String(20))
    public: Mapped[bool]
    purposes: Mapped[str] = mapped_column(sa.Text)
    on_no_consent: Mapped[str] = mapped_column(sa.String(10))
    consent_signals: Mapped[str] = mapped_column(sa.String(10))
    namespace: Mapped[str] = mapped_column(sa.String(64))
    consent_categories: Mapped[str] = mapped_column(sa.Text)
    origins: Mapped[str] = mapped_column(sa.Text)
    owns_root_paths: Mapped[bool]
    requests_per_second: Mapped[int | None]
    created_at: Mapped[datetime] = mapped_column(Instant)
    disabled_at: Mapped[datetime | None] = mapped_column(Instant)


class SourceKey(PlatformBase):
    """A write key, as the SHA-256 of its text: the key has 256 random bits of its own, so a plain digest tells nothing.

    A short-lived key that a signed assertion was exchanged for has that assertion's digest in `once`: it buys no second one.
    """

    __tablename__ = "source_key"

    digest: Mapped[bytes] = mapped_column(sa.LargeBinary(32), primary_key=True)
    source_id: Mapped[str] = mapped_column(sa.ForeignKey("source.id"), index=True)
    created_at: Mapped[datetime] = mapped_column(Instant)
    expires_at: Mapped[datetime | None] = mapped_column(Instant)
    once: Mapped[bytes | None] = mapped_column(sa.LargeBinary(32), unique=True)


@dataclass(frozen=True, slots=True)
class Key:
    """A write key as it may be shown: its name, never its text. `ends_at` is null for the one that nobody rotated away."""

    id: str
    created_at: datetime
    ends_at: datetime | None


@dataclass(frozen=True, slots=True)
class Listed:
    """A source as integrators see it."""

    facts: SourceFacts
    origins: tuple[str, ...]
    owns_root_paths: bool
    requests_per_second: int | None
    created_at: datetime
    disabled_at: datetime | None

    @property
    def version(self) -> str:
        """Stands for everything that may be changed; whoever changes it names the one they saw."""
        said = [sorted(self.origins), dict(self.facts.consent_categories), self.requests_per_second, self.owns_root_paths]
        return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:16]


def add(
    tx: sa.Connection,
    name: str,
    kind: str,
    *,
    public: bool,
    purposes: Sequence[str],
    random: RandomBytes,
    now: datetime,
    on_no_consent: str = OnNoConsent.REFUSE,
    consent_signals: str = ConsentSignals.DENY_ONLY,
    namespace: str = "",
    consent_categories: Mapping[str, str] | None = None,
    origins: Sequence[str] = (),
    owns_root_paths: bool = False,
    requests_per_second: int | None = None,
) -> tuple[SourceFacts, str]:
    """Register a source and make its first key. The namespace of its customer numbers is its own name unless it shares another's."""
    categories = dict(consent_categories or {})
    _check(name, kind, public, purposes, on_no_consent, consent_signals, namespace)
    _check_changeable(kind, categories, origins, owns_root_paths, requests_per_second)
    if tx.scalar(sa.select(sa.exists().where(Source.name == name))):
        raise Conflict("a source of this name exists", code="source_exists", field="name")
    if owns_root_paths:
        _check_root_paths(tx, None)
    source_id = "src_" + _text(random(15))
    tx.execute(
        sa.insert(Source).values(
            id=source_id,
            name=name,
            kind=kind,
            public=public,
            purposes=json.dumps(sorted(set(purposes))),
            on_no_consent=str(on_no_consent),
            consent_signals=str(consent_signals),
            namespace=namespace or name,
            consent_categories=json.dumps(categories, sort_keys=True),
            origins=json.dumps(sorted(set(origins))),
            owns_root_paths=owns_root_paths,
            requests_per_second=requests_per_second,
            created_at=now,
            disabled_at=None,
        )
    )
    return get(tx, source_id).facts, _new_key(tx, source_id, random, now)


def listing(tx: sa.Connection) -> list[Listed]:
    """All sources by name."""
    return [_listed(row) for row in tx.execute(sa.select(Source.__table__).order_by(Source.name))]


def get(tx: sa.Connection, source_id: str) -> Listed:
    """One source by its id; raises NotFound."""
    return _one(tx, Source.id == source_id)


def by_name(tx: sa.Connection, name: str) -> Listed:
    """One source by its name; raises NotFound."""
    return _one(tx, Source.name == name)


def change(
    tx: sa.Connection,
    source_id: str,
    *,
    seen: str | None = None,
    consent_categories: Mapping[str, str] | None = None,
    origins: Sequence[str] | None = None,
    owns_root_paths: bool | None = None,
    requests_per_second: int | None = None,
) -> Listed:
    """Change what is given and leave the rest; `seen` is the version that the caller saw, and raises Conflict if it is no more.

    A rate of 0 goes back to the deployment's own.
    """
    tx.execute(sa.select(Source.id).where(Source.id == source_id).with_for_update())
    before = get(tx, source_id)
    if seen is not None and seen != before.version:
        raise Conflict("the source was changed since", code="changed_meanwhile")
    categories = dict(before.facts.consent_categories if consent_categories is None else consent_categories)
    allowed = before.origins if origins is None else origins
    root = before.owns_root_paths if owns_root_paths is None else owns_root_paths
    rate = before.requests_per_second if requests_per_second is None else requests_per_second or None
    _check_changeable(before.facts.kind, categories, allowed, root, rate)
    if root and not before.owns_root_paths:
        _check_root_paths(tx, source_id)
    tx.execute(
        sa.update(Source)
        .where(Source.id == source_id)
        .values(
            consent_categories=json.dumps(categories, sort_keys=True),
            origins=json.dumps(sorted(set(allowed))),
            owns_root_paths=root,
            requests_per_second=rate,
        )
    )
    return get(tx, source_id)


def keys(tx: sa.Connection, *, now: datetime) -> Mapping[str, list[Key]]:
    """The keys that work, by source, oldest first; those that were exchanged for an assertion are not listed."""
    rows = tx.execute(
        sa.select(SourceKey.source_id, SourceKey.digest, SourceKey.created_at, SourceKey.expires_at)
        .where(SourceKey.once.is_(None), sa.or_(SourceKey.expires_at.is_(None), SourceKey.expires_at > now))
        .order_by(SourceKey.created_at, SourceKey.expires_at.is_(None), SourceKey.digest)
    )
    found: dict[str, list[Key]] = {}
    for row in rows:
        found.setdefault(row.source_id, []).append(Key(_key_id(row.digest), row.created_at, row.expires_at))
    return found


def revoke(tx: sa.Connection, source_id: str, key_id: str, *, now: datetime) -> None:
    """End one key at once; raises NotFound unless it is a working key of this source."""
    get(tx, source_id)
    alive = sa.or_(SourceKey.expires_at.is_(None), SourceKey.expires_at > now)
    for (digest,) in tx.execute(sa.select(SourceKey.digest).where(SourceKey.source_id == source_id, alive)).all():
        if _key_id(digest) == key_id:
            tx.execute(sa.update(SourceKey).where(SourceKey.digest == digest).values(expires_at=now))
            return
    raise NotFound("the source has no such key", code="key_not_found", field="key")


def exchange(tx: sa.Connection, source_id: str, *, once: bytes, lifetime: timedelta, random: RandomBytes, now: datetime) -> str:
    """A key that ends by itself, for what `once` is the digest of; raises Refused if it was exchanged before. Forgets those that ended."""
    tx.execute(sa.delete(SourceKey).where(SourceKey.source_id == source_id, SourceKey.once.is_not(None), SourceKey.expires_at <= now))
    if tx.scalar(sa.select(sa.exists().where(SourceKey.once == once))):
        raise Refused("the assertion was used before", code="assertion_used")
    return _new_key(tx, source_id, random, now, expires_at=now + lifetime, once=once)


def all_origins(tx: sa.Connection) -> frozenset[str] | None:
    """Every origin that some source allows, None where one allows any: what a browser's question before its request is answered by."""
    rows = [
        (public, json.loads(text))
        for public, text in tx.execute(sa.select(Source.public, Source.origins).where(Source.disabled_at.is_(None)))
    ]
    if any(public and not named for public, named in rows):
        return None
    return frozenset(origin for _, named in rows for origin in named)


def rotate(tx: sa.Connection, source_id: str, *, overlap: timedelta, random: RandomBytes, now: datetime) -> str:
    """Make a new key; the old ones live on for `overlap`, so that senders can change over without a gap."""
    get(tx, source_id)
    ends = now + overlap
    tx.execute(
        sa.update(SourceKey)
        .where(SourceKey.source_id == source_id, sa.or_(SourceKey.expires_at.is_(None), SourceKey.expires_at > ends))
        .values(expires_at=ends)
    )
    return _new_key(tx, source_id, random, now)


def disable(tx: sa.Connection, source_id: str, *, now: datetime) -> None:
    """From now on every request of the source is refused as disabled."""
    get(tx, source_id)
    tx.execute(sa.update(Source).where(Source.id == source_id, Source.disabled_at.is_(None)).values(disabled_at=now))


def enable(tx: sa.Connection, source_id: str) -> None:
    """Let a disabled source send again."""
    get(tx, source_id)
    tx.execute(sa.update(Source).where(Source.id == source_id).values(disabled_at=None))


_BY_KEY = (
    sa.select(Source.__table__)
    .join(SourceKey, SourceKey.source_id == Source.id)
    .where(SourceKey.digest == sa.bindparam("key"), sa.or_(SourceKey.expires_at.is_(None), SourceKey.expires_at > sa.bindparam("now")))
)


def by_key(tx: sa.Connection, key: str, *, now: datetime) -> Listed | None:
    """The source of a write key, or None if nobody has it (or has it no longer); raises Refused `source_disabled`."""
    if not key.startswith(KEY_PREFIX) or len(key) > 200:
        return None
    row = tx.execute(_BY_KEY, {"key": key_digest(key), "now": now}).first()
    return None if row is None else _live(_listed(row))


def root_paths_owner(tx: sa.Connection) -> Listed | None:
    """The one source whose clients send without any key to the root Snowplow paths."""
    row = tx.execute(sa.select(Source.__table__).where(Source.owns_root_paths, Source.disabled_at.is_(None))).first()
    return None if row is None else _listed(row)


def key_digest(key: str) -> bytes:
    """What is stored of a key."""
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()


def _live(listed: Listed) -> Listed:
    if listed.disabled_at is not None:
        raise Refused("the source is disabled", code="source_disabled")
    return listed


def _one(tx: sa.Connection, condition: sa.ColumnElement[bool]) -> Listed:
    row = tx.execute(sa.select(Source.__table__).where(condition)).first()
    if row is None:
        raise NotFound("there is no such source", code="source_not_found")
    return _listed(row)


def _new_key(
    tx: sa.Connection, source_id: str, random: RandomBytes, now: datetime, *, expires_at: datetime | None = None, once: bytes | None = None
) -> str:
    key = KEY_PREFIX + _text(random(32))
    tx.execute(sa.insert(SourceKey).values(digest=key_digest(key), source_id=source_id, created_at=now, expires_at=expires_at, once=once))
    return key


def _key_id(digest: bytes) -> str:
    """The name of a key: of 256 random bits, 48 of the digest's tell nothing."""
    return "key_" + digest[:6].hex()


def _text(random: bytes) -> str:
    return base64.b32encode(random).decode().rstrip("=").lower()


def _listed(row: sa.Row[tuple[object, ...]]) -> Listed:
    columns = row._mapping
    return Listed(
        facts=SourceFacts(
            id=columns["id"],
            name=columns["name"],
            kind=columns["kind"],
            public=bool(columns["public"]),
            purposes=frozenset(json.loads(columns["purposes"])),
            on_no_consent=columns["on_no_consent"],
            consent_signals=columns["consent_signals"],
            namespace=columns["namespace"],
            consent_categories=json.loads(columns["consent_categories"]),
        ),
        origins=tuple(json.loads(columns["origins"])),
        owns_root_paths=bool(columns["owns_root_paths"]),
        requests_per_second=columns["requests_per_second"],
        created_at=columns["created_at"],
        disabled_at=columns["disabled_at"],
    )


def _check_root_paths(tx: sa.Connection, source_id: str | None) -> None:
    other = sa.and_(Source.owns_root_paths, Source.disabled_at.is_(None), Source.id != (source_id or ""))
    if tx.scalar(sa.select(sa.exists().where(other))):
        raise Conflict("another source owns the root paths", code="root_paths_taken", field="owns_root_paths")


def _check(name: str, kind: str, public: bool, purposes: Sequence[str], on_no_consent: str, consent_signals: str, namespace: str) -> None:
    rules = [
        (bool(_NAME.match(name)), "name", "a name has 1 to 64 letters, digits, spaces, points, hyphens or underscores"),
        (kind in SOURCE_KINDS, "kind", "the kind is not known"),
        (bool(purposes) and all(_PURPOSE.match(purpose) for purpose in purposes), "purposes", "at least one purpose, each a dotted key"),
        (on_no_consent in set(OnNoConsent), "on_no_consent", "on_no_consent is refuse or wait"),
        (consent_signals in set(ConsentSignals), "consent_signals", "consent_signals is ignore, deny_only or accept"),
        (not (public and kind == "webhook"), "public", "a signed webhook comes from a server"),
        (not (public and consent_signals == ConsentSignals.ACCEPT), "consent_signals", "a client key can only lower consent"),
        (not namespace or bool(_NAME.match(namespace)), "namespace", "a namespace is written like a name"),
    ]
    _hold(rules)


def _check_changeable(
    kind: str, categories: Mapping[str, str], origins: Sequence[str], owns_root_paths: bool, requests_per_second: int | None
) -> None:
    rules = [
        (all(_PURPOSE.match(purpose) for purpose in categories.values()), "consent_categories", "a category stands for a purpose"),
        (all(_ORIGIN.match(origin) for origin in origins), "origins", "an origin is scheme, host and port"),
        (not owns_root_paths or kind == "snowplow", "owns_root_paths", "only Snowplow's clients need the root paths"),
        (requests_per_second is None or 0 < requests_per_second <= MOST_REQUESTS, "requests_per_second", "a rate is from 1 to 100,000"),
    ]
    _hold(rules)


def _hold(rules: Sequence[tuple[bool, str, str]]) -> None:
    for holds, field, message in rules:
        if not holds:
            raise Invalid(message, code="source_invalid", field=field)
