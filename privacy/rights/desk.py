"""The desk of requests: opened for anybody, taken from step to step, each act with its entry in the log and its line in the request.

Promise: who nobody knows has a request that takes the same steps; identity is proven before anything is decided, and kept as a word for the
method; a deletion is decided by two; nothing is closed without a reason. It must never put a value, or a sentence that names somebody, into
the register, the log or an error.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

import pyarrow as pa
import sqlalchemy as sa

from privacy.audit.payload import MAX_SENTENCE, Sentence
from privacy.consent import flags, registry
from privacy.deidentify import freetext
from privacy.errors import Conflict, Invalid
from privacy.identity import pseudonyms
from privacy.rights import clocks, register, steps
from privacy.rights.looks import KNOWN, UNKNOWN, Looks
from privacy.rights.register import Event, Request
from privacy.vocabulary import Flag, LogKind, Regime, Right, Step

LANGUAGES = ("zh", "en")
OLDEST = timedelta(days=366)
"""How long ago a letter can have come in that is entered today."""
GROUNDS = ("third_party", "trade_secret", "security")
"""Why a part of a package is withheld."""

Change = Callable[[Request], Mapping[str, Any]]


class Desk(Looks):
    """What the desk does. Each act opens its own transaction: the change, its entry and its line, or nothing."""

    # ── opening ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

    def open(
        self, handle: str | None, *, right: str, regime: str, language: str, channel: str, actor: str,
        received_on: date | None = None, detail: Sequence[str] = (), proven_by: str = "", deceased: bool = False,
    ) -> dict[str, Any]:  # fmt: skip
        """Opens a request; `handle` is a console handle, None for somebody whom nobody knows. `proven_by`: identity was proven on the way;
        `deceased`: a close relative asks, for somebody who died (PIPL 49)."""
        _among(right, set(Right), "right_unknown", "right")
        _among(regime, set(Regime), "regime_unknown", "regime")
        _among(language, set(LANGUAGES), "language_unknown", "language")
        _among(channel, set(steps.CHANNELS), "channel_unknown", "channel")
        if deceased:
            _among(right, set(steps.OF_THE_DEAD), "right_not_of_deceased", "right")
        if proven_by:
            _among(proven_by, set(steps.METHODS), "method_unknown", "method")
        now, today = self._clock(), self.today()
        day = received_on or today
        if not today - OLDEST <= day <= today:
            raise Invalid("a request came in today or within the last year", code="bad_day", field="received_on")
        person = self._random(pseudonyms.PERSON_BYTES) if handle is None else self._of_console(handle)
        one = Request(
            number=register.new_number(self._random), kind=right, regime=regime, language=language, channel=channel, detail=list(detail),
            subject=self._keyring.block_cipher(pseudonyms.REQUEST_HANDLE)(person), found=UNKNOWN if handle is None else KNOWN,
            step=(Step.COLLECT if proven_by else Step.RECEIVED).value, version=1, opened_at=now, received_on=day, opened_by=actor,
            assignee=None, asked_at=None, proven_at=now if proven_by else None, lengthened_at=None, decided_by=None, approved_by=None,
            outcome=None, reason=None, delivered_at=None, closed_at=None, closing=None, erasure=None, deceased=deceased,
        )  # fmt: skip
        with self._begin_platform() as tx:
            self._check_detail(tx, one)
            facts = {"right": right, "regime": regime, "channel": channel} | ({"method": proven_by} if proven_by else {})
            facts |= {"for": "deceased"} if deceased else {}
            entry = self._log(tx, LogKind.RIGHTS, "request.open", actor=actor, facts=self._named(one) | facts)
            register.add(tx, one)
            register.note(tx, one.number, Event(now, actor, "open", facts, None, entry))
        return self._document(one)

    def _check_detail(self, tx: sa.Connection, one: Request) -> None:
        if one.right is not Right.WITHDRAWAL:
            if one.detail:
                raise Invalid("only a withdrawal names purposes", code="purpose_unknown", field="purposes")
            return
        known = {key for key, purpose in registry.purposes(tx).items() if purpose.rests_on_consent()}
        if not one.detail or not known.issuperset(one.detail):
            raise Invalid("a withdrawal names the purposes that it is about", code="purpose_unknown", field="purposes")

    # ── acts ─────────────────────────────────────────────────────────────────────────────────────────────────────────────────

    def assign(self, number: str, account: str | None, *, actor: str) -> dict[str, Any]:
        """Gives a request to somebody, or to nobody."""

        def change(one: Request) -> Mapping[str, Any]:
            steps.open_(one.place)
            return {"assignee": account}

        return self._act(number, "assign", actor, change, {"assignee": account})

    def ask_identity(self, number: str, *, actor: str) -> dict[str, Any]:
        """Notes that somebody was asked to prove who they are; the clock stands still from now on."""
        now = self._clock()
        return self._act(number, "identity_asked", actor, lambda one: {"step": steps.ask(one.place).value, "asked_at": now})

    def check_identity(self, number: str, *, method: str, passed: bool, actor: str) -> dict[str, Any]:
        """Notes how somebody proved who they are, or failed to."""
        _among(method, set(steps.METHODS), "method_unknown", "method")
        now = self._clock()

        def change(one: Request) -> Mapping[str, Any]:
            step = steps.after_proof(one.place, passed=passed)
            return {"step": step.value, "asked_at": one.asked_at if passed else one.asked_at or now, "proven_at": now if passed else None}

        return self._act(number, "identity_proven" if passed else "identity_failed", actor, change, {"method": method})

    def check_kin(self, number: str, kin: Mapping[str, str], *, actor: str) -> dict[str, Any]:
        """Notes which papers a relative of somebody who died has shown, who they are and what the person wished; nothing of the papers."""
        steps.check_kin(kin)

        def change(one: Request) -> Mapping[str, Any]:
            if not one.deceased or one.decided_by is not None or one.place not in (Step.COLLECT, Step.REVIEW, Step.DECIDE):
                raise Conflict("the request does not stand at this step", code="request_step", field="step")
            return {}

        return self._act(number, "kin_checked", actor, change, {name: kin[name] for name in steps.KIN})

    def kin_of(self, number: str) -> dict[str, str] | None:
        """What was last noted of the relative who asks; None before anything was."""
        with self._read_platform() as tx:
            seen = [event.facts for event in register.events(tx, number) if event.act == "kin_checked"]
        return {name: str(seen[-1][name]) for name in steps.KIN} if seen else None

    def gathered(self, number: str, stores: Mapping[str, int], *, actor: str) -> dict[str, Any]:
        """Notes how much every store holds; what is asked for can be reviewed now."""
        change: Change = lambda one: {"step": steps.must(one.place, Step.COLLECT, Step.REVIEW).value}  # noqa: E731 (one of many such)
        return self._act(number, "gathered", actor, change, {"stores": dict(stores)})

    def redact(self, number: str, parts: Sequence[str], ground: str, *, actor: str) -> dict[str, Any]:
        """Says which parts a package withholds, and why; an empty list withholds nothing."""
        if parts:
            _among(ground, set(GROUNDS), "ground_unknown", "ground")
        change: Change = lambda one: {"step": steps.must(one.place, Step.REVIEW, Step.REVIEW).value}  # noqa: E731
        return self._act(number, "redacted", actor, change, {"parts": sorted(set(parts)), "ground": ground if parts else None})

    def reviewed(self, number: str, *, actor: str) -> dict[str, Any]:
        """What was gathered was looked through."""
        return self._act(number, "reviewed", actor, lambda one: {"step": steps.must(one.place, Step.REVIEW, Step.DECIDE).value})

    def decide(self, number: str, *, outcome: str, reason: str, words: str, actor: str) -> dict[str, Any]:
        """Fulfils, fulfils in part or refuses; what is not granted in full names its reason."""
        kin = self.kin_of(number)

        def change(one: Request) -> Mapping[str, Any]:
            if one.deceased:
                steps.check_deceased(kin, outcome)
            step = steps.decide(one.right, one.place, outcome, reason, proven=one.proven_at is not None)
            return {"step": step.value, "decided_by": actor, "outcome": outcome, "reason": reason or None, "approved_by": None}

        return self._act(number, "decided", actor, change, {"outcome": outcome, "reason": reason or None}, words)

    def approve(self, number: str, *, actor: str) -> dict[str, Any]:
        """The second person's word for a decision."""
        change: Change = lambda one: {"step": steps.approve(one.place, one.decided_by, actor).value, "approved_by": actor}  # noqa: E731
        return self._act(number, "approved", actor, change)

    def send_back(self, number: str, *, words: str, actor: str) -> dict[str, Any]:
        """The second person does not agree: back to review, with a sentence why."""
        if not words.strip():
            raise Invalid("sending back says why", code="reason_missing", field="words")

        def change(one: Request) -> Mapping[str, Any]:
            steps.approve(one.place, one.decided_by, actor)
            return {"step": Step.REVIEW.value, "decided_by": None, "outcome": None, "reason": None}

        return self._act(number, "sent_back", actor, change, {}, words)

    def lengthen(self, number: str, reason: str, *, actor: str) -> dict[str, Any]:
        """Lengthens the deadline, once, while it is not over."""
        _among(reason, set(steps.WHY_LONGER), "reason_missing", "reason")
        now = self._clock()

        def change(one: Request) -> Mapping[str, Any]:
            steps.open_(one.place)
            if not clocks.may_lengthen(one.right, one.law):
                raise Invalid("this right has no longer period", code="not_lengthened", field="right")
            if one.lengthened_at is not None:
                raise Conflict("the deadline was lengthened before, and can be once", code="lengthened_before", field="request")
            if self._deadlines(one).days_left(self.today()) < 0:
                raise Conflict("the deadline is over", code="deadline_over", field="request")
            return {"lengthened_at": now}

        return self._act(number, "lengthened", actor, change, {"reason": reason})

    def comment(self, number: str, words: str, *, actor: str) -> dict[str, Any]:
        """Adds a sentence that names nobody."""
        if not words.strip():
            raise Invalid("a comment says something", code="words_missing", field="words")
        return self._act(number, "comment", actor, lambda one: {}, {}, words)

    def told(self, number: str, letter: str, language: str, *, actor: str) -> dict[str, Any]:
        """Notes that a letter was handed out."""
        return self._act(number, "letter", actor, lambda one: {}, {"letter": letter, "language": language})

    def noted(self, number: str, act: str, facts: Mapping[str, Any], *, actor: str, wanted: Step = Step.DELIVER) -> dict[str, Any]:
        """Notes something that was done for a request where it stands."""
        change: Change = lambda one: {"step": steps.must(one.place, wanted, wanted).value}  # noqa: E731
        return self._act(number, act, actor, change, facts)

    def delivered(self, number: str, facts: Mapping[str, Any], *, actor: str, erasure: str | None = None) -> dict[str, Any]:
        """Notes that what was decided was carried out."""
        now = self._clock()

        def change(one: Request) -> Mapping[str, Any]:
            step = steps.must(one.place, Step.DELIVER, Step.DELIVER)
            return {"step": step.value, "delivered_at": now} | ({"erasure": erasure} if erasure else {})

        return self._act(number, "delivered", actor, change, facts)

    def close(self, number: str, reason: str, words: str, *, actor: str) -> dict[str, Any]:
        """Closes a request, for a reason."""
        now = self._clock()

        def change(one: Request) -> Mapping[str, Any]:
            step = steps.close(one.place, one.outcome, reason, delivered=one.delivered_at is not None)
            return {"step": step.value, "closed_at": now, "closing": reason}

        return self._act(number, "closed", actor, change, {"reason": reason}, words)

    # ── flags ────────────────────────────────────────────────────────────────────────────────────────────────────────────────

    def set_flag(self, number: str, flag: Flag, *, actor: str) -> bool:
        """Restricts, or notes an objection, for the request's person; false where it stood already."""
        one, now = self._one(number), self._clock()
        family = self._family(one)
        if not family:
            return False
        with self._begin_platform() as tx:
            self._log(tx, LogKind.RIGHTS, f"flag.{flag.value}", actor=actor, facts=self._named(one))
            return flags.set_(tx, self._consent_handles(family)[0], flag, request=number, by=actor, now=now)

    def lift_flag(self, number: str, flag: Flag, *, actor: str) -> int:
        """Lifts it again; the row stays and says so."""
        one, now = self._one(number), self._clock()
        family = self._family(one)
        with self._begin_platform() as tx:
            self._log(tx, LogKind.RIGHTS, f"flag.{flag.value}", actor=actor, result="lifted", facts=self._named(one))
            return flags.lift(tx, self._consent_handles(family), flag, by=actor, now=now) if family else 0

    def _act(
        self, number: str, act: str, actor: str, change: Change, facts: Mapping[str, Any] | None = None, words: str = ""
    ) -> dict[str, Any]:
        """One act: the change, its entry and its line, or nothing."""
        said, told = sentence(words), {name: value for name, value in (facts or {}).items() if value is not None}
        now = self._clock()
        with self._begin_platform() as tx:
            one = register.one(tx, number)
            values = change(one)
            logged = self._named(one) | told | ({"words": Sentence(said)} if said else {})
            entry = self._log(tx, LogKind.RIGHTS, f"request.{act}", actor=actor, facts=logged)
            register.change(tx, one, values)
            register.note(tx, number, Event(now, actor, act, told, said or None, entry))
            after = register.one(tx, number)
        return self._document(after)


def sentence(words: str) -> str:
    """What somebody of the staff typed, as far as it names nobody; refused where the scrubber doubts."""
    said = words.strip()
    if not said:
        return ""
    scrubbed, doubt = (column.to_pylist()[0] for column in freetext.scrub(pa.array([said], pa.string())))
    if len(said) > MAX_SENTENCE or scrubbed is None or doubt or len(scrubbed) > MAX_SENTENCE:
        raise Invalid("the words are too many, or seem to name somebody", code="reason_identifies", field="words")
    return str(scrubbed)


def _among(word: str, known: set[Any], code: str, field: str) -> None:
    if word not in known:
        raise Invalid("this word is not in the closed list of its field", code=code, field=field)
