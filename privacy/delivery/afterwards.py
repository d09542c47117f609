"""What happens after a delivery: whoever no longer allows it, was erased or corrected is taken out of what recipients hold.

Promise: a no opens one line a person and recipient, in whose shadow nothing of them is added there; a line becomes part of one signed removal in
the recipient's own form, of what really left for it and nothing else; the vault forgets when the recipient acknowledged. Whatever dies in
between goes on. A recipient that does not acknowledge in its time is an alarm, once.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, Protocol

import sqlalchemy as sa

from privacy.delivery import delivered, holdings, register, removals, suppressions, watch
from privacy.delivery.delivered import PUSH, Export, Route
from privacy.delivery.holdings import Held
from privacy.delivery.register import REMOVE
from privacy.errors import PiyingError
from privacy.identity import vault
from privacy.identity.keys import Keyring
from privacy.orm import Begin
from privacy.records import Clock, Log, RandomBytes, SealedExport
from privacy.vocabulary import LogKind

ACTOR: Final = "schedule"
WITHIN: Final = timedelta(hours=24)
"""How long a recipient may take to acknowledge a removal before nothing more is added there."""
ORPHANS: Final = timedelta(days=1)
KEPT: Final = timedelta(days=30)
"""How long a list that is over can still be followed by a removal; its recipient has deleted it by then."""


class Gate(Protocol):
    """What is asked of the gate of exports (`privacy.export.door.Exports` is one). Handed in by the wiring: doors do not open each other."""

    def still(self, tx: sa.Connection, export: str, people: Sequence[bytes]) -> set[bytes]:
        """Of people in a released export those who may leave now; raises where the export or its papers do not stand."""
        ...

    def taken(self, tx: sa.Connection, export: str) -> bool:
        """Whether anybody ever got the export's file."""
        ...

    def revoked(self, tx: sa.Connection, exports: Collection[str]) -> set[str]:
        """Which of these were called back."""
        ...

    def take(self, id_: str, *, actor: str) -> tuple[SealedExport, Iterator[bytes]]:
        """The export's sealed file, decided about once more and counted."""
        ...


