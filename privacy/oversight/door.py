"""The door of oversight: what an officer sees of the log and of people, and the reveal.

Promise: the entry of a reading is committed before anything is read; if it cannot be written nothing is shown. People are found by an
identifier and shown masked; one value at a time is revealed, for a purpose of a closed list and a reason in words. Unknown people take
the same steps as known ones. The log knows people by their log handle, a page by its console handle; neither is the other.
It must never put a value into the log, an error or a checkpoint.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import pyarrow as pa
import sqlalchemy as sa

from privacy.audit import checkpoint, merkle, reading
from privacy.audit.checkpoint import Signer, verifier_key
from privacy.audit.log import head
from privacy.audit.payload import MAX_SENTENCE, Sentence
from privacy.audit.reading import Busy, Filter, Line, Page
from privacy.audit.stored import verify
from privacy.audit.unusual import DAYS, Habits, Office, habits
from privacy.audit.verify import leaf_hash, read_checkpoint
from privacy.consent import flags
from privacy.deidentify import freetext, masking
from privacy.errors import Invalid, NotFound, Refused
from privacy.identity import merging, pseudonyms, vault
from privacy.identity.keys import Keyring
from privacy.identity.normalise import normalise
from privacy.orm import Begin
from privacy.oversight import casebook
from privacy.oversight.wards import Wards
from privacy.records import Clock, Log
from privacy.vocabulary import Flag, IdentifierType, LogKind

LOOKUPS_PER_HOUR = 60
"""Look-ups and reveals one account may make in an hour: the search is an oracle for officers too (law_rules E-7)."""
_HOUR = timedelta(hours=1)
FIND, SHOW, REVEAL, LIMITED, REASONS = "person.find", "person.show", "person.reveal", "person.limited", "person.reasons"


class LookupPurpose(StrEnum):
    """What a person may be looked up for; each look-up names one (35273 7.2, PIPL 51)."""

    RIGHTS_REQUEST = "rights_request"
    CONSENT_EVIDENCE = "consent_evidence"
    COMPLAINT = "complaint"
    DATA_QUALITY = "data_quality"
    INCIDENT = "incident"
    LEGAL_ORDER = "legal_order"


REVEALED_UNDER_RESTRICTION = frozenset({LookupPurpose.RIGHTS_REQUEST, LookupPurpose.INCIDENT, LookupPurpose.LEGAL_ORDER})
"""What a restricted person may still be revealed for: their own request, to warn them, and what a law orders (GDPR 18(2))."""


class _TooMany(Exception):
    """Takes a look-up's entry back: it did not happen."""


