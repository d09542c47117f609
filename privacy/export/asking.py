"""The first half of the door of exports: asking for a list, deciding about it as a second person, showing where it stands.

Promise: each call commits its own, after its log entry; nothing is read of anybody. What the papers do not allow today is refused when it is asked
for, and again when it is approved. It must never learn a person.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa

from privacy.accountability import dossiers, recipients
from privacy.errors import Invalid, NotFound, Refused
from privacy.export import barred, controlrows, files, law, leavers, manifest, people, requests
from privacy.export.requests import APPROVAL_LASTS, REQUEST_LASTS, Export, State
from privacy.identity import vault
from privacy.identity.normalise import normalise
from privacy.vocabulary import Ground, LogKind

if TYPE_CHECKING:
    from datetime import datetime

    from privacy.carriage import Delivery
    from privacy.export.counts import Counter
    from privacy.export.files import Shelf
    from privacy.export.making import Rules
    from privacy.identity.keys import Keyring
    from privacy.orm import Begin
    from privacy.records import Attributes, Clock, Log, OpenAudience, RandomBytes

LONGEST: Final = timedelta(days=90)
"""How long a list may be good for."""
LEAST_WORDS: Final = 10
Also = Callable[[sa.Connection, Mapping[str, Any]], None]


def nothing_more(tx: sa.Connection, told: Mapping[str, Any]) -> None:
    """Nothing happens beside it."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody asks for."""

    segment: str
    purpose: str
    use: str
    channel: str
    recipient: str
    form: str
    fields: tuple[str, ...]
    justification: str
    expires_at: datetime
    ground: str = Ground.SEPARATE_CONSENT.value