class Afterwards:
    """Removals; each call commits its own."""

    def __init__(
        self, *, begin_vault: Begin, read_vault: Begin, begin_platform: Begin, read_platform: Begin, keyring: Keyring, log: Log, clock: Clock,
        random: RandomBytes, gate: Callable[[], Gate], routes: Callable[[sa.Connection, str], Route], within: timedelta = WITHIN,
    ) -> None:  # fmt: skip
        self._begin_vault, self._read_vault = begin_vault, read_vault
        self._begin, self._read = begin_platform, read_platform
        self._keyring, self._log, self._clock, self._random = keyring, log, clock, random
        self._door, self._routes, self.within = gate, routes, within
        """The gate hands its lists to this door, so it is asked for when it is needed and not before."""

    @property
    def _gate(self) -> Gate:
        return self._door()

    # ── who has to go ────────────────────────────────────────────────────────────────────────────────────────────────────────

    def notice(self, *, everybody: bool = False) -> dict[str, int]:
        """Finds who no longer allows what a recipient has them for: among those who acted since the last look, or among everybody."""
        now = self._clock()
        with self._read() as tx:
            seq, flagged, _ = suppressions.head(tx)
            position = removals.positions(tx)
            if not everybody and position == (seq, flagged):
                return {"noticed": 0}
            acted = None if everybody or position[1] != flagged else removals.acted(tx, seq)
            exports = delivered.every(tx)
        counts = Counter(noticed=0)
        if acted is None or acted:
            people = None if acted is None else watch.people_of(self._keyring, acted)
            for recipient in {one.recipient: None for one in exports.values()}:
                mine = {name: one for name, one in exports.items() if one.recipient == recipient}
                counts.update(self._notice(recipient, mine, people, now, everybody))
        with self._begin() as tx:
            _, _, alarmed = suppressions.head(tx)
            suppressions.move_head(tx, *position, alarmed)
        return dict(counts)

    def _notice(
        self, recipient: str, exports: Mapping[str, Export], people: Sequence[bytes] | None, now: datetime, everybody: bool
    ) -> Counter[str]:
        with self._read_vault() as tx:
            merges = vault.merged_into(tx)
            marks = None if people is None else holdings.marks(self._keyring, recipient, list(watch.with_families(people, merges)))
            places = holdings.places(tx, recipient, marks)
        persons = holdings.people(self._keyring, recipient, [mark for mark, _, _ in places])
        every = watch.with_families(persons, merges)
        by_export: dict[str, list[bytes]] = {}
        for person, (_, export, _) in zip(persons, places, strict=True):
            if export in exports:
                by_export.setdefault(export, []).append(person)
        out: dict[bytes, datetime] = {}
        with self._read() as tx:
            for export, some in by_export.items():
                families = {person: every[person] for person in some}
                for person, since in watch.not_allowing(tx, self._keyring, families, exports[export].purposes, now).items():
                    out[person] = min(since, out.get(person, since))
                if everybody:
                    out = dict.fromkeys(self._barred(tx, export, some), now) | out
        return self._take_out(recipient, out, suppressions.WITHDRAWN)

    def _barred(self, tx: sa.Connection, export: str, people: Sequence[bytes]) -> set[bytes]:
        """Whom the gate would keep back for what no act of theirs tells: age, a list of suppressions, a consent that was for something else."""
        try:
            return set(people) - self._gate.still(tx, export, people)
        except PiyingError:
            return set()  # the export is over or its papers are: that stops what would be added, and is nobody's no

    def _take_out(self, recipient: str, out: Mapping[bytes, datetime], reason: str) -> Counter[str]:
        """Opens a line for each: from its commit on nobody of them is added there. Whether they ever were is settled by `prepare`."""
        if not out:
            return Counter()
        named = watch.consent_handles(self._keyring, list(out))
        with self._begin() as tx:
            new = suppressions.note(tx, recipient, dict(zip(named, out.values(), strict=True)), reason)
            if new:
                facts = {"recipient": recipient, "people": len(new), "reason": reason}
                self._log(tx, LogKind.EXPORT, "suppression.note", actor=ACTOR, facts=facts)
        return Counter(noticed=len(new))

    def tell(self, people: Sequence[bytes], reason: str) -> dict[str, int]:
        """Takes people out wherever they are held: before an erasure forgets them, or after a correction. How many recipients have to be told."""
        now = self._clock()
        with self._read() as tx:
            recipients = {one.recipient: None for one in delivered.every(tx).values()}
        total: Counter[str] = Counter(recipients=0, noticed=0)
        for recipient in recipients:
            with self._read_vault() as tx:
                places = holdings.places(tx, recipient, holdings.marks(self._keyring, recipient, people))
            persons = holdings.people(self._keyring, recipient, [mark for mark, _, _ in places])
            done = self._take_out(recipient, dict.fromkeys(persons, now), reason)
            total.update(done)
            total["recipients"] += bool(places)
        if reason == suppressions.ERASED:
            with self._begin() as tx:
                suppressions.forget_closed(tx, watch.consent_handles(self._keyring, people))
        return dict(total)

    def untold(self, people: Sequence[bytes]) -> int:
        """How many rows of people are held by recipients that nobody is telling to let go of them."""
        with self._read() as tx:
            recipients = {one.recipient: None for one in delivered.every(tx).values()}
            open_ = {recipient: suppressions.open_people(tx, recipient) for recipient in recipients}
        named = watch.consent_handles(self._keyring, people)
        left = 0
        for recipient in recipients:
            marks = dict(zip(holdings.marks(self._keyring, recipient, people), named, strict=True))
            with self._read_vault() as tx:
                left += sum(marks[mark] not in open_[recipient] for mark, _, _ in holdings.places(tx, recipient, list(marks)))
        return left

    # ── exports that end ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def call_back(self) -> int:
        """Follows the gate: what was called back there, and what was pushed and is over, is taken out of what recipients hold."""
        now = self._clock()
        with self._read() as tx:
            standing = {name: one for name, one in delivered.every(tx).items() if one.revoked_at is None}
            over = self._gate.revoked(tx, list(standing)) if standing else set()
        over |= {name for name, one in standing.items() if one.way == PUSH and not one.lives(now)}
        for name in sorted(over):
            self.revoke(name, actor=ACTOR)
        return len(over)

    def revoke(self, export: str, *, actor: str) -> dict[str, int]:
        """Takes an export back: what was not sent does not go; who may be there is removed, unless another living export put them there, too."""
        now = self._clock()
        with self._begin() as tx:
            one = delivered.one(tx, export)
            stopped = register.stop(tx, export)
        with self._read() as tx:
            mine = delivered.every(tx, one.recipient)
            gone = self._gone(tx, mine)
        others = {name for name, it in mine.items() if name != export and it.lane == one.lane and it.lives(now)}
        with self._read_vault() as tx:
            places = holdings.places(tx, one.recipient)
        keeps = {mark for mark, name, _ in places if name in others}
        own = [(mark, part) for mark, name, part in places if name == export]
        there = {mark for mark, part in own if gone(export, part) and mark not in keeps}
        out = dict.fromkeys(holdings.people(self._keyring, one.recipient, sorted(there)), now)
        done = self._take_out(one.recipient, out, suppressions.REVOKED)
        with self._begin_vault() as tx:
            holdings.forget(tx, one.recipient, [mark for mark, _ in own if mark not in there], export=export)
        with self._begin() as tx:
            if delivered.mark_revoked(tx, export, now):
                facts = {"export": export, "recipient": one.recipient, "stopped": stopped}
                self._log(tx, LogKind.EXPORT, "delivery.revoke", actor=actor, facts=facts)
        return {"stopped": stopped, "noticed": done["noticed"], "never_sent": len(own) - len(there)}

    def _gone(self, tx: sa.Connection, exports: Mapping[str, Export]) -> Callable[[str, int], bool]:
        """Whether a part of an export may be at its recipient: it was pushed, or somebody got the file."""
        sent = {part for one in {it.recipient for it in exports.values()} for part in removals.sent_parts(tx, one)}
        taken = {name for name in exports if self._gate.taken(tx, name)}
        pushed = {name for name, it in exports.items() if it.way == PUSH}
        return lambda name, part: name in taken or (name in pushed and (name, part) in sent)

    # ── removals ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

    def prepare(self) -> dict[str, int]:
        """Makes one signed removal a recipient out of everybody who waits for one, and queues its parts."""
        counts = Counter(removals=0, people=0, never_sent=0)
        with self._read() as tx:
            waiting = suppressions.unsent(tx)
        for recipient, lines in waiting.items():
            counts.update(self._prepare(recipient, lines))
        return dict(counts)

    def _prepare(self, recipient: str, lines: Mapping[bytes, tuple[str, datetime]]) -> Counter[str]:
        named = dict(zip(holdings.marks(self._keyring, recipient, watch.people_of(self._keyring, list(lines))), lines, strict=True))
        with self._read() as tx:
            exports = delivered.every(tx, recipient)
            gone, absent = self._gone(tx, exports), delivered.absent(tx, list(exports))
        with self._read_vault() as tx:
            held = holdings.of_people(tx, self._keyring, recipient, list(named), list(exports))
        rows = [row for row in held if gone(row.export, row.part) and (row.export, named[row.handle]) not in absent]
        there = {named[row.handle] for row in rows}
        self._forget_unsent(recipient, held, rows, exports, {mark for mark, one in named.items() if lines[one][0] == suppressions.ERASED})
        with self._begin() as tx:
            suppressions.drop(tx, recipient, set(lines) - there)
            if there:
                self._queue(tx, recipient, {one: lines[one] for one in there}, removals.lanes(rows, exports))
        return Counter(removals=bool(there), people=len(there), never_sent=len(lines) - len(there))

    def _forget_unsent(
        self, recipient: str, held: Sequence[Held], rows: Sequence[Held], exports: Mapping[str, Export], erased: Collection[bytes]
    ) -> None:
        """Rows that never left and never will. A row of a file that nobody got stays: its person may say yes again before somebody does."""
        left = {(row.export, row.handle) for row in rows}
        with self._begin_vault() as tx:
            for row in held:
                if (row.export, row.handle) not in left and (exports[row.export].way == PUSH or row.handle in erased):
                    holdings.forget(tx, recipient, [row.handle], export=row.export)

    def _queue(
        self, tx: sa.Connection, recipient: str, there: Mapping[bytes, tuple[str, datetime]], lanes: Mapping[str, Mapping[str, Any]]
    ) -> None:
        now, id_ = self._clock(), "sup_" + self._random(12).hex()
        manifest = removals.manifest(id_, recipient, now, len(there), lanes)
        row = {
            "id": id_, "recipient": recipient, "people": len(there), "reasons": dict(Counter(reason for reason, _ in there.values())),
            "since": min(since for _, since in there.values()), "made_at": now, "manifest": manifest,
            "signature": self._keyring.signer()(manifest.encode()).hex(),
        }  # fmt: skip
        suppressions.put_in(tx, row, there)
        for lane, facts in lanes.items():
            register.queue(tx, recipient=recipient, batch=id_, lane=lane, action=REMOVE, parts=facts["parts"], now=now, random=self._random)
        told = {"delta": id_, "recipient": recipient, "people": len(there), "manifest": hashlib.sha256(manifest.encode()).digest()}
        self._log(tx, LogKind.EXPORT, "suppression.make", actor=ACTOR, facts=told)

    def settle(self) -> int:
        """Closes removals whose every part is acknowledged: the vault forgets first, then the lines close. Again after a crash is no error."""
        with self._read() as tx:
            done = removals.acknowledged(tx)
            people = {id_: suppressions.in_delta(tx, id_) for id_, _ in done}
            exports = {id_: removals.exports_of(tx, id_) for id_, _ in done}
        for id_, recipient in done:
            marks = holdings.marks(self._keyring, recipient, watch.people_of(self._keyring, people[id_]))
            with self._begin_vault() as tx:
                for export in exports[id_]:
                    holdings.forget(tx, recipient, marks, export=export)
            with self._begin() as tx:
                facts: dict[str, Any] = suppressions.close(tx, id_, self._clock())
                self._log(
                    tx, LogKind.EXPORT, "suppression.acknowledged", actor=ACTOR, facts={"delta": id_, "recipient": recipient, **facts}
                )
        return len(done)

    def alarm(self) -> list[str]:
        """Recipients that became overdue: each is logged once, until it has caught up."""
        with self._read() as tx:
            _, _, before = suppressions.head(tx)
            late = suppressions.overdue(tx, self._clock(), self.within)
        if set(late) == before:
            return []
        with self._begin() as tx:
            seq, flagged, before = suppressions.head(tx)
            new = sorted(set(late) - before)
            for recipient in new:
                facts = {"recipient": recipient, "people": late[recipient]}
                self._log(tx, LogKind.SYSTEM, "suppression.overdue", actor=ACTOR, facts=facts)
            suppressions.move_head(tx, seq, flagged, late)
        return new

    # ── what ends by itself ──────────────────────────────────────────────────────────────────────────────────────────────────

    def leave_out(self) -> int:
        """Forgets the rows of whoever was left out of a list before anybody got it."""
        with self._read() as tx:
            absent, exports = delivered.absent(tx), delivered.every(tx)
        for export in sorted({name for name, _ in absent}):
            named = sorted(person for name, person in absent if name == export)
            if export in exports:
                recipient = exports[export].recipient
                marks = holdings.marks(self._keyring, recipient, watch.people_of(self._keyring, named))
                with self._begin_vault() as tx:
                    holdings.forget(tx, recipient, marks, export=export)
            with self._begin() as tx:
                delivered.settled(tx, export, named)
        return len(absent)

    def sweep(self) -> int:
        """Deletes rows in the vault that no export claims, and those of lists that are long over where no removal is on its way."""
        now = self._clock()
        with self._read() as tx:
            exports, open_ = delivered.every(tx), set(suppressions.recipients_open(tx))
        over = [
            name
            for name, one in exports.items()
            if not one.lives(now - KEPT) and not (one.revoked_at and one.revoked_at > now - KEPT) and one.recipient not in open_
        ]
        with self._begin_vault() as tx:
            return holdings.sweep(tx, exports, before=now - ORPHANS) + holdings.end(tx, over)