class Oversight:
    """What officers and the outside may see. Each method opens its own transactions; readings are logged and committed first."""

    def __init__(
        self,
        *,
        begin_platform: Begin,
        read_platform: Begin,
        read_vault: Begin,
        keyring: Keyring,
        log: Log,
        clock: Clock,
        zone: str,
        lookups_per_hour: int = LOOKUPS_PER_HOUR,
    ) -> None:
        self._begin_platform = begin_platform
        self._read_platform = read_platform
        self._read_vault = read_vault
        self._keyring = keyring
        self._log = log
        self._clock = clock
        self._lookups_per_hour = lookups_per_hour
        self._wards = Wards(
            begin_platform=begin_platform,
            read_platform=read_platform,
            read_vault=read_vault,
            keyring=keyring,
            log=log,
            clock=clock,
            zone=zone,
        )

    # ── the log ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

    def verify(self, *, actor: str, held: Iterable[str] = ()) -> dict[str, Any]:
        """Recompute the whole tree; `held` are checkpoints that somebody outside kept. The verification is itself an entry."""
        with self._begin_platform() as tx:
            self._log(tx, LogKind.READ, "log.verify", actor=actor)
        return self.check(held)

    def check(self, held: Iterable[str] = ()) -> dict[str, Any]:
        """The verdict alone, writing nothing: for health checks, which must work where nothing can be written."""
        with self._read_platform() as tx:
            notes = [*checkpoint.notes(tx), *held]
            with closing(reading.evidence(tx)) as entries, closing(reading.nodes(tx)) as nodes:
                return verify(entries, notes, keys=self.verifier_keys(), nodes=nodes, head=head(tx))

    def checkpoint(self) -> str:
        """Sign the log's present head; the note is to be kept by somebody outside."""
        signer = Signer(self.origin, self._keyring.signer(), self._keyring.public_key())
        with self._begin_platform() as tx:
            return checkpoint.issue(tx, signer, self._clock())

    @property
    def origin(self) -> str:
        """The name under which this log signs."""
        return f"piying/{self._keyring.deployment}"

    def verifier_keys(self) -> list[str]:
        """Public keys of every signing version, in the form in which verifiers exchange them."""
        return [verifier_key(self.origin, self._keyring.public_key(version)) for version in self._keyring.versions("signing")]

    def entries(self, wanted: Filter, *, actor: str, before: int | None = None, limit: int = 100) -> Page:
        """Entries, newest first, from before the cursor. Which kinds of filter were used is logged; whose history, by handle.

        `wanted.subject` is a console handle, as pages carry it.
        """
        wanted = self._reading(wanted, actor, limit)
        with self._read_platform() as tx:
            return reading.lines(tx, wanted, before=before, limit=limit)

    def survey(self, wanted: Filter, *, actor: str, before: int | None, limit: int, since: datetime) -> tuple[Page, int, list[Busy]]:
        """A page of entries, how many match in all, and who of them was busy in which hour since an instant. One reading, one entry."""
        page, total, busy, _ = self.look_through(wanted, actor=actor, before=before, limit=limit, since=since)
        return page, total, busy

    def look_through(
        self,
        wanted: Filter,
        *,
        actor: str,
        before: int | None,
        limit: int,
        since: datetime,
        office: Office | None = None,
        strange: bool = False,
    ) -> tuple[Page, int, list[Busy], Habits | None]:
        """As `survey`, with what is usual for everybody at an office; `strange` leaves what is not."""
        wanted = self._reading(wanted, actor, limit, strange=strange)
        busy_since = since if wanted.since is None else max(since, wanted.since)
        with self._read_platform() as tx:
            usual = None if office is None else self._habits(tx, office)
            wanted = replace(wanted, unusual=usual if strange else None)
            page = reading.lines(tx, wanted, before=before, limit=limit)
            return page, reading.total(tx, wanted), reading.activity(tx, replace(wanted, since=busy_since)), usual

    def _habits(self, tx: sa.Connection, office: Office) -> Habits:
        now = self._clock()
        return habits(reading.activity(tx, Filter(since=now - timedelta(days=DAYS))), office, now)

    def entry(self, seq: int, *, actor: str) -> dict[str, Any]:
        """One entry: {"line", "linked", "earlier", "size", "included"}; `included` says whether the newest signed head contains it."""
        with self._begin_platform() as tx:
            self._log(tx, LogKind.READ, "log.entry", actor=actor, facts={"entry": seq})
        with self._read_platform() as tx:
            line = reading.line(tx, seq)
            newest = checkpoint.latest(tx)
            signed = None if newest is None else read_checkpoint(newest[1])[0]
            included = None
            if signed is not None and seq < signed.size:
                with closing(reading.evidence(tx, from_seq=seq, until_seq=seq + 1)) as entries:
                    leaf = leaf_hash(next(entries))
                included = merkle.verify_inclusion(leaf, seq, signed.size, reading.inclusion_proof(tx, seq, signed.size), signed.root)
            told = {"line": line, "linked": reading.linked(tx, line), "size": None if signed is None else signed.size, "included": included}
            return told | {"earlier": reading.earlier(tx, line) if line.kind == LogKind.CONFIG else None}

    def extract(self, wanted: Filter, *, actor: str, limit: int, office: Office | None = None, strange: bool = False) -> Iterator[Line]:
        """The entries that match, newest first, at most `limit`: an export, which is logged as one."""
        wanted = self._reading(wanted, actor, limit, kind=LogKind.EXPORT, action="log.extract", strange=strange)
        if strange and office is not None:
            with self._read_platform() as tx:
                wanted = replace(wanted, unusual=self._habits(tx, office))
        return self._extract(wanted, limit)

    def _extract(self, wanted: Filter, limit: int) -> Iterator[Line]:
        before: int | None = None
        while limit > 0:
            with self._read_platform() as tx:
                page = reading.lines(tx, wanted, before=before, limit=min(limit, reading.MAX_PAGE))
            yield from page.items
            limit, before = limit - len(page.items), page.next
            if before is None:
                return

    def _reading(
        self, wanted: Filter, actor: str, limit: int, *, kind: LogKind = LogKind.READ, action: str = "log.read", strange: bool = False
    ) -> Filter:
        """Commits the entry of a reading; the filter with the person's log handles in it."""
        people = [] if wanted.subject is None else [self._person(wanted.subject)]
        if wanted.case is not None:
            people = self._of_case(wanted.case, actor)
        handles = [self._log_handle(person) for person in people]
        facts: dict[str, Any] = {"filters": [*wanted.named(), *(["unusual"] if strange else [])], "limit": limit, "case": wanted.case}
        with self._begin_platform() as tx:
            self._log(tx, kind, action, actor=actor, facts=facts | {"subject": handles[0] if handles else None})
        return replace(wanted, subject=None, subjects=tuple(one.hex() for one in handles) if handles else None)

    def _of_case(self, case_id: str, actor: str) -> list[bytes]:
        """The person of a case of the account's own, and whoever was merged into them."""
        with self._read_platform() as tx:
            case = casebook.one(tx, case_id, actor, self._clock())
        person = self._keyring.inverse_block_cipher(pseudonyms.CONSOLE_HANDLE, case.id)(case.subject)
        self._wards.check(person, "log.read", actor)
        with self._read_vault() as tx:
            return [member.id for member in merging.family_of(tx, person)] or [person]

    # ── people ───────────────────────────────────────────────────────────────────────────────────────────────────────────────

    def find_person(self, type_: str, value: str, *, purpose: str, reason: str, actor: str, namespace: str = "") -> dict[str, Any]:
        """{"handle", "identifiers": [{"type", "ref", "masked"}]}; for unknown people the handle is None and the list empty.

        Two entries: that somebody looks, before the look-up; and whom they were shown, before anything is opened. A minor is shown to nobody
        without another's approval (`wards`).
        """
        person = self._meet(type_, value, purpose=purpose, reason=reason, actor=actor, namespace=namespace)
        if person is not None:
            self._wards.check(person, FIND, actor)
        return self._shown(person, purpose, actor)

    def _meet(self, type_: str, value: str, *, purpose: str, reason: str, actor: str, namespace: str) -> bytes | None:
        """Whose an identifier is; that somebody looks is logged first."""
        kind, normal = normalised(type_, value, namespace)
        facts = {"identifier": kind, **why(purpose, reason)}
        self._ask(FIND, actor, facts)
        with self._read_vault() as tx:
            return vault.lookup(tx, self._keyring, kind, normal)

    def _shown(self, person: bytes | None, purpose: str, actor: str) -> dict[str, Any]:
        """The masked identifiers of whom a look-up met; whom, is logged first."""
        shown = {"purpose": purpose, "subject": None if person is None else self._log_handle(person)}
        with self._begin_platform() as tx:
            self._log(tx, LogKind.READ, SHOW, actor=actor, result="unknown" if person is None else "ok", facts=shown)
        if person is None:
            return {"handle": None, "identifiers": []}
        with self._read_vault() as tx:
            held = vault.identifiers_of(tx, self._keyring, person)
        identifiers = [{"type": str(kind), "ref": self._reference(kind, one), "masked": masking.mask(kind, one)} for kind, one in held]
        return {"handle": self._console_handle(person), "identifiers": identifiers}

    def reveal(self, handle: str, ref: str, *, purpose: str, reason: str, actor: str) -> dict[str, Any]:
        """{"type", "value", "entry"}: one identifier in clear. `handle` and `ref` are those that `find_person` gave; `entry` is its log entry."""
        person = self._person(handle)
        entry = self._ask(REVEAL, actor, {"subject": self._log_handle(person), **why(purpose, reason)})
        self._wards.check(person, REVEAL, actor)
        self._check_restriction(person, purpose, actor)
        with self._read_vault() as tx:
            held = vault.identifiers_of(tx, self._keyring, person)
        for kind, value in held:
            if self._reference(kind, value) == ref:
                return {"type": str(kind), "value": value.rpartition("\x1f")[2], "entry": entry}
        raise NotFound("no such identifier of this person", code="identifier_unknown", field="ref")

    def _check_restriction(self, person: bytes, purpose: str, actor: str) -> None:
        """Raises Refused, and says so in the log, where the processing of this person's data is restricted and the purpose is not their own."""
        with self._read_vault() as tx:
            family = [member.id for member in merging.family_of(tx, person)]
        cipher = self._keyring.block_cipher(pseudonyms.CONSENT_HANDLE)
        with self._read_platform() as tx:
            said = flags.among(tx, [cipher(one) for one in family])
        if purpose in REVEALED_UNDER_RESTRICTION or not any(Flag.RESTRICTED in one for one in said.values()):
            return
        with self._begin_platform() as tx:
            self._log(tx, LogKind.REFUSAL, REVEAL, actor=actor, result="restricted", facts={"subject": self._log_handle(person)})
        raise Refused("the processing of this person's data is restricted", code="restricted", field="purpose")

    def _ask(self, action: str, actor: str, facts: dict[str, Any]) -> int:
        """Commit the entry of a look-up, or refuse it for being one too many. Counted under the log's lock, so that no two pass at once."""
        since = self._clock() - _HOUR
        try:
            with self._begin_platform() as tx:
                entry = self._log(tx, LogKind.READ, action, actor=actor, facts=facts)
                if sum(reading.count(tx, actor, one, since) for one in (FIND, REVEAL, REASONS)) > self._lookups_per_hour:
                    raise _TooMany
        except _TooMany:
            self._note_limit(actor, since)
            raise Refused(
                "this account has looked up as many people as an hour allows", code="too_many_lookups", retry_after=3600
            ) from None
        return entry

    def _note_limit(self, actor: str, since: datetime) -> None:
        """One entry an hour says that the limit was met; a flood of tries does not become a flood of entries (attack 44)."""
        with self._begin_platform() as tx:
            if not reading.count(tx, actor, LIMITED, since):
                self._log(tx, LogKind.REFUSAL, LIMITED, actor=actor, result="too_many_lookups", facts={"limit": self._lookups_per_hour})

    # ── names of people ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def _log_handle(self, person: bytes) -> bytes:
        return pseudonyms.handles(person, self._keyring.block_cipher(pseudonyms.LOG_HANDLE))

    def _console_handle(self, person: bytes) -> str:
        return pseudonyms.handles(person, self._keyring.block_cipher(pseudonyms.CONSOLE_HANDLE)).hex()

    def _person(self, handle: str) -> bytes:
        """The person of a console handle; one that was never given leads to nobody."""
        try:
            raw = bytes.fromhex(handle)
        except ValueError:
            raw = b""
        if len(raw) != pseudonyms.PERSON_BYTES:
            raise NotFound("no such person", code="person_unknown", field="handle")
        return self._keyring.inverse_block_cipher(pseudonyms.CONSOLE_HANDLE)(raw)

    def _reference(self, kind: str, value: str) -> str:
        """Names one identifier on a page without being one: an HMAC under a key of the console's own."""
        key = self._keyring.mac_key(pseudonyms.CONSOLE_HANDLE, "identifier")
        return pseudonyms.blind_index(key, kind, [value])[0].hex()[:32]