class Asking:
    """Requests and decisions about them. Transactions are handed in; `columns` names what a partner's table may hold, with its class."""

    def __init__(
        self, *, begin_platform: Begin, read_platform: Begin, read_vault: Begin, counter: Counter, keyring: Keyring, shelf: Shelf, log: Log,
        clock: Clock, random: RandomBytes, zone: ZoneInfo, audience: OpenAudience, attributes: Attributes, columns: Mapping[str, str],
        delivery: Delivery, rules: Rules,
    ) -> None:  # fmt: skip
        self._begin, self._read, self._read_vault, self._counter = begin_platform, read_platform, read_vault, counter
        self._keyring, self._shelf, self._log, self._clock, self._random, self._zone = keyring, shelf, log, clock, random, zone
        self._audience, self._attributes, self._columns, self._delivery, self._rules = audience, attributes, columns, delivery, rules

    # ── asking and deciding ──────────────────────────────────────────────────────────────────────────────────────────────────

    def request(self, wish: Wish, *, actor: str, also: Also = nothing_more) -> dict[str, Any]:
        """Writes a request down, where the papers allow it today."""
        now = self._clock()
        if len(wish.justification.strip()) < LEAST_WORDS:
            raise Invalid("a request says why, in a sentence", code="export_justification", field="justification")
        if not now < wish.expires_at <= now + LONGEST:
            raise Invalid("a list is good for ninety days at most", code="export_expiry", field="expires_at")
        if wish.channel not in law.CHANNELS:
            raise Invalid("there is no such channel", code="export_channel", field="channel")
        if wish.ground != Ground.SEPARATE_CONSENT:
            raise Refused("lists of people leave on separate consent alone (PIPL 23)", code="export_ground", field="ground")
        law.check_fields(wish.form, wish.fields, self._columns)
        audience = self._audience(wish.segment)
        law.check_audience(audience, purpose=wish.purpose, use=wish.use)
        id_ = requests.new_id(self._random)
        with self._begin() as tx:
            entry = self._log(tx, LogKind.EXPORT, "export.request", actor=actor, facts={"export": id_, "recipient": wish.recipient})
            self._terms(tx, wish, audience.inferred)
            export = Export(
                id=id_, segment=wish.segment, version=audience.version, definition=audience.digest, purpose=wish.purpose, use=wish.use,
                ground=wish.ground, channel=wish.channel, recipient=wish.recipient, form=wish.form, fields=wish.fields,
                justification=wish.justification.strip(), expires_at=wish.expires_at, state=State.REQUESTED, until=now + REQUEST_LASTS,
                asked_by=actor, asked_at=now, entry=entry,
            )  # fmt: skip
            requests.add(tx, export)
            also(tx, export.document())
        return export.document()

    def approve(self, id_: str, *, actor: str) -> dict[str, Any]:
        """A second person's yes; it ends by itself."""
        known, now = self._one(id_).id, self._clock()
        with self._begin() as tx:
            self._log(tx, LogKind.EXPORT, "export.approve", actor=actor, facts={"export": known})
            export = requests.one(tx, id_)
            requests.check_second(export, actor)
            requests.check_live(export, now)
            self._terms(tx, export, frozenset())
            until = min(now + APPROVAL_LASTS, export.expires_at)
            return requests.move(tx, export, State.APPROVED, now=now, decided_by=actor, decided_at=now, until=until).document()

    def reject(self, id_: str, reason: str, *, actor: str) -> dict[str, Any]:
        """A second person's no, with its reason."""
        if not reason.strip():
            raise Invalid("a rejection says why", code="export_reason", field="reason")
        return self._end(id_, State.REJECTED, actor, reason=reason.strip()[:400], decided_by=actor, decided_at=self._clock())

    def cancel(self, id_: str, *, actor: str) -> dict[str, Any]:
        """Whoever asked takes it back."""
        if self._one(id_).asked_by != actor:
            raise NotFound("there is no such export", code="export_unknown")
        return self._end(id_, State.CANCELLED, actor, until=self._clock())

    def _end(self, id_: str, to: State, actor: str, **changes: Any) -> dict[str, Any]:
        known = self._one(id_).id
        with self._begin() as tx:
            self._log(tx, LogKind.EXPORT, f"export.{to.value}", actor=actor, facts={"export": known})
            export = requests.one(tx, id_)
            if to is State.REJECTED:
                requests.check_second(export, actor)
            return requests.move(tx, export, to, now=self._clock(), **changes).document()

    # ── showing ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

    def show(self, id_: str, *, exact: bool, asked_by: str | None = None) -> dict[str, Any]:
        """A request with its manifest. Somebody else's is unknown to whoever sees only their own; the officer's part needs `exact`."""
        with self._read() as tx:
            export, known = requests.one(tx, id_), files.newest(tx, id_)
        if asked_by is not None and export.asked_by != asked_by:
            raise NotFound("there is no such export", code="export_unknown")
        told = export.document() | {"manifest": None, "signature": None, "downloads": 0, "lies_here": False, "officers": None}
        if known is not None:
            sealed, officers, downloads, lies = known
            shown = dict(sealed.manifest) if exact else manifest.decided(sealed.manifest)
            told |= {"manifest": shown, "downloads": downloads, "lies_here": lies}
            if exact:
                told |= {"officers": officers, "signature": sealed.signature}
        return told

    def listing(
        self, *, states: Sequence[str] = (), recipient: str | None = None, asked_by: str | None = None, before: str | None = None,
        limit: int = 100,
    ) -> list[Any]:  # fmt: skip
        """Requests, the newest first."""
        with self._read() as tx:
            found = requests.listing(tx, states=states, recipient=recipient, asked_by=asked_by, before=before, limit=limit)
        return [one.document() for one in found]

    def offers(self, recipient: str, purpose: str) -> dict[str, Any]:
        """What may be asked for a recipient under the purpose of a segment: channels, forms with their columns, each column's class."""
        with self._read() as tx:
            content = dossiers.one(tx, "recipient", recipient).content
        abroad = recipients.is_abroad(content["country"], self._rules.jurisdiction)
        return law.offers(content, self._columns, purpose=purpose, abroad=abroad)

    # ── people who are erased, people who get nothing ────────────────────────────────────────────────────────────────────────

    def bar(self, identifiers: Sequence[Mapping[str, str]], channel: str, *, actor: str) -> int:
        """Sets people ({type, value}) on the suppression list of a channel, or of every one (`*`); returns how many were not on it."""
        return self._listed(barred.add, "export.bar", identifiers, channel, actor, by=actor)

    def lift(self, identifiers: Sequence[Mapping[str, str]], channel: str, *, actor: str) -> int:
        """Takes people off it; returns how many were on it."""
        return self._listed(barred.lift, "export.lift", identifiers, channel, actor)

    def own(self, type_: str, values: Sequence[str], *, domain: bool, actor: str) -> int:
        """Writes down addresses (or e-mail domains) that the controller owns, for control rows; returns how many were new."""
        if type_ not in law.ADDRESSES or (domain and type_ != "email") or not values:
            raise Invalid(
                "our own are telephones, addresses of accounts, e-mail addresses or e-mail domains", code="control_type", field="type"
            )
        known = [one.strip().lower() for one in values] if domain else _normal(type_, values)
        with self._begin() as tx:
            self._log(tx, LogKind.CONFIG, "export.own", actor=actor, facts={"addresses": len(values), "domain": int(domain)})
            return controlrows.register(tx, type_, known, domain=domain, now=self._clock())

    def _listed(
        self, act: Callable[..., int], action: str, identifiers: Sequence[Mapping[str, str]], channel: str, actor: str, **more: Any
    ) -> int:
        if channel not in law.CHANNELS - {""} | {barred.EVERY}:
            raise Invalid("there is no such channel", code="export_channel", field="channel")
        asked = [(one["type"], *_normal(one["type"], [one["value"]])) for one in identifiers]
        facts = {"people": len(asked), "channel": "every" if channel == barred.EVERY else channel}
        with self._begin() as tx:
            self._log(tx, LogKind.EXPORT, action, actor=actor, facts=facts)
            with self._read_vault() as vault_tx:
                found = [vault.lookup(vault_tx, self._keyring, type_, value) for type_, value in asked]
            marked = people.handles(self._keyring, list(dict.fromkeys(one for one in found if one)))
            return act(tx, marked, channel, now=self._clock(), **more) if marked else 0

    def forget(self, persons: Sequence[bytes]) -> int:
        """Removes what stands here of people who are erased; returns how many rows."""
        handles = people.handles(self._keyring, persons)
        with self._begin() as tx:
            return leavers.forget(tx, handles) + barred.forget(tx, handles)

    def held(self, persons: Sequence[bytes]) -> int:
        """How many rows stand here of people."""
        with self._read() as tx:
            handles = people.handles(self._keyring, persons)
            return sum(len(each) for each in leavers.lists_of(tx, handles).values()) + barred.held(tx, handles)

    # ── shared ───────────────────────────────────────────────────────────────────────────────────────────────────────────────

    def _one(self, id_: str) -> Export:
        with self._read() as tx:
            return requests.one(tx, id_)

    def _today(self) -> date:
        return self._clock().astimezone(self._zone).date()

    def _terms(self, tx: sa.Connection, export: Export | Wish, inferred: frozenset[str]) -> law.Terms:
        return law.terms(
            tx, export.recipient, audience_purpose=export.purpose, channel=export.channel, form=export.form, fields=export.fields,
            inferred=inferred, jurisdiction=self._rules.jurisdiction, today=self._today(),
        )  # fmt: skip


def _normal(type_: str, values: Sequence[str]) -> list[str]:
    """Identifiers as the vault knows them; raises Invalid for what is none."""
    try:
        told, bad = normalise(type_, pa.array(values, pa.string()), namespace="")
    except ValueError:
        raise Invalid("there is no such type of identifier", code="bad_identifier", field="type") from None
    if pc.any(bad).as_py() or told.null_count:
        raise Invalid("this is no identifier of its type", code="bad_identifier", field="value")
    return list(told.to_pylist())
