"""Looking at the register of requests: lists, one request with its person masked, deadlines as they stand today.

Promise: a look is an entry before anything is read; of a person a list shows a reference, a request's page their masked identifiers. Whose
a request is stands under a handle of this domain. It changes nothing, and must never put a value into the log or an error.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from privacy.consent import flags
from privacy.deidentify import masking
from privacy.errors import NotFound
from privacy.identity import merging, pseudonyms, vault
from privacy.identity.keys import Keyring
from privacy.orm import Begin
from privacy.records import Clock, Log, RandomBytes
from privacy.rights import clocks, packages, register
from privacy.rights.register import Event, Request, Wanted
from privacy.vocabulary import LogKind, Regime, Step

if TYPE_CHECKING:
    from privacy.oversight.wards import Wards

KNOWN, UNKNOWN, ERASED = "known", "unknown", "erased"
_PLAIN = (
    *("number", "regime", "language", "channel", "step", "version", "opened_by", "assignee"),
    *("decided_by", "approved_by", "outcome", "reason", "closing", "erasure", "deceased"),
)
_INSTANTS = ("opened_at", "asked_at", "proven_at", "lengthened_at", "delivered_at", "closed_at")


class Looks:
    """What the desk sees. Each method opens its own transactions; readings are logged and committed first."""

    def __init__(
        self, *, begin_platform: Begin, read_platform: Begin, begin_vault: Begin, read_vault: Begin, keyring: Keyring, log: Log,
        clock: Clock, random: RandomBytes, zone: str, working: Callable[[Regime], clocks.Working], wards: Wards,
    ) -> None:  # fmt: skip
        self._begin_platform, self._read_platform = begin_platform, read_platform
        self._begin_vault, self._read_vault = begin_vault, read_vault
        self._keyring, self._log, self._clock, self._random = keyring, log, clock, random
        self._zone, self._working, self._wards = ZoneInfo(zone), working, wards

    # ── looking ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

    def page(self, wanted: Wanted, *, actor: str, after: str = "", limit: int = register.PAGE) -> dict[str, Any]:
        """{"items", "next", "total", "by_step"}: requests that match; whose they are is a reference. The reading is logged."""
        self._read(actor, "request.list", {"filters": wanted.named(), "limit": limit})
        with self._read_platform() as tx:
            found, following = register.page(tx, wanted, after=after, limit=limit)
            number, counted = register.total(tx, wanted), register.by_step(tx)
        return {"items": [self._document(one) for one in found], "next": following, "total": number, "by_step": counted}

    def every(self, wanted: Wanted, *, actor: str, most: int) -> Iterator[dict[str, Any]]:
        """The requests that match, for a file; logged as an export before the first is read."""
        with self._begin_platform() as tx:
            self._log(tx, LogKind.EXPORT, "request.extract", actor=actor, facts={"filters": wanted.named(), "limit": most})
        with self._read_platform() as tx:
            found = list(register.every(tx, wanted, most))
        return (self._document(one) for one in found)

    def show(self, number: str, *, actor: str) -> dict[str, Any]:
        """The request with its person masked, its acts, its packages and the other requests of the same person. Logged first."""
        one = self._one(number)
        self._read(actor, "request.view", self._named(one))
        family = self._family(one)
        band = self._wards.band(family[0]) if family else None
        shown = not family or self._wards.opens(family[0], "request.view", actor)
        subjects = [self._keyring.block_cipher(pseudonyms.REQUEST_HANDLE)(member) for member in family] or [one.subject]
        with self._read_platform() as tx:
            events, made = register.events(tx, number), packages.of(tx, number)
            others = [other for other in register.of_subjects(tx, subjects) if other.number != number]
            standing = flags.history(tx, self._consent_handles(family)) if family else []
        return self._document(one) | {
            "identifiers": self._masked(family) if shown else [],
            "minor": band,
            "kin": next((dict(event.facts) for event in reversed(events) if event.act == "kin_checked"), None),
            "found": KNOWN if family else UNKNOWN if one.found == UNKNOWN else ERASED,
            "events": [_event(event) for event in events],
            "packages": [package.document(self._clock()) for package in made],
            "others": [self._document(other) for other in others],
            "duplicate": [other.number for other in others if other.kind == one.kind and other.place is not Step.CLOSED],
            "flags": [_flag(row) for row in standing if row["lifted_at"] is None],
            "redacted": _redacted(events),
        }  # fmt: skip

    def standing(self) -> dict[str, int]:
        """How many requests are open, near their deadline and late: counts for a start page, of nobody in particular."""
        with self._read_platform() as tx:
            found = list(register.every(tx, Wanted(closed=False), register.MOST))
        today = self.today()
        told = [self._deadlines(one).state(today) for one in found]
        return {"open": len(told), "near": told.count("near"), "late": told.count("late")}

    def of_person(self, handle: str) -> list[dict[str, Any]]:
        """Every request of a person, for their case, which has logged the look."""
        person = self._of_console(handle)
        with self._read_vault() as tx:
            family = [member.id for member in merging.family_of(tx, person)] or [person]
        with self._read_platform() as tx:
            found = register.of_subjects(tx, [self._keyring.block_cipher(pseudonyms.REQUEST_HANDLE)(member) for member in family])
        return [self._document(one) for one in found]

    # ── names ────────────────────────────────────────────────────────────────────────────────────────────────────────────────

    def handle_of(self, number: str) -> str | None:
        """The console handle of the request's person; None for nobody."""
        family = self._family(self._one(number))
        return pseudonyms.handles(family[0], self._keyring.block_cipher(pseudonyms.CONSOLE_HANDLE)).hex() if family else None

    def today(self) -> date:
        """This day in the controller's zone."""
        return self._clock().astimezone(self._zone).date()

    def _read(self, actor: str, action: str, facts: Mapping[str, Any]) -> None:
        with self._begin_platform() as tx:
            self._log(tx, LogKind.READ, action, actor=actor, facts=facts)

    def _one(self, number: str) -> Request:
        with self._read_platform() as tx:
            return register.one(tx, number)

    def _named(self, one: Request) -> dict[str, Any]:
        """How the log names a request and its person."""
        if one.found == UNKNOWN:
            return {"request": one.number.lower()}
        return {
            "request": one.number.lower(),
            "subject": pseudonyms.handles(self._person(one), self._keyring.block_cipher(pseudonyms.LOG_HANDLE)),
        }

    def _person(self, one: Request) -> bytes:
        return self._keyring.inverse_block_cipher(pseudonyms.REQUEST_HANDLE)(one.subject)

    def _of_console(self, handle: str) -> bytes:
        try:
            raw = bytes.fromhex(handle)
        except ValueError:
            raw = b""
        if len(raw) != pseudonyms.PERSON_BYTES:
            raise NotFound("no such person", code="person_unknown", field="handle")
        return self._keyring.inverse_block_cipher(pseudonyms.CONSOLE_HANDLE)(raw)

    def _family(self, one: Request) -> list[bytes]:
        """Whoever the request's person turned out to be by now; empty for nobody and for somebody erased."""
        with self._read_vault() as tx:
            return [member.id for member in merging.family_of(tx, self._person(one))]

    def _consent_handles(self, family: Sequence[bytes]) -> list[bytes]:
        cipher = self._keyring.block_cipher(pseudonyms.CONSENT_HANDLE)
        return [cipher(member) for member in family]

    def _masked(self, family: Sequence[bytes]) -> list[dict[str, str]]:
        if not family:
            return []
        with self._read_vault() as tx:
            held = vault.identifiers_of(tx, self._keyring, family[0])
        return [{"type": str(kind), "ref": self._reference(kind, value), "masked": masking.mask(kind, value)} for kind, value in held]

    def _reference(self, kind: str, value: str) -> str:
        """Names one identifier on a page without being one, as every page of the console names it."""
        key = self._keyring.mac_key(pseudonyms.CONSOLE_HANDLE, "identifier")
        return pseudonyms.blind_index(key, kind, [value])[0].hex()[:32]

    def _deadlines(self, one: Request) -> clocks.Deadlines:
        last = self.today() if one.closed_at is None else one.closed_at.astimezone(self._zone).date()
        return clocks.deadlines(
            one.right, one.law, one.received_on, last, self._working(one.law), pause=one.pause(self._zone), lengthened=one.lengthened_at is not None
        )  # fmt: skip

    def _document(self, one: Request) -> dict[str, Any]:
        """What is shown of a request in a list."""
        due, today = self._deadlines(one), self.today()
        (reference,) = pseudonyms.officer_references(self._person(one), self._keyring.block_cipher(pseudonyms.OFFICER_REFERENCE))
        return {
            "right": one.kind,
            **{name: getattr(one, name) for name in _PLAIN},
            **{name: _iso(getattr(one, name)) for name in _INSTANTS},
            "subject": reference,
            "purposes": list(one.detail),
            "received_on": one.received_on.isoformat(),
            "due": due.own.isoformat(),
            "due_by_law": due.legal.isoformat(),
            "days_left": due.days_left(today),
            "clock": "stopped" if one.place is Step.CLOSED else due.state(today),
            "basis": due.basis,
            "may_lengthen": one.lengthened_at is None and clocks.may_lengthen(one.right, one.law),
        }


def _iso(instant: Any) -> str | None:
    return None if instant is None else str(instant.isoformat())


def _event(event: Event) -> dict[str, Any]:
    return {
        "at": event.at.isoformat(), "actor": event.actor, "act": event.act, "facts": dict(event.facts), "words": event.words,
        "entry": event.entry,
    }  # fmt: skip


def _redacted(events: Sequence[Event]) -> dict[str, Any]:
    """What the last word of the review withholds."""
    last = next((event.facts for event in reversed(events) if event.act == "redacted"), {})
    return {"parts": list(last.get("parts", ())), "ground": last.get("ground")}


def _flag(row: Mapping[str, Any]) -> dict[str, str]:
    return {"flag": str(row["flag"]), "since": row["since"].isoformat(), "request": str(row["request"])}
