"""The public page's visits: somebody says who they are, a code goes to that address, and the code opens what is theirs for twenty minutes.

Promise: a request for a code does the same work and answers the same for everybody, known, unknown or erased: nobody is looked up in it. What
was typed stands sealed and for a quarter of an hour; a visit is known by a keyed digest of what the browser holds. Tries are counted
over all workers, for the machine and for the address, before they are looked at. Nothing here learns whether a person is known until
they have proved to be it.
"""

from __future__ import annotations

import hmac
import json
import secrets
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app import messages, notices, requests, throttle
from privacy.errors import Invalid, Refused
from privacy.orm import Instant, PlatformBase
from privacy.vocabulary import PROFILING, ConsentState, LogKind

if TYPE_CHECKING:
    from app.wiring import Services

ACTOR = "public"
WAITS, LASTS = timedelta(minutes=15), timedelta(minutes=20)
TRIES = 5
"""Codes that may be tried in one visit."""
FREE_OF_MACHINE, FREE_OF_ADDRESS = 20, 4
"""Requests within a quarter of an hour before the first wait."""
DIGITS = 8


class PublicVisit(PlatformBase):
    """One visit. `reference` is that of the sealed identifier in the vault; `code` a keyed digest."""

    __tablename__ = "public_visit"
    digest: Mapped[bytes] = mapped_column(sa.LargeBinary(32), primary_key=True)
    reference: Mapped[str] = mapped_column(sa.String(32))
    code: Mapped[bytes] = mapped_column(sa.LargeBinary(32))
    tries: Mapped[int] = mapped_column(sa.Integer)
    proved: Mapped[bool]
    expires_at: Mapped[datetime] = mapped_column(Instant, index=True)


_VISIT: Any = PublicVisit.__table__


class Who(NamedTuple):
    """Whose visit it is: an identifier that was proved."""

    type: str
    value: str


def ask(services: Services, type_: str, value: str, *, machine: str, subject: str, text: str) -> str:
    """Begins a visit; returns what the browser is to hold. `text` has `{code}` where the code stands."""
    normal = services.visits.normal(type_, value)
    now = services.clock()
    counted = [
        throttle.Counted(services.console_mac("choices machine", machine), FREE_OF_MACHINE),
        throttle.Counted(services.console_mac("choices address", f"{type_}\0{normal}"), FREE_OF_ADDRESS),
    ]
    with services.begin_console() as tx:
        throttle.take(tx, counted, now=now)
    ticket, code = secrets.token_urlsafe(32), f"{secrets.randbelow(10**DIGITS):0{DIGITS}d}"
    message = messages.Message(type_, normal, subject, text.replace("{code}", code))
    held = json.dumps({"type": type_, "value": normal}).encode()
    mine, letter = services.box.seal("choices", [held, message.sealed()], now + LASTS + WAITS)
    row = {"digest": _digest(services, ticket), "reference": mine, "code": _code(services, ticket, code), "tries": 0, "proved": False}
    with services.begin_console() as tx:
        tx.execute(sa.delete(_VISIT).where(_VISIT.c.expires_at <= now))
        tx.execute(sa.insert(_VISIT).values(**row, expires_at=now + WAITS))
        messages.put(tx, letter, now=now, expires_at=now + WAITS)
    return ticket


def prove(services: Services, ticket: str, code: str) -> str:
    """Opens what is somebody's by the code that went to their address; returns another ticket. A try is counted before it is looked at."""
    now, digest = services.clock(), _digest(services, ticket)
    mine = sa.and_(_VISIT.c.digest == digest, _VISIT.c.expires_at > now, ~_VISIT.c.proved)
    with services.begin_console() as tx:
        row = tx.execute(sa.update(_VISIT).where(mine).values(tries=_VISIT.c.tries + 1).returning(_VISIT.c.tries, _VISIT.c.code)).first()
    right = hmac.compare_digest(_code(services, ticket, code.strip()), b"" if row is None else bytes(row.code))
    if row is None or row.tries > TRIES or not right:
        raise Invalid("the code is wrong or too old", code="visit_code_wrong", field="code")
    new = secrets.token_urlsafe(32)
    with services.begin_console() as tx:
        moved = sa.update(_VISIT).where(mine).values(digest=_digest(services, new), proved=True, expires_at=now + LASTS)
        if not tx.execute(moved).rowcount:
            raise Invalid("the code is wrong or too old", code="visit_code_wrong", field="code")
        services.log(tx, LogKind.ACCOUNT, "choices.open", actor=ACTOR)
    return new


