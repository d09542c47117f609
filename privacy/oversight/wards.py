"""Whoever looks at the data of somebody under eighteen needs another person's yes (PIPL 31; requirement C-12).

Promise: nothing of a minor is read by staff without an approval of another person for this case, and nobody approves their own; without one the
look is refused and the refusal is an entry of the log. With one every look is an entry that names who approved it, committed before anything is
read. Both birthdays are exact in the controller's zone; whoever turned out to be a minor's one and the same person counts as the minor.
A year's looks are a signed file made of the log alone. It must never put a value, or who somebody is, into the log, a list or the file.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from privacy.accountability import packing
from privacy.audit import reading
from privacy.audit.payload import Sentence, stamp
from privacy.audit.reading import Filter, Line
from privacy.errors import Conflict, Invalid, NotFound, Refused
from privacy.identity import merging, pseudonyms, receiptkeys, vault
from privacy.identity.keys import Keyring
from privacy.identity.resolution import births
from privacy.orm import Begin
from privacy.oversight import approvals, casebook
from privacy.oversight.approvals import APPROVED, REFUSED, Approval
from privacy.oversight.casebook import Case
from privacy.records import Clock, Log
from privacy.vocabulary import LogKind

CHILD, ADULT = 14, 18
UNDER_14, UNDER_18 = "under_14", "under_18"
ACCESS, ASK, APPROVE, REFUSE, LIST, YEAR = "minor.access", "minor.ask", "minor.approve", "minor.refuse", "minor.list", "minor.year"
MISSING = "minor_not_approved"
"""How a look without an approval ends."""
TYPE = "minors-pack+jws"
ACCESS_COLUMNS = ("entry", "at", "by", "act", "band", "case", "approved_by")
ANSWER_COLUMNS = ("entry", "at", "by", "act", "band", "case", "asked_by", "purpose", "reason")
REFUSAL_COLUMNS = ("entry", "at", "by", "act", "band")
_README = """\
# Looks at the data of minors, {year} · {year} 年度未成年人信息访问记录

Every look of staff at the data of somebody under eighteen, with who approved it (`accesses`), what was asked and answered (`answers`), and what
was refused for want of an approval (`refusals`), out of the access log. `entry` is the number in that log; nobody is named. `manifest.jws` signs
`manifest.json`, which holds the SHA-256 of every file. Times are UTC; the year is that of the controller's zone.

工作人员每次访问未满十八周岁人员信息的记录及批准人（accesses）、申请与答复（answers）、因未获批准而被拒绝的访问（refusals），均来自访问日志。
entry 为日志条目编号；文件中不含任何个人身份。manifest.jws 对 manifest.json 签名，后者列出每个文件的 SHA-256。
时间为协调世界时，年度按处理者所在时区计算。

