"""The door of exports: asked for, approved by somebody else, released, taken, called back.

Promise: each call commits its own, after its log entry; nothing is read from the vault before an entry about it stands. Everybody is decided about
inside the transaction that releases the list, and again inside the one that hands it out: who said no in between is left out of a new revision,
and never leaves. No two lists of one recipient set a few people aside (attack 19, `apart`).
It must never show an address: what comes back is states, counts for those who may see them, and sealed bytes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

import numpy as np
import pyarrow as pa
import sqlalchemy as sa

from privacy.errors import Conflict, NotFound, PiyingError, Refused, Unavailable
from privacy.export import counts, earlier, files, law, leavers, people, requests, tracing
from privacy.export.asking import Asking, Wish
from privacy.export.content import Content, Said
from privacy.export.counts import Noisy
from privacy.export.earlier import Earlier
from privacy.export.making import Judged, Maker, Released, judge
from privacy.export.people import Group, Matched
from privacy.export.requests import Export, State
from privacy.identity import pseudonyms
from privacy.records import Audience, SealedExport
from privacy.vocabulary import LogKind

__all__ = ["Exports", "Wish"]
SCHEDULE: Final = "schedule"
ROUNDS: Final = 8
"""How often a list is made again without those for whom its form had no row."""


@dataclass(frozen=True, slots=True)
class Look:
    """A decision about an audience, and about everybody of the recipient's earlier lists beside it."""

    audience: Audience = field(repr=False)
    found: Matched = field(repr=False)
    earlier: Earlier = field(repr=False)
    judged: Judged = field(repr=False)

    @property
    def rows(self) -> int:
        """How many rows the audience has: people with a higher row are no part of it."""
        return len(self.audience.virtual_ids)

    def final(self, export: Export, minimum: int) -> Judged:
        """Whom the list holds in the end."""
        given, newest = self.earlier.given(self.judged)
        return self.judged.beside(given, newest, self.rows, minimum, earlier.order(export.id))


