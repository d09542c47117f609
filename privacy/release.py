"""The door through which numbers leave: a question is paid, answered once with noise, stored, and repeats itself for ever.

Promise: the charge, the reservation and their log entry are committed in one transaction before anything exact is read; what is read
lives in the memory of this call only; the same canonical question costs nothing and gets the same numbers; a question that was paid and
never answered stays paid. Refusals depend on public facts alone: prices, budgets, the calendar.
It must never learn who anybody is: people reach it as sums that `analytics.aggregate` has bounded.
"""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from privacy.dp import accountant, bounds, keys, ledger, questions, teams
from privacy.errors import Invalid, NotFound, Refused, Unavailable
from privacy.orm import Begin
from privacy.records import Aggregate, Clock, Log, Question, RandomBytes, Release
from privacy.vocabulary import LogKind

NORM_BINS = bounds.NORM_BINS
"""Bins of a norm histogram: bin 0 holds ‖v‖ ≤ 1, bin i holds 2^(i-1) < ‖v‖ ≤ 2^i, the last one everything above."""

OCCUPIED = 500
"""A bin counts as occupied only where noise alone would fill one of all twenty in one month of ten thousand."""

_RETRY_SECONDS = 2

_PATIENCE = (0.1, 0.5, 2.0)
"""Seconds before each further try to keep what was paid for, when the store is away for a moment."""


@dataclass(frozen=True, slots=True)
class ReleaseSettings:
    """What the door is told once, at the start. All of it is public."""

    rho_per_month_nano: int = 50_000_000
    delta: float = 1e-6
    zone: str = "Asia/Shanghai"
    declared_members: int = 0
    """Declared, never counted: the displayed δ is at most a tenth of one in this many people (dp_rules §2). 0 = not declared."""
    retention_months: int = 24
    close_after_days: int = 7
    """A month closes once, at this public day of the next one (dp_rules P-12)."""
    lease_seconds: int = 300
    """How long a reservation may stay unanswered before its question may be paid anew."""

    @property
    def display_delta(self) -> float:
        return min(self.delta, 1.0 / (10 * self.declared_members)) if self.declared_members else self.delta


@dataclass(frozen=True, slots=True)
class Cost:
    """A price in the ledger's unit and what it means at the displayed δ."""

    rho_nano: int
    epsilon: float
    delta: float


@dataclass(frozen=True, slots=True)
class Quote:
    """What an answer would cost, how wide its margins would be and what its months have left. Costs nothing and reads no data."""

    cost: Cost
    sigma: float
    half_width: int
    left: Mapping[int, int]
    fits_nano: int
    affordable: bool
    release: str | None
    """The id of the stored answer, if there is one: then asking costs nothing."""
    team_left: Mapping[int, int] = field(default_factory=dict)
    """What the asker's team may still spend of each month; empty where no share limits the asker."""


@dataclass(frozen=True, slots=True)
class MonthBudget:
    """One data month's account, in nano-ρ, and the ε of what is spent and of its cap."""

    month: int
    cap_nano: int
    spent_nano: int
    left_nano: int
    epsilon_spent: float
    epsilon_cap: float


@dataclass(frozen=True, slots=True)
class Budget:
    """Every month's account, and what the caps mean for somebody who stays (dp_rules P-4). It never refreshes."""

    months: tuple[MonthBudget, ...]
    delta: float
    epsilon_1: float
    epsilon_12: float
    epsilon_24: float
    lifetime: Cost
    """Summed over all distinct questions ever paid: the longest-standing person's loss so far, "since joining"."""