- accesses · 访问: {accesses}
- answers · 申请与答复: {answers}
- refusals · 拒绝: {refusals}
"""


class Wards:
    """The guard before minors' data, and the book of its approvals. Each method opens its own transactions."""

    def __init__(
        self, *, begin_platform: Begin, read_platform: Begin, read_vault: Begin, keyring: Keyring, log: Log, clock: Clock, zone: str
    ) -> None:
        self._begin, self._read, self._read_vault = begin_platform, read_platform, read_vault
        self._keyring, self._log, self._clock, self._zone = keyring, log, clock, ZoneInfo(zone)

    # ── the guard ────────────────────────────────────────────────────────────────────────────────────────────────────────────

    def band(self, person: bytes) -> str | None:
        """Whether somebody, or anybody who is one person with them, is under fourteen or eighteen today; None for everybody else."""
        return self._met(person)[0]

    def check(self, person: bytes, act: str, actor: str) -> None:
        """Raises Refused, and says so in the log, where a minor's data would be read without an approval; else notes the look."""
        band, family = self._met(person)
        if band is None:
            return
        held = self._approval(family, actor)
        with self._begin() as tx:
            if held is None:
                self._log(tx, LogKind.REFUSAL, act, actor=actor, result=MISSING, facts={"band": band})
            else:
                self._log(tx, LogKind.READ, ACCESS, actor=actor, facts=_looked(held, band, act))
        if held is None:
            raise Refused("the person is a minor: another person's approval is needed first", code=MISSING, field="case")

    def opens(self, person: bytes, act: str, actor: str) -> bool:
        """Whether an account may see a person here: adults always; the look at a minor is noted. Nothing is refused, so nothing is said."""
        band, family = self._met(person)
        if band is None:
            return True
        held = self._approval(family, actor)
        if held is not None:
            with self._begin() as tx:
                self._log(tx, LogKind.READ, ACCESS, actor=actor, facts=_looked(held, band, act))
        return held is not None

    def _met(self, person: bytes) -> tuple[str | None, set[bytes]]:
        today = self._today()
        with self._read_vault() as tx:
            family = merging.family_of(tx, person)
            born = births(tx, self._keyring, [member.no for member in family]) if family else {}
        youngest = min((vault.age(day, today) for day in born.values()), default=ADULT)
        return UNDER_14 if youngest < CHILD else UNDER_18 if youngest < ADULT else None, {member.id for member in family}

    def _approval(self, family: Collection[bytes], actor: str) -> Approval | None:
        """What this account was approved about these people and is not over: its case is open and about them."""
        now = self._clock()
        with self._read() as tx:
            for held in approvals.standing(tx, actor, now):
                try:
                    case = casebook.one(tx, held.case_id, actor, now)
                except NotFound:
                    continue
                if self._subject(case) in family:
                    return held
        return None

    def _subject(self, case: Case) -> bytes:
        return self._keyring.inverse_block_cipher(pseudonyms.CONSOLE_HANDLE, case.id)(case.subject)

    def _today(self) -> date:
        return self._clock().astimezone(self._zone).date()

    # ── asking and answering ─────────────────────────────────────────────────────────────────────────────────────────────────

    def ask(self, case_id: str, reason: Sentence, *, actor: str) -> dict[str, Any]:
        """Asks for the approval of a case; the reason was scrubbed by the caller."""
        now = self._clock()
        with self._read() as tx:
            case = casebook.one(tx, case_id, actor, now)
        band = self.band(self._subject(case))
        if band is None:
            raise Conflict("nobody under eighteen was found by this look-up", code="approval_not_needed", field="case")
        with self._begin() as tx:
            facts = {"case": case.id, "band": band, "purpose": case.purpose, "reason": reason}
            entry = self._log(tx, LogKind.READ, ASK, actor=actor, facts=facts)
            asked = Approval(case.id, actor, case.purpose, band, reason.text, now, case.until, entry)
            approvals.ask(tx, asked)
        return asked.document(now)

    def of_case(self, case_id: str, *, actor: str) -> dict[str, Any] | None:
        """The approval of one of the account's own cases, for the page that asks; None before it asked."""
        now = self._clock()
        with self._read() as tx:
            found = approvals.find(tx, casebook.one(tx, case_id, actor, now).id)
        return None if found is None else found.document(now)

    def answer(self, case_id: str, *, approve: bool, actor: str) -> dict[str, Any]:
        """Another person's yes or no; their own is nobody's to give."""
        now = self._clock()
        with self._begin() as tx:
            asked = approvals.one(tx, case_id)
            own = asked.account_id == actor
            facts = {"case": case_id, "band": asked.band, "asked_by": asked.account_id}
            result = "own_approval" if own else "ok"
            entry = self._log(tx, LogKind.READ, APPROVE if approve else REFUSE, actor=actor, result=result, facts=facts)
            if not own:
                if now >= asked.until:
                    raise Conflict("the case that asked is over", code="approval_over", field="case")
                approvals.decide(tx, case_id, APPROVED if approve else REFUSED, by=actor, now=now, entry=entry)
        if own:
            raise Refused("nobody approves what they asked for themselves", code="own_approval", field="case")
        with self._read() as tx:
            return approvals.one(tx, case_id).document(now)

    def listing(self, *, actor: str) -> list[dict[str, Any]]:
        """What was asked and answered, the newest first, each with how often it was used; the reading is logged."""
        now = self._clock()
        with self._begin() as tx:
            self._log(tx, LogKind.READ, LIST, actor=actor)
        with self._read() as tx:
            found = approvals.listing(tx)
            since = min((one.asked_at for one in found), default=now)
            used: dict[str, int] = {}
            for line in _lines(tx, Filter(action=ACCESS, since=since)):
                case = str((line.facts or {}).get("case"))
                used[case] = used.get(case, 0) + 1
        return [one.document(now) | {"looks": used.get(one.case_id, 0)} for one in found]

    def waiting(self) -> int:
        """How many questions wait for an answer: a count for a start page."""
        now = self._clock()
        with self._read() as tx:
            return sum(one.state(now) == "asked" for one in approvals.listing(tx))

    # ── a year ───────────────────────────────────────────────────────────────────────────────────────────────────────────────

    def year(self, year: int, *, actor: str) -> bytes:
        """Every look of a year with its approver, as a signed ZIP out of the log; its handing out is logged first. Once over, the same bytes."""
        if not 2000 <= year <= self._today().year:
            raise Invalid("a year that has begun", code="year_invalid", field="year")
        since, until = (datetime(one, 1, 1, tzinfo=self._zone) for one in (year, year + 1))
        with self._begin() as tx:
            self._log(tx, LogKind.EXPORT, YEAR, actor=actor, facts={"year": year})
        with self._read() as tx:
            looks = [_access(line) for line in _lines(tx, Filter(action=ACCESS, since=since, until=until))]
            asked = [
                _answer(line) for action in (ASK, APPROVE, REFUSE) for line in _lines(tx, Filter(action=action, since=since, until=until))
            ]
            refused = [_named(line) for line in _lines(tx, Filter(result=MISSING, since=since, until=until))]
        answers = sorted(asked, key=lambda one: int(one["entry"]))
        counted = {"accesses": len(looks), "answers": len(answers), "refusals": len(refused)}
        files = {"README.md": _README.format(year=year, **counted).encode()}
        for name, columns, rows in (
            ("accesses", ACCESS_COLUMNS, looks), ("answers", ANSWER_COLUMNS, answers), ("refusals", REFUSAL_COLUMNS, refused),
        ):  # fmt: skip
            files |= {f"{name}.json": packing.as_json(rows), f"{name}.csv": packing.as_csv(columns, rows)}
        return self._signed(files, {"year": year, "since": stamp(since), "until": stamp(until), **counted}, since)

    def _signed(self, files: dict[str, bytes], about: dict[str, Any], at: datetime) -> bytes:
        manifest = packing.manifest(files, about)
        signature = receiptkeys.sign(self._keyring, manifest, at, type_=TYPE)
        named = receiptkeys.key_of(signature)
        keys = {"keys": [key for key in receiptkeys.public_keys(self._keyring)["keys"] if key["kid"] == named]}
        signed = {packing.MANIFEST: manifest, packing.SIGNATURE: signature.encode(), packing.KEYS: packing.as_json(keys)}
        return packing.zipped(files | signed)


def _looked(held: Approval, band: str, act: str) -> dict[str, Any]:
    return {"case": held.case_id, "band": band, "act": act, "approver": held.decided_by, "purpose": held.purpose}


def _lines(tx: sa.Connection, wanted: Filter) -> Iterator[Line]:
    """Every entry that matches, oldest first."""
    found: list[Line] = []
    before: int | None = None
    while True:
        page = reading.lines(tx, wanted, before=before, limit=reading.MAX_PAGE)
        found += page.items
        if (before := page.next) is None:
            return reversed(found)


def _named(line: Line) -> dict[str, Any]:
    return {"entry": line.seq, "at": stamp(line.at), "by": line.actor, "act": line.action, "band": (line.facts or {}).get("band")}


def _access(line: Line) -> dict[str, Any]:
    said = line.facts or {}
    return _named(line) | {"act": said.get("act"), "case": said.get("case"), "approved_by": said.get("approver")}


def _answer(line: Line) -> dict[str, Any]:
    said = line.facts or {}
    return _named(line) | {name: said.get(name) for name in ("case", "asked_by", "purpose", "reason")}