def who(services: Services, ticket: str) -> Who:
    """Whose visit it is; raises Refused where it is over, or was never proved."""
    with services.read_console() as tx:
        held = sa.and_(_VISIT.c.digest == _digest(services, ticket), _VISIT.c.proved, _VISIT.c.expires_at > services.clock())
        reference = tx.execute(sa.select(_VISIT.c.reference).where(held)).scalar()
    sealed = None if reference is None else services.box.open([reference])[0]
    if sealed is None:
        raise Refused("the visit is over: ask for a new code", code="visit_over")
    return Who(**json.loads(sealed))


def leave(services: Services, ticket: str) -> None:
    """Ends a visit."""
    with services.begin_console() as tx:
        reference = tx.execute(sa.delete(_VISIT).where(_VISIT.c.digest == _digest(services, ticket)).returning(_VISIT.c.reference)).scalar()
    services.box.destroy([] if reference is None else [reference])


# ── what is theirs ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def choices(services: Services, visitor: Who) -> list[dict[str, Any]]:
    """Every purpose that rests on consent, with how it stands and the notice that says what for; automated marketing first."""
    shown = services.preferences.show(visitor.type, visitor.value, actor=ACTOR)
    listed = []
    for one in notices.purposes(services):
        if one["by_consent"]:
            standing = shown["purposes"][one["purpose"]]
            notice = None if one["notice"] is None else notices.known(services, one["notice"])
            listed.append(one | {"allowed": standing["allowed"], "reason": standing["reason"], "words": notice})
    return sorted(listed, key=lambda one: (one["purpose"] != PROFILING, one["purpose"]))


def choose(services: Services, visitor: Who, purpose: str, *, allow: bool, language: str) -> None:
    """Records what somebody chose, by one act of theirs about one purpose."""
    notice = notices.in_force(services, purpose)
    act: dict[str, Any] = {
        "identifier": {"type": visitor.type, "value": visitor.value},
        "purpose": purpose,
        "state": (ConsentState.GRANTED if allow else ConsentState.WITHDRAWN).value,
        "collection": "public_page",
        "default_state": "unchecked",
        "language": language,
    }
    services.preferences.record([act | ({"notice": notice["notice"]} if notice else {})], actor=ACTOR)


def object_by_signal(services: Services, visitor: Who) -> None:
    """What a browser's Sec-GPC says, once its user is known: no sharing and no automated marketing. Never more than that."""
    with services.read_console() as tx:
        purposes = [key for key in services.purposes(tx) if key.startswith("share.")]
    who_ = {"type": visitor.type, "value": visitor.value}
    acts = [
        {"identifier": who_, "purpose": purpose, "state": ConsentState.DENIED.value, "collection": "public_page"}
        for purpose in (PROFILING, *purposes)
    ]
    services.preferences.record(acts, actor=ACTOR)


def tags(services: Services, visitor: Who) -> list[tuple[str, Any]]:
    """What the newest closed month says about somebody: (tag, value), without what they deleted."""
    today = services.clock().astimezone(services.settings.time_zone).date()
    last = today.year * 12 + today.month - 1
    months = [number // 12 * 100 + number % 12 + 1 for number in range(last - services.settings.retention.lake_months, last)]
    names, refused = services.visits.look(visitor.type, visitor.value, months, actor=ACTOR)
    found: dict[str, Any] = {} if names is None else services.subject_tags.of(names)
    return [(tag, found[tag]) for tag in services.tag_names if found.get(tag) not in (None, "", 0) and tag not in refused]


def refuse(services: Services, visitor: Who, tag: str) -> None:
    """Deletes a tag: it is not shown and not built for this person any more."""
    services.visits.refuse(visitor.type, visitor.value, tag, actor=ACTOR)


def request(services: Services, visitor: Who, right: str, *, language: str) -> str:
    """Files a request about their data, for whoever proved to be them; its number."""
    return requests.open_public(services, visitor.type, visitor.value, right=right, language=language, proven_by="code")


def _digest(services: Services, ticket: str) -> bytes:
    return services.console_mac("choices visit", ticket)


def _code(services: Services, ticket: str, code: str) -> bytes:
    return services.console_mac("choices code", f"{ticket}\0{code}")
