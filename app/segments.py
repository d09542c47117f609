"""The register of segments: who is meant, for which purpose and use, as versions that are never changed.

Promise: a version is written together with its log entry or not at all, under the purpose marketing.profiling alone; a use that decides prices
or terms needs a review that is approved and in force (attacks 50, 53). What it speaks of, it speaks of in fixed versions. It holds rules and
names of segments; it must never learn a person, or how many are meant.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, mapped_column

from analytics.segments import definition as definitions
from analytics.segments import rules, trace
from analytics.segments.definition import Definition
from analytics.segments.parse import parse
from analytics.segments.rules import Member, Rule
from analytics.segments.sentence import LANGUAGES, sentence
from app.repeats import Also, nothing_more
from privacy.errors import Conflict, Invalid, NotFound, Refused
from privacy.orm import Instant, PlatformBase
from privacy.vocabulary import PROFILING, LogKind

if TYPE_CHECKING:
    from app.wiring import Services
    from privacy.records import Audience

LONGEST_NAME = 120
AUTOMATED, SCOPE, NO = "automated", f"purpose:{PROFILING}", "do_not_proceed"
"""What the review of an unusual use has to be, to name and not to say."""
MOST_OTHERS = 10
"""Versions of other segments that one may speak of, directly or not."""
MOST_READ = 240
"""Rules of a segment and of all that it speaks of, each as often as it does: a chain of segments that name the one before twice doubles with each."""


class SegmentVersion(PlatformBase):
    """One version of one segment. Append-only. `rule` is in its canonical form, `digest` its SHA-256."""

    __tablename__ = "segment_version"

    id: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    name: Mapped[str] = mapped_column(sa.String(LONGEST_NAME))
    purpose: Mapped[str] = mapped_column(sa.String(80))
    use: Mapped[str] = mapped_column(sa.String(20))
    review: Mapped[str] = mapped_column(sa.String(40))
    rule: Mapped[dict[str, Any]] = mapped_column(sa.JSON)
    digest: Mapped[str] = mapped_column(sa.String(64))
    by: Mapped[str] = mapped_column(sa.String(80))
    at: Mapped[datetime] = mapped_column(Instant)
    entry: Mapped[int] = mapped_column(sa.BigInteger)


_SEGMENT: Any = SegmentVersion.__table__

# ── writing ────────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def add(services: Services, body: Mapping[str, Any], *, actor: str, also: Also = nothing_more) -> dict[str, Any]:
    """Writes the first version of a segment: {name, purpose, use, rule, review?}."""
    return _write(services, "seg_" + secrets.token_hex(12), 0, body, actor, also)


def change(services: Services, segment: str, body: Mapping[str, Any], *, seen: int, actor: str) -> dict[str, Any]:
    """Writes the next version; what is not given stays. Purpose and use are part of what it is and cannot change."""
    newest = one(services, segment)
    if seen != newest["version"]:
        raise Conflict("somebody changed it since", code="changed_meanwhile")
    for fixed in ("purpose", "use"):
        if body.get(fixed, newest[fixed]) != newest[fixed]:
            raise Refused("a segment keeps the purpose and the use for which it was made", code="segment_lineage", field=fixed)
    return _write(services, segment, seen, {**newest, **body}, actor, nothing_more)


def _write(services: Services, segment: str, seen: int, body: Mapping[str, Any], actor: str, also: Also) -> dict[str, Any]:
    name, review = str(body.get("name") or "").strip(), str(body.get("review") or "")
    if not 0 < len(name) <= LONGEST_NAME or not name.isprintable():
        raise Invalid(f"a name is printable text of at most {LONGEST_NAME} characters", code="segment_name", field="name")
    purpose, use = str(body.get("purpose") or ""), str(body.get("use") or "")
    definitions.check(purpose, use, review)
    _check_review(services, use, review)
    rule = parse(body.get("rule"))
    with services.begin_console() as tx:
        _others(tx, rule)
        facts = {"segment": segment, "version": seen + 1, "use": use}
        entry = services.log(tx, LogKind.CONFIG, "segment.write", actor=actor, facts=facts)
        row = {
            "id": segment, "version": seen + 1, "name": name, "purpose": purpose, "use": use, "review": review, "rule": rule.document(),
            "digest": rules.digest(rule), "by": actor, "at": services.clock(), "entry": entry,
        }  # fmt: skip
        insert = (postgresql if tx.dialect.name == "postgresql" else sqlite).insert(_SEGMENT).values(row)
        if tx.execute(insert.on_conflict_do_nothing().returning(_SEGMENT.c.version)).first() is None:
            raise Conflict("somebody changed it since", code="changed_meanwhile")
        made = _document(row)
        also(tx, made)
    return made


def _check_review(services: Services, use: str, review: str) -> None:
    """Raises Refused unless the assessment named by a use that needs one is approved and in force."""
    if use in definitions.REVIEWED:
        known = [one for one in services.assessments.listing() if one["id"] == review and one["standing"] == "approved"]
        if not any(AUTOMATED in one["kinds"] and SCOPE in one["scope"] and one["conclusion"] != NO for one in known):
            text = "the review is an approved assessment in force of automated decisions whose scope names purpose:marketing.profiling"
            raise Refused(text, code="segment_use_refused", field="review")


# ── reading ────────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def listing(services: Services) -> list[dict[str, Any]]:
    """The newest version of every segment, newest first."""
    newest = sa.select(_SEGMENT.c.id, sa.func.max(_SEGMENT.c.version).label("version")).group_by(_SEGMENT.c.id).subquery()
    wanted = sa.select(_SEGMENT).join(newest, (newest.c.id == _SEGMENT.c.id) & (newest.c.version == _SEGMENT.c.version))
    with services.read_console() as tx:
        rows = tx.execute(wanted.order_by(_SEGMENT.c.at.desc(), _SEGMENT.c.id)).mappings().all()
    return [_document(row) for row in rows]


def versions(services: Services, segment: str) -> list[dict[str, Any]]:
    """Every version of a segment, the newest first; raises NotFound."""
    with services.read_console() as tx:
        rows = tx.execute(sa.select(_SEGMENT).where(_SEGMENT.c.id == segment).order_by(_SEGMENT.c.version.desc())).mappings().all()
    if not rows:
        raise NotFound("there is no such segment or version", code="segment_unknown", field="segment")
    return [_document(row) for row in rows]


def one(services: Services, segment: str, version: int | None = None) -> dict[str, Any]:
    """A segment as it stands, or one version of it."""
    with services.read_console() as tx:
        return _document(_row(tx, segment, version))


def version_of(text: str) -> int:
    """The number of a version as an address carries it; raises NotFound for what is none."""
    if not re.fullmatch(r"[1-9]\d{0,5}", text, re.ASCII):
        raise NotFound("there is no such segment or version", code="segment_unknown", field="version")
    return int(text)


def said(document: Any) -> dict[str, Any]:
    """A rule in its canonical form and as a sentence in every language; nothing is kept and no lake is opened."""
    rule = parse(document)
    return {"rule": rule.document(), "digest": rules.digest(rule), "sentence": {one: sentence(rule, one) for one in LANGUAGES}}


def definition(services: Services, segment: str, version: int | None = None) -> Definition:
    """What an audience is made from."""
    with services.read_console() as tx:
        row = _row(tx, segment, version)
        rule = parse(row["rule"])
        others = _others(tx, rule)
    return Definition(segment, int(row["version"]), row["purpose"], row["use"], rule, row["review"], others)


def permitted(services: Services, segment: str, version: int | None = None) -> Definition:
    """What an audience may be made from now; a review that ended ends the use."""
    wanted = definition(services, segment, version)
    _check_review(services, wanted.use, wanted.review)
    return wanted


def audience(services: Services, segment: str, version: int | None = None) -> Audience:
    """The people of a segment at this moment, for the gate alone."""
    made: Audience = services.audiences.of(permitted(services, segment, version), services.clock())
    return made


def _row(tx: sa.Connection, segment: str, version: int | None) -> Any:
    asked = sa.select(_SEGMENT).where(_SEGMENT.c.id == segment)
    asked = asked.order_by(_SEGMENT.c.version.desc()).limit(1) if version is None else asked.where(_SEGMENT.c.version == version)
    found = tx.execute(asked).mappings().first()
    if found is None:
        raise NotFound("there is no such segment or version", code="segment_unknown", field="segment")
    return found


def _others(tx: sa.Connection, rule: Rule) -> dict[tuple[str, int], Rule]:
    """Every version of another segment that a rule speaks of, directly or not. Versions are there before they are spoken of: no circle."""
    found: dict[tuple[str, int], Rule] = {}
    waiting = [leaf for leaf in rules.leaves(rule) if isinstance(leaf, Member)]
    while waiting:
        leaf = waiting.pop()
        if (leaf.segment, leaf.version) in found:
            continue
        if len(found) == MOST_OTHERS:
            raise Invalid(f"a segment speaks of at most {MOST_OTHERS} others", code="segment_too_large", field="rule")
        other = parse(_row(tx, leaf.segment, leaf.version)["rule"])
        found[leaf.segment, leaf.version] = other
        waiting.extend(one for one in rules.leaves(other) if isinstance(one, Member))
    if trace.size(rule, found) > MOST_READ:
        raise Invalid(
            f"with the segments that it speaks of, a segment has at most {MOST_READ} rules", code="segment_too_large", field="rule"
        )
    return found


def _document(row: Any) -> dict[str, Any]:
    plain = {name: row[name] for name in ("id", "version", "name", "purpose", "use", "review", "rule", "digest", "by")}
    told = parse(row["rule"])
    return plain | {"at": row["at"].isoformat(), "sentence": {language: sentence(told, language) for language in LANGUAGES}}
