"""What an act of consent covers: the purpose as the notice said it, with the categories and methods that stood in it, in the form it needs.

Promise: pure. Consent given under one notice does not reach what a later one added (PIPL 14(2)); what the earlier one said stays allowed; a
no counts whatever was shown. An act that names no notice covers what the notice in force said when it came in; before any notice with its
items was published, what the first of them says. It must never learn who the person is.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from privacy.consent import gate, wording
from privacy.consent.gate import Event, Timeline
from privacy.consent.registry import Notice
from privacy.orm import to_micros

Row = Mapping[str, Any]
"""An act as `ledger.history` gives it."""
NOT_COVERED, FORM_MISSING = "consent_not_for_this", "consent_not_written"
"""Reasons: the act's notice did not say this; the purpose needs a signed paper."""


class Edition(NamedTuple):
    """What one notice said of one purpose, from an instant on."""

    notice: str
    since: int
    categories: frozenset[str]
    methods: frozenset[str]
    anew: bool


class Scope(NamedTuple):
    """The editions of one purpose, oldest first; `written` if it needs a signed paper."""

    editions: tuple[Edition, ...] = ()
    written: bool = False

    @property
    def plain(self) -> bool:
        """Whether everybody's consent reaches everything that the purpose needs today."""
        first = self.editions[0] if self.editions else None
        return not self.written and all(
            one.categories <= first.categories and one.methods <= first.methods and not one.anew
            for one in self.editions[1:]
            if first is not None
        )

    @property
    def renewed(self) -> bool:
        """Whether the purpose itself was asked for anew."""
        return any(one.anew for one in self.editions)

    def edition_of(self, row: Row) -> int:
        """Which edition an act was given under."""
        for place, one in enumerate(self.editions):
            if one.notice == row["notice"]:
                return place
        return max(bisect_right([one.since for one in self.editions], row["received_at"]) - 1, 0)

    def covers(self, row: Row, category: str | None = None, method: str | None = None) -> bool:
        """Whether a grant reaches this use of the purpose."""
        if self.written and (row.get("evidence") or {}).get("form") != "written":
            return False
        if not self.editions:
            return True
        place = self.edition_of(row)
        if any(one.anew for one in self.editions[place + 1 :]):
            return False
        given = self.editions[place]
        return (category is None or category in given.categories) and (method is None or method in given.methods)

    def covers_all(self, row: Row) -> bool:
        """Whether a grant reaches everything that the newest edition needs."""
        newest = self.editions[-1] if self.editions else None
        if newest is None:
            return self.covers(row)
        return (
            self.covers(row)
            and all(self.covers(row, one) for one in newest.categories)
            and all(self.covers(row, None, one) for one in newest.methods)
        )

    def added(self) -> frozenset[str]:
        """Categories that the newest edition needs and some earlier one did not name."""
        if not self.editions:
            return frozenset()
        common = frozenset.intersection(*(one.categories for one in self.editions))
        return self.editions[-1].categories - common


def scopes(notices: Sequence[Notice], written: Mapping[str, bool]) -> dict[str, Scope]:
    """The scope of every purpose; notices oldest first."""
    editions: dict[str, list[Edition]] = {}
    for notice in notices:
        asked = wording.anew(notice)
        for key, use in wording.uses_of(notice).items():
            before = editions.setdefault(key, [])
            one = Edition(notice.id, to_micros(notice.published_at), use.categories, use.methods, key in asked and bool(before))
            before.append(one)
    return {key: Scope(tuple(editions.get(key, ())), needs) for key, needs in written.items()}


def timeline(rows: Sequence[Row], scope: Scope, category: str | None = None, method: str | None = None) -> Timeline:
    """The fold of one person's acts about one purpose, of its grants only those that cover this use."""
    return gate.fold([_event(row) for row in rows if not gate.is_grant(row["state"]) or scope.covers(row, category, method)])


def needs_asking(histories: Sequence[Sequence[Row]], scope: Scope, now: int) -> bool:
    """Whether somebody allows a purpose now, by acts that do not reach everything that the newest notice needs of it."""
    told = [gate.fold([_event(row) for row in rows]) for rows in histories if rows]
    if not told or gate.strictest(told).code_at(now) != gate.ALLOWED:
        return False
    within = [
        gate.fold([_event(row) for row in rows if not gate.is_grant(row["state"]) or scope.covers_all(row)]) for rows in histories if rows
    ]
    return gate.strictest(within).code_at(now) != gate.ALLOWED


def _event(row: Row) -> Event:
    return Event(row["state"], row["kind"], row["effective_at"], row["received_at"], row["valid_until"])