class Exports(Asking):
    """The door as a whole."""

    def _maker(self) -> Maker:
        return Maker(
            keyring=self._keyring, read_vault=self._read_vault, shelf=self._shelf, random=self._random, rules=self._rules,
            columns=self._columns, zone=self._zone,
        )  # fmt: skip

    # ── numbers before ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def preview(self, id_: str, *, actor: str) -> dict[str, Any]:
        """Whether there are surely enough people and enough others than in earlier lists: what a marketer may see, the day's count.

        Where it was drawn already nobody is looked for, so that neither the number nor the time that it takes tells more the second time.
        """
        export = self._one(id_)
        numbers = self._drawn(export) or self._numbers(export, self._looked(export, actor))
        return {name: None if one is None else one.document() for name, one in numbers.items()}

    def _drawn(self, export: Export) -> dict[str, Noisy | None] | None:
        """The day's counts, if all that are needed were drawn."""
        with self._read() as tx:
            wanted = self._keys(export, self._earlier(tx, export, self._clock()))
        found = {name: None if key is None else self._counter.known(key, self._today()) for name, key in wanted.items()}
        return None if any(found[name] is None for name, key in wanted.items() if key is not None) else found

    def _keys(self, export: Export, before: Earlier) -> dict[str, bytes | None]:
        """What an export's counts are stored under; a difference is asked where the recipient has other definitions and not this one."""
        apart = before.own and not before.known
        return {
            "size": counts.of_definition(export.definition, export.recipient, export.purpose),
            "difference": counts.of_difference(export.definition, before.definitions, export.recipient) if apart else None,
        }

    def exact(self, id_: str, *, actor: str) -> dict[str, Any]:
        """Who would leave now, and how many are kept back under each reason; for officers. Nothing is charged for it."""
        export = self._one(id_)
        final = self._looked(export, actor).final(export, self._rules.minimum)
        return {"people": len(final.leaving.people), "exclusions": final.exclusions()}

    def _looked(self, export: Export, actor: str) -> Look:
        """A decision outside a release, for numbers alone; its entry stands before anything is read."""
        audience, now = self._opened(export), self._clock()
        with self._begin() as tx:
            self._log(tx, LogKind.READ, "export.look", actor=actor, facts={"export": export.id})
        with self._read() as tx:
            before = self._earlier(tx, export, now)
        with self._read_vault() as tx:
            found = people.matched(tx, self._keyring, audience)
        own = people.handles(self._keyring, found.ids)
        found = found.with_others(self._ids(sorted(before.everybody.difference(own))), len(audience.virtual_ids))
        with self._read() as tx:
            terms = self._terms(tx, export, audience.inferred)
            judged = self._judged(tx, export, terms, found, audience.youth_signal)
            return Look(audience, found, earlier.excusing(tx, self._keyring, before, judged, now), judged)

    def _numbers(self, export: Export, look: Look) -> dict[str, Noisy | None]:
        """The day's count of those who could leave; and, for a definition that the recipient has no list of, of the nearest other list."""
        wanted = look.judged.wanted(look.rows)
        asked: dict[str, Any] = {"day": self._today(), "months": look.audience.months or (look.audience.month,), "now": self._clock()}
        exact = {"size": lambda: len(wanted), "difference": lambda: look.earlier.nearest(look.judged, wanted)}
        keys = self._keys(export, look.earlier)
        return {name: None if key is None else self._counter.count(key, exact[name], **asked) for name, key in keys.items()}

    # ── releasing ────────────────────────────────────────────────────────────────────────────────────────────────────────────

    def release(self, id_: str, *, actor: str) -> dict[str, Any]:
        """Releases an approved list: everybody is decided about in the transaction that does."""
        export = self._one(id_)
        self._check_approved(export)
        look = self._looked(export, actor)
        numbers = self._numbers(export, look)
        counts.check(numbers["size"], "export_too_small", self._rules.minimum)
        counts.check(numbers["difference"], "export_difference_too_small", self._rules.minimum)
        columns = self._columns_of(export, look.audience, look.found)
        made: Released | None = None
        try:
            with self._begin() as tx:
                entry = self._log(tx, LogKind.EXPORT, "export.release", actor=actor, facts={"export": id_, "recipient": export.recipient})
                now = self._clock()
                export = requests.one(tx, id_)
                self._check_approved(export)
                terms = self._terms(tx, export, look.audience.inferred)
                final, inside = self._last(tx, export, terms, look, columns)
                made = self._maker().make(tx, export, terms, final, inside, revision=1, entry=entry, now=now)
                files.add(tx, made.sealed, made.officers)
                leavers.add(tx, id_, made.handles, channel=export.channel, at=now)
                told = requests.move(tx, export, State.RELEASED, now=now, released_at=now, until=export.expires_at).document()
                self._delivery.queue(tx, made.sealed, made.content.people, made.content.table)
        except BaseException:  # whatever stopped it: a file that no release stands for does not stay
            if made is not None:
                self._shelf.remove(made.sealed.file)
            raise
        return told

    def _last(self, tx: sa.Connection, export: Export, terms: law.Terms, look: Look, columns: Said | None) -> tuple[Judged, Content]:
        """The decision that counts, and what it leaves: everything but who was meant is asked anew in this transaction.

        For whom the form has no row is no part of it: neither the minimum nor the groups are made up of them.
        """
        before = self._earlier(tx, export, self._clock())
        if before.lists.keys() != look.earlier.lists.keys():
            raise Unavailable("another list went to this recipient meanwhile", code="export_meanwhile", retry_after=2)
        judged = self._judged(tx, export, terms, look.found, look.audience.youth_signal)
        before = earlier.excusing(tx, self._keyring, before, judged, self._clock())
        maker, refused = self._maker(), Counter[str]()
        for _ in range(ROUNDS):
            final = Look(look.audience, look.found, before, judged).final(export, self._rules.minimum)
            if len(final.leaving.people) < self._rules.minimum:
                raise Refused("there are, or may be, too few people", code="export_too_small", field="segment")
            inside = maker.content(tx, export, terms, final.leaving, columns, self._clock())
            refused.update(inside.refused)
            there = set(inside.people)
            formless = {handle for handle, one in zip(final.leaving_handles, final.leaving.people, strict=True) if one not in there}
            if not formless:
                return final, replace(inside, refused=dict(refused))
            judged = judged.without(formless)
        raise Refused("people could be found in this table", code="reidentification_risk", field="fields")

    def _check_approved(self, export: Export) -> None:
        if export.state is not State.APPROVED:
            raise Conflict("only an approved export is released", code="export_state", field="state")
        requests.check_live(export, self._clock())

    # ── handing out ──────────────────────────────────────────────────────────────────────────────────────────────────────────

    def take(self, id_: str, *, actor: str) -> tuple[SealedExport, Iterator[bytes]]:
        """The sealed bytes, counted and decided about once more; raises NotFound with `export_gone` where its time is over."""
        export, known, ids = self._lying(id_)
        found = Matched(tuple(ids), np.arange(len(ids), dtype=np.int64))
        columns = self._columns_of(export, self._audience(export.segment), found, apart=True) if export.form == law.PSEUDONYMOUS else None
        fresh: Released | None = None
        try:
            with self._begin() as tx:
                entry = self._log(tx, LogKind.EXPORT, "export.take", actor=actor, facts={"export": id_})
                sealed, officers = self._standing(tx, id_, known.revision)
                now, terms = self._clock(), self._terms(tx, export, frozenset(officers["inferred"]))
                judged = self._judged(tx, export, terms, found, bool(officers["youth_signal"]), capped=False)
                gone = self._gone(tx, id_, judged)
                if gone:
                    maker = self._maker()
                    inside = maker.content(tx, export, terms, judged.leaving, columns, now)
                    fresh = maker.make(tx, export, terms, judged, inside, revision=sealed.revision + 1, entry=entry, now=now)
                    self._delivery.gone(tx, id_, self._ids(gone))
                    leavers.leave_out(tx, id_, gone, taken=files.taken(tx, id_), now=now)
                    files.destroy(tx, id_, now)
                    files.add(tx, fresh.sealed, fresh.officers)
                    sealed = fresh.sealed
                files.count_download(tx, id_, sealed.revision)
        except BaseException:  # as in `release`
            if fresh is not None:
                self._shelf.remove(fresh.sealed.file)
            raise
        if fresh is not None:
            self._shelf.remove(known.file)
        return sealed, self._shelf.open(sealed.file)

    def _lying(self, id_: str) -> tuple[Export, SealedExport, list[bytes]]:
        """A released list as it lies there, and the people in it."""
        with self._read() as tx:
            export, known = requests.one(tx, id_), files.newest(tx, id_)
            if known is None or not self._lives(export, lies_here=known[3]):
                raise _gone()
            return export, known[0], self._ids(leavers.of(tx, id_))

    def _standing(self, tx: sa.Connection, id_: str, revision: int) -> tuple[SealedExport, dict[str, Any]]:
        """The newest revision, if it may be taken and is the one that was looked at."""
        export, known = requests.one(tx, id_), files.newest(tx, id_)
        if known is None or not self._lives(export, lies_here=known[3]):
            raise _gone()
        if known[0].revision != revision:
            raise Unavailable("somebody took the list at this moment", code="export_meanwhile", retry_after=1)
        return known[0], known[1]

    def _lives(self, export: Export, *, lies_here: bool) -> bool:
        return export.state is State.RELEASED and lies_here and self._clock() < export.expires_at

    def _gone(self, tx: sa.Connection, id_: str, judged: Judged) -> list[bytes]:
        """Who stands in a list and may not leave any more."""
        heads, staying = self._heads(), set(judged.leaving_handles)
        return sorted(one for one in leavers.of(tx, id_) if heads.get(one, one) not in staying)

    # ── what delivery asks ───────────────────────────────────────────────────────────────────────────────────────────────────

    def still(self, tx: sa.Connection, export: str, persons: Sequence[bytes]) -> set[bytes]:
        """Of people in a released export those who may leave now; raises where the export or its papers do not stand."""
        one, known = requests.one(tx, export), files.newest(tx, export)
        if known is None or not self._lives(one, lies_here=True):
            raise _gone()
        terms = self._terms(tx, one, frozenset(known[1]["inferred"]))
        found = Matched(tuple(persons), np.arange(len(persons), dtype=np.int64))
        judged = self._judged(tx, one, terms, found, bool(known[1]["youth_signal"]), capped=False)
        heads, staying = self._heads(), set(judged.leaving_handles)
        own = people.handles(self._keyring, persons)
        return {person for person, handle in zip(persons, own, strict=True) if heads.get(handle, handle) in staying}

    def taken(self, tx: sa.Connection, export: str) -> bool:
        """Whether anybody ever got the export's file."""
        return files.taken(tx, export)

    def revoked(self, tx: sa.Connection, exports: Collection[str]) -> set[str]:
        """Which of these were called back."""
        return requests.revoked(tx, exports)

    def trace(self, sample: Sequence[pa.StringArray], *, actor: str) -> dict[str, Any]:
        """Whose list a sample is of (columns of text)."""
        with self._begin() as tx:
            self._log(tx, LogKind.EXPORT, "export.trace", actor=actor, facts={"columns": len(sample)})
        with self._read() as tx, self._read_vault() as vault_tx:
            return tracing.trace(tx, vault_tx, self._keyring, sample, self._ids)

    # ── afterwards ───────────────────────────────────────────────────────────────────────────────────────────────────────────

    def leaving(self, id_: str) -> int:
        """How many people of a list its recipient is being told to remove, and has not confirmed; for officers."""
        with self._read() as tx:
            removing = sorted(self._delivery.leaving(tx, requests.one(tx, id_).recipient))
            return len(leavers.lists_of(tx, removing).get(id_, ()))

    def revoke(self, id_: str, *, actor: str, reason: str = "") -> dict[str, Any]:
        """Calls a released list back: nobody takes it any more, and its file is destroyed."""
        return self._close(id_, State.REVOKED, actor, reason=reason.strip()[:400] or None)

    def _close(self, id_: str, to: State, actor: str, **changes: Any) -> dict[str, Any]:
        known = self._one(id_).id
        with self._begin() as tx:
            self._log(tx, LogKind.EXPORT, f"export.{to.value}", actor=actor, facts={"export": known})
            now = self._clock()
            told = requests.move(tx, requests.one(tx, id_), to, now=now, until=now, **changes).document()
            names = files.destroy(tx, id_, now)
        for name in names:
            self._shelf.remove(name)
        return told

    def expire(self) -> int:
        """Ends requests, approvals and files whose time is over, and forgets what nothing is compared with any more; how many ended."""
        now = self._clock()
        with self._read() as tx:
            due = requests.over(tx, now)
        ended = 0
        for export in due:
            try:
                self._close(export.id, State.EXPIRED, SCHEDULE)
                ended += 1
            except PiyingError:  # somebody decided meanwhile, or it waits for the next round; the others go on
                continue
        with self._begin() as tx:
            leavers.end(tx, now - earlier.COMPARED)
        self._counter.forget((now - earlier.COMPARED).date())
        return ended

    # ── shared ───────────────────────────────────────────────────────────────────────────────────────────────────────────────

    def _ids(self, handles: Sequence[bytes]) -> list[bytes]:
        """The people behind consent handles."""
        joined = self._keyring.inverse_block_cipher(pseudonyms.CONSENT_HANDLE)(b"".join(handles)) if handles else b""
        return [joined[start : start + people.ID] for start in range(0, len(joined), people.ID)]

    def _opened(self, export: Export) -> Audience:
        """The segment as it stands, if it is the one that was asked for."""
        audience = self._audience(export.segment)
        law.check_audience(audience, purpose=export.purpose, use=export.use)
        if audience.digest != export.definition:
            raise Refused("the segment was changed since: ask again", code="export_definition_changed", field="segment")
        return audience

    def _earlier(self, tx: sa.Connection, export: Export, now: datetime) -> Earlier:
        return earlier.of(tx, export, now, self._heads())

    def _heads(self) -> dict[bytes, bytes]:
        with self._read_vault() as tx:
            return people.heads(tx, self._keyring)

    def _judged(
        self, tx: sa.Connection, export: Export, terms: law.Terms, found: Matched, youth_signal: bool, *, capped: bool = True
    ) -> Judged:
        """The decision about people who are known by their ids, as both stores have them now."""
        with self._read_vault() as vault_tx:
            crowd: Group = people.gathered(vault_tx, self._keyring, found, self._today())
        removing = self._delivery.leaving(tx, export.recipient)
        now = self._clock()
        return judge(
            tx, self._keyring, crowd, export, terms, self._rules, youth_signal, now=now, removing=removing, capped=capped
        )  # fmt: skip

    def _columns_of(self, export: Export, audience: Audience, found: Matched, *, apart: bool = False) -> Said | None:
        """What a partner's table may say of each row: of an audience with the others behind it, or (`apart`) of the others alone; beside it what
        the partner was told before."""
        if export.form != law.PSEUDONYMOUS:
            return None
        own = np.zeros(0, np.int64) if apart else np.asarray(audience.virtual_ids, np.int64)
        others = people.names_of(self._keyring, found.ids[int((found.rows < len(own)).sum()) :], audience.month)
        names = pa.array(np.concatenate([own, others]), pa.int64())
        with self._read() as tx:
            told = earlier.columns_told(tx, export, self._clock(), self._keyring.versions("recipient")[-1])
        return Said(self._attributes(replace(audience, virtual_ids=names), (*export.fields, *sorted(told - {*export.fields}))), told)


def _gone() -> NotFound:
    return NotFound("the file is gone: its time is over or it was called back", code="export_gone", field="export")