def normalised(type_: str, value: str, namespace: str) -> tuple[str, str]:
    """Type and normalised value; whoever mistypes is told the rule and nothing is looked up."""
    if type_ not in set(IdentifierType):
        raise Invalid("no such type of identifier", code="identifier_type", field="type")
    (normal,), _ = _first(normalise(type_, pa.array([value], pa.string()), namespace=namespace))
    if normal is None:
        raise Invalid("the identifier is not of this type", code="bad_identifier", field="identifier")
    return type_, normal


def _first(columns: Sequence[Any]) -> tuple[list[Any], ...]:
    return tuple(column.to_pylist() for column in columns)


def why(purpose: str, reason: str) -> dict[str, Any]:
    """Purpose and reason as facts; the reason is scrubbed, and refused where the scrubber doubts (requirement P-06)."""
    if purpose not in set(LookupPurpose):
        raise Invalid("a look-up names a purpose of the list", code="lookup_purpose", field="purpose")
    words = reason.strip()
    if not 3 <= len(words) <= MAX_SENTENCE:
        raise Invalid("a look-up says its reason in three to five hundred characters", code="reason_missing", field="reason")
    (scrubbed,), (doubt,) = _first(freetext.scrub(pa.array([words], pa.string())))
    if scrubbed is None or doubt or len(scrubbed) > MAX_SENTENCE:
        raise Invalid("the reason seems to name somebody; say it without a name or number", code="reason_identifies", field="reason")
    return {"purpose": purpose, "reason": Sentence(scrubbed)}