class Releases:
    """The release door. `holder` names this process; `gone` says of a holder that it certainly runs no more."""

    def __init__(
        self,
        begin: Begin,
        log: Log,
        clock: Clock,
        random: RandomBytes,
        settings: ReleaseSettings,
        *,
        holder: str = "",
        gone: Callable[[str], bool] = lambda holder: False,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._begin = begin
        self._log = log
        self._clock = clock
        self._random = random
        self._settings = settings
        self._zone = ZoneInfo(settings.zone)
        self._lease = timedelta(seconds=settings.lease_seconds)
        self._holder = holder
        self._gone = gone
        self._pause = pause
        self._settled: tuple[int, ...] = ()

    # ── asking ─────────────────────────────────────────────────────────────────────────────────────────────────────────────────

    def answer(self, question: Question, read: Callable[[], Aggregate], asked_by: str) -> Release:
        """The stored answer, free; or else a fresh one: charge, reserve and log in one commit, then read, then sample, then store."""
        questions.check(question)
        digest = questions.digest(question)
        repeated = self._repeat(question, digest, asked_by)
        if repeated is not None:
            return repeated
        try:
            questions.check_months(question, self._settle())
            reserved = self._reserve(question, digest, asked_by)
        except Refused as refusal:
            with self._begin() as tx:
                facts = {"question": question.kind, "rho_nano": min(question.rho_nano, 2**62), "months": sorted(set(question.months))}
                self._log(tx, LogKind.REFUSAL, "release.refuse", actor=asked_by, result=refusal.code, facts=facts)
            raise
        if isinstance(reserved, Release):
            return reserved
        release_id, before = reserved
        try:
            return self._draw(release_id, question, read(), before, asked_by)
        except BaseException:  # also an interrupt: a question that was paid for and not answered is freed to be asked again
            self._give_up(release_id, asked_by)
            raise

    def quote(self, question: Question, asked_by: str = "") -> Quote:
        """Price, margin and room for a question, of its months and of the asker's team, from public facts alone."""
        questions.check(question)
        with self._begin() as tx:
            row = ledger.live(tx, questions.digest(question))
        stored = row.id if row is not None and row.state == ledger.ANSWERED else None
        if stored is None:
            questions.check_months(question, self._settle())
        with self._begin() as tx:
            known = ledger.accounts(tx, question.months)
            of_team = teams.left(tx, asked_by, known)
        left = {month: account.left_nano for month, account in known.items()}
        fits = min((min(nano, of_team.get(month, nano)) for month, nano in left.items()), default=0)
        scale = accountant.sigma(question.rho_nano, question.bounds.sensitivity)
        return Quote(
            cost=self.cost(0 if stored else question.rho_nano),
            sigma=scale,
            half_width=accountant.half_width(scale),
            left=left,
            fits_nano=fits,
            affordable=stored is not None or question.rho_nano <= fits,
            release=stored,
            team_left=of_team,
        )

    def known(self, question: Question) -> Release | None:
        """The stored answer of this question, or None; never charges and never reads data."""
        questions.check(question)
        with self._begin() as tx:
            row = ledger.live(tx, questions.digest(question))
            return self._release(tx, row) if row is not None and row.state == ledger.ANSWERED else None

    def find(self, release_id: str) -> Release:
        """The stored answer with this id; raises NotFound for an id that has none."""
        with self._begin() as tx:
            row = ledger.by_id(tx, release_id)
            if row is None or row.state != ledger.ANSWERED:
                raise NotFound("there is no release with this id", code="release_not_found")
            return self._release(tx, row)

    def listed(
        self, *, kinds: tuple[str, ...] = (), months: tuple[int, ...] = (), before: str | None = None, limit: int | None = None
    ) -> list[Release]:
        """Stored answers, newest first, of some kinds and charged months, older than one of them; never charges and never reads data."""
        with self._begin() as tx:
            found = ledger.answered(tx, kinds=kinds, months=months, before=before, limit=limit)
            known = ledger.accounts(tx)
            return [self._release(tx, row, known) for row in found]

    def closed_months(self) -> tuple[int, ...]:
        """The months that a question may name now, oldest first: over, past their closing day, within retention."""
        return self._settle()

    # ── what numbers mean ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def cost(self, rho_nano: int) -> Cost:
        """A price with the ε that it means at the displayed δ."""
        delta = self._settings.display_delta
        return Cost(rho_nano, accountant.epsilon(rho_nano, delta), delta)

    def half_width(self, release: Release, *, terms: int = 1, numbers: int = 1) -> int:
        """The 95 % half width, in the values' unit, of a sum of `terms` released values; of `numbers` such sums if all must hold together."""
        return accountant.half_width(release.sigma, coverage=accountant.simultaneous(numbers), terms=terms)

    def threshold(self, question: Question) -> int:
        """From which noisy count on a key that nobody knows beforehand is told; public."""
        return keys.threshold(question)

    def hidden_share(self, histogram: Release, clip: float) -> float:
        """Up to which share of the total a bound of `clip` hides, from a released norm histogram (one cell a person, `NORM_BINS` bins)."""
        counts, noise = self._histogram(histogram)
        return bounds.hidden_share(counts, clip, noise=noise)

    def choose_clip(self, histogram: Release, *, most_hidden: float, candidates: tuple[int, ...]) -> int:
        """The smallest public candidate that hides at most `most_hidden`, from an earlier month's released norm histogram."""
        counts, noise = self._histogram(histogram)
        return bounds.choose_clip(counts, noise=noise, most_hidden=most_hidden, candidates=candidates)

    def budget(self) -> Budget:
        """Every month's account. Months open when they close; nothing here refreshes with the calendar."""
        self._settle()
        with self._begin() as tx:
            accounts = ledger.accounts(tx)
            lifetime = ledger.lifetime_nano(tx)
        months = tuple(self._of_month(month, account) for month, account in sorted(accounts.items()))
        caps = sorted((account.cap_nano for account in accounts.values()), reverse=True)

        def promised(count: int) -> float:
            known = caps[:count]
            return self.cost(sum(known) + (count - len(known)) * self._settings.rho_per_month_nano).epsilon

        return Budget(months, self._settings.display_delta, promised(1), promised(12), promised(24), self.cost(lifetime))

    def _of_month(self, month: int, account: ledger.Account) -> MonthBudget:
        lost = self.cost(account.spent_nano).epsilon, self.cost(account.cap_nano).epsilon
        return MonthBudget(month, account.cap_nano, account.spent_nano, account.left_nano, *lost)

    # ── steps ──────────────────────────────────────────────────────────────────────────────────────────────────────────────────

    def _repeat(self, question: Question, digest: bytes, asked_by: str) -> Release | None:
        with self._begin() as tx:
            return self._repeat_in(tx, ledger.live(tx, digest), question, asked_by)

    def _repeat_in(self, tx: sa.Connection, row: ledger.Stored | None, question: Question, asked_by: str) -> Release | None:
        if row is None or row.state != ledger.ANSWERED:
            return None
        self._log(tx, LogKind.RELEASE, "release.repeat", actor=asked_by, facts={"release": row.id, "question": question.kind})
        return self._release(tx, row)

    def _settle(self) -> tuple[int, ...]:
        """Opens accounts of closed months, lowers caps to the setting; returns the months that exist for questions now."""
        settings = self._settings
        closed = questions.closed_months(
            self._clock(), self._zone, retention_months=settings.retention_months, close_after_days=settings.close_after_days
        )
        if closed == self._settled:
            return closed
        with self._begin() as tx:
            lowered = ledger.settle(tx, closed, settings.rho_per_month_nano)
            if lowered:
                facts = {"months": lowered, "cap_nano": settings.rho_per_month_nano}
                self._log(tx, LogKind.CONFIG, "budget.lower", actor="system", facts=facts)
        self._settled = closed
        return closed

    def _reserve(self, question: Question, digest: bytes, asked_by: str) -> Release | tuple[str, Mapping[int, ledger.Account]]:
        """One transaction: all months charged, the answer's place reserved, the act logged. Or the answer that another caller just stored."""
        now = self._clock()
        release_id = "rel_" + self._random(16).hex()
        with self._begin() as tx:
            row = ledger.live(tx, digest)
            repeated = self._repeat_in(tx, row, question, asked_by)
            if repeated is not None:
                return repeated
            if question.rho_nano > accountant.MAX_CAP_NANO:
                raise ledger.exhausted(ledger.accounts(tx, question.months), question.months, question.rho_nano)
            if row is not None:
                if not (ledger.stale(row, now, self._lease) or self._gone(row.holder)):
                    raise ledger.pending_elsewhere(_RETRY_SECONDS)
                ledger.abandon(tx, row.id)
                self._log(tx, LogKind.RELEASE, "release.abandon", actor="system", facts={"release": row.id})
            text = questions.dumps(question)
            ledger.reserve(tx, release_id, digest, text, question.rho_nano, asked_by=asked_by, holder=self._holder, now=now)
            before = ledger.charge(tx, release_id, question.months, question.rho_nano, now=now, delta_units=question.delta_units)
            teams.charge(tx, asked_by, before, question.rho_nano)
            facts = {
                "release": release_id,
                "question": question.kind,
                "digest": digest,
                "purpose": question.purpose,
                "rho_nano": question.rho_nano,
                "months": sorted(before),
            }
            self._log(tx, LogKind.RELEASE, "release.charge", actor=asked_by, facts=facts)
        return release_id, before

    def _draw(
        self, release_id: str, question: Question, aggregate: Aggregate, before: Mapping[int, ledger.Account], asked_by: str
    ) -> Release:
        questions.check_aggregate(question, aggregate)
        cells, noisy = keys.drawn(question, aggregate)
        width = accountant.half_width(noisy.sigma)
        answer = json.dumps({"cells": cells, "measures": aggregate.measures, "values": noisy.values}, separators=(",", ":"))
        now = self._clock()

        def keep(tx: sa.Connection) -> bool:
            kept = ledger.store(tx, release_id, answer, sigma=noisy.sigma, half_width=width, now=now)
            if kept:
                self._log(tx, LogKind.RELEASE, "release.answer", actor=asked_by, facts={"release": release_id, "cells": len(cells)})
            return kept

        if not self._insist(keep):
            raise Unavailable("the reservation ran out before the answer was drawn; it stays paid", code="answer_given_up", retry_after=1)
        return Release(
            id=release_id,
            question=question,
            cells=cells,
            measures=aggregate.measures,
            values=noisy.values,
            sigma=noisy.sigma,
            half_width=width,
            rho_nano=question.rho_nano,
            budget={month: (account.left_nano, account.left_nano - question.rho_nano) for month, account in before.items()},
            cached=False,
            released_at=now,
        )

    def _give_up(self, release_id: str, asked_by: str) -> None:
        """Best effort: without it the reservation ends with its lease. The charge stays either way."""

        def give_up(tx: sa.Connection) -> bool:
            given = ledger.abandon(tx, release_id)
            if given:
                self._log(tx, LogKind.RELEASE, "release.abandon", actor=asked_by, result="failed", facts={"release": release_id})
            return given

        with contextlib.suppress(Exception):
            self._insist(give_up)

    def _insist(self, act: Callable[[sa.Connection], bool]) -> bool:
        """`act` in a transaction of its own, tried again while the store is away for a moment: what was paid is not wasted lightly."""
        for wait in _PATIENCE:
            try:
                with self._begin() as tx:
                    return act(tx)
            except Unavailable:
                self._pause(wait)
        with self._begin() as tx:
            return act(tx)

    def _release(self, tx: sa.Connection, row: ledger.Stored, known: Mapping[int, ledger.Account] | None = None) -> Release:
        """A stored answer as the Release it was; its budget shows what its months have left now, before and after the same."""
        question = questions.loads(row.question)
        answer: dict[str, Any] = json.loads(row.answer or "{}")
        accounts = ledger.accounts(tx, question.months) if known is None else known
        left = {month: accounts[month].left_nano for month in sorted(set(question.months)) if month in accounts}
        return Release(
            id=row.id,
            question=question,
            cells=tuple(tuple(cell) for cell in answer["cells"]),
            measures=tuple(answer["measures"]),
            values=tuple(answer["values"]),
            sigma=float(row.sigma or 0.0),
            half_width=int(row.half_width or 0),
            rho_nano=row.rho_nano,
            budget={month: (nano, nano) for month, nano in left.items()},
            cached=True,
            released_at=row.answered_at or row.reserved_at,
        )

    def _histogram(self, release: Release) -> tuple[list[float], float]:
        if len(release.measures) != 1 or len(release.cells) != NORM_BINS:
            raise Invalid("a norm histogram has one measure and twenty bins", code="bad_histogram")
        scale = release.question.bounds.scale
        return [value / scale for value in release.values], self.half_width(release, numbers=NORM_BINS * OCCUPIED) / scale
