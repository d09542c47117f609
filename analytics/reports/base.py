"""How every report is asked: a closed grammar in, a paid question, rows with margins out.

Promise: what a report shows is a Release; the exact aggregate is made inside the release door's call and nowhere else. Groupings and
filters are words of the dictionary, cells are public, and both are settled before anything is paid. Pure post-processing after the
release. It must never learn an exact number that it returns.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import product
from typing import TYPE_CHECKING, Any, Protocol

from analytics import metrics
from analytics.aggregate import aggregate
from analytics.reports.asked import House as House
from analytics.reports.asked import Margin as Margin
from analytics.reports.asked import Opens as Opens
from analytics.reports.asked import Options as Options
from analytics.reports.parameters import EQUAL, ONE_OF, UNEQUAL, Filters, Parameter, complete, written
from privacy import errors
from privacy.records import Aggregate, Bounds, Measure, Question
from privacy.vocabulary import STATISTICS

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from analytics.lake.reader import LakeReader, View
    from privacy.records import Release
    from privacy.release import Releases

_LISTED = {("touches", "channel"): ("campaigns", "channel"), ("touches", "campaign_id"): ("campaigns", "id")}
"""Columns of tables about people whose values a table without people lists."""

LADDER = (0.25, 0.5, 1, 2, 4)
"""What may be paid, in times a plan's own price: each step doubles the price and narrows the margin by √2. Public, and few: a price
that could be anything would buy the same question again and again."""

CLIPS = (2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64)
"""The clips among which a month's is chosen (dp_rules P-7)."""


def _read_otherwise(view: View, question: Question, house: House) -> ir.Table:
    raise errors.Refused("this report makes its aggregate in its own way", code="wrong_door")


@dataclass(frozen=True, slots=True)
class Report:
    """A kind of report: a public plan and three functions. `own` are groupings of the report itself, with their public values."""

    kind: str
    version: int
    table: str
    by: tuple[str, ...]
    measures: tuple[Measure, ...]
    bounds: Bounds
    rho_nano: int
    render: Callable[[Release, House, Margin], list[dict[str, Any]]]
    contributions: Callable[[View, Question, House], ir.Table] = _read_otherwise
    own: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    groups: tuple[str, ...] = ()
    filters: tuple[str, ...] = ()
    once: tuple[str, ...] = ()
    one_cell: bool = False
    terms: int = 1
    """Of how many released values a shown number is the sum at most: a quote tells the margin of the widest."""
    needs_close: bool = False
    tables: tuple[str, ...] = ()
    """Tables without people that the report needs: they come with the House."""
    public_cells: Callable[[Question, House], tuple[tuple[str, ...], ...]] | None = None
    """All cells, where they are more than the product of the groupings' values; of public facts alone."""
    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    in_units: bool = False
    """Numbers are told in units, not in what a unit is made of: a credit of 1 is made of a million parts."""
    months: int = 0
    """How many months the question must have; 0 lets the asker choose."""
    hides_nothing: bool = False
    """Whether nobody's vector can be longer than the bound."""

    def question(self, options: Options, house: House) -> Question:
        """The canonical question of these options; raises Invalid naming the option that is not in the grammar."""
        if not (metrics.is_month(options.start) and metrics.is_month(options.end) and options.start <= options.end):
            raise errors.Invalid("a period is whole months, from the earlier to the later", code="bad_period", field="from")
        if self.needs_close and options.start != options.end:
            raise errors.Invalid("this report is of one month", code="one_month_only", field="to")
        months = metrics.months_between(options.start, options.end)
        if self.months and len(months) != self.months:
            raise errors.Invalid(f"this report is of {self.months} months", code="bad_period", field="from")
        by = self._groupings(options.by)
        where = complete(self.parameters, tuple(sorted({self._filter(text) for text in options.where})))
        measures = self.chosen(options.measures)
        bounds = self.bound(months, by, measures)
        return Question(self.kind, self.version, STATISTICS, months, by, where, measures, bounds, self._price(options.price))

    @property
    def choices(self) -> tuple[str, ...]:
        """Measures among which a question may choose; none where the plan's are fixed."""
        return ()

    @property
    def most_groupings(self) -> int:
        """How many groupings a question may have at once; 0 where the kind sets no limit."""
        return 0

    @property
    def offered(self) -> tuple[str, ...]:
        """The filters that a form offers."""
        return tuple(dict.fromkeys([*self.filters, *self.groups]))

    def chosen(self, asked: Sequence[str]) -> tuple[Measure, ...]:
        """The measures of a question; raises Invalid for a choice that the kind does not offer."""
        if asked and set(asked) != {one.name for one in self.measures}:
            raise errors.Invalid("the report has no such choice of measures", code="unknown_measure", field="measure")
        return self.measures

    def bound(self, months: Sequence[int], by: Sequence[str], measures: Sequence[Measure]) -> Bounds:
        """What one person may weigh in the answer: a public constant of the question's form."""
        return self.bounds

    def check(self, reader: Opens, question: Question, house: House) -> None:
        """Refuses before a price is told what could not be answered, from public facts alone."""

    def check_months(self, reader: LakeReader, question: Question) -> None:
        """Refuses months of which a table that the question reads has not been written."""
        if self.needs_close and not reader.month_closed(self.table, question.months[0]):
            raise not_closed()

    def values(self, reader: Opens, name: str, house: House) -> tuple[str, ...]:
        """What a filter may be set to; empty where nobody knows it beforehand."""
        return public_values(reader, self.table, name, house)

    def derived(self, release: Release, house: House) -> list[dict[str, Any]]:
        """What follows from the released vector alone: sums, means, shares, quantiles, slopes, each with its interval."""
        return []

    def hidden(self, release: Release, releases: Releases) -> float | None:
        """Up to which share the bound hides, where the release itself tells it."""
        return None

    @property
    def prices(self) -> tuple[int, ...]:
        """What the report may cost, the cheapest first."""
        return tuple(int(self.rho_nano * step) for step in LADDER)

    def _price(self, asked: int) -> int:
        if asked and asked not in self.prices:
            raise errors.Invalid("the report has no such price", code="bad_price", field="price")
        return asked or self.rho_nano

    def _groupings(self, asked: Sequence[str]) -> tuple[str, ...]:
        for name in asked:
            if name not in self.by and name not in self.groups:
                raise errors.Invalid("the report cannot be grouped by this", code="unknown_grouping", field="by")
        needed = tuple(name for name in self.by if name in self.own)
        return tuple(dict.fromkeys([*asked, *needed])) if asked else self.by

    def _filter(self, text: str) -> tuple[str, str, str]:
        found = written(text)
        if found[0] not in self.filters and found[0] not in self.parameters:
            raise errors.Invalid("the report has no such filter", code="unknown_filter", field="where")
        return found

    def facts(self, reader: Opens, house: House) -> House:
        """The House with the tables without people that the report needs."""
        return replace(house, tables={name: reader.open_table(name) for name in self.tables}) if self.tables else house

    def cells(self, reader: Opens, question: Question, house: House) -> tuple[tuple[str, ...], ...]:
        """All public cells: constants, closed lists of the dictionary, tables without people, or what the asker named."""
        if self.public_cells is not None:
            return self.public_cells(question, self.facts(reader, house))
        return tuple(product(*[self._values(reader, name, question.where, house) for name in question.by]))

    def _values(self, reader: Opens, name: str, where: Filters, house: House) -> tuple[str, ...]:
        if name in self.own:
            return self.own[name]
        for field_, operator, value in where:
            if field_ == name and operator in (EQUAL, ONE_OF):
                return tuple(value.split("|"))
        excluded = {value for field_, operator, value in where if field_ == name and operator == UNEQUAL}
        values = public_values(reader, self.table, name, house)
        if not values:
            raise errors.NotConfigured(
                f"the values of {name} are not known beforehand: name them in a filter, or load the table that lists them",
                code="no_public_cells",
                field="by",
            )
        return tuple(one for one in values if one not in excluded)

    def read(self, reader: Opens, question: Question, cells: Sequence[tuple[str, ...]], house: House) -> Aggregate:
        """The exact bounded aggregate; called by the release door alone."""
        with reader.open(question.purpose, question.months) as view:
            rows = self.contributions(view, question, self.facts(reader, house))
            return aggregate(view, rows, by=question.by, cells=cells, measures=question.measures, bounds=question.bounds, once=self.once)


def public_values(reader: Opens, table: str, name: str, house: House) -> tuple[str, ...]:
    if name == "store_id":
        return tuple(value for value in reader.open_table("stores")["id"].to_pylist() if value)
    if name == "category":
        found = {value for value in reader.open_table("products")["category"].to_pylist() if value}
        return tuple(sorted(found))
    if (table, name) in _LISTED:
        listing, column = _LISTED[table, name]
        return tuple(sorted({value for value in reader.open_table(listing)[column].to_pylist() if value}))
    source = "profiles" if table == "person_month" else table
    for record in house.dictionary.records.values():
        for fed, becomes in record.feeds(source):
            if becomes.column == name and becomes.treatment == "keep":
                return fed.input.values
    return ()


def filtered(rows: ir.Table, where: Filters) -> ir.Table:
    """Rows that meet every filter; an absent value meets none."""
    for name, operator, value in where:
        if operator == ONE_OF:
            rows = rows.filter(rows[name].isin(value.split("|")))
        else:
            rows = rows.filter(rows[name] == value if operator == EQUAL else rows[name] != value)
    return rows


def plain_rows(release: Release, house: House, margin: Margin) -> list[dict[str, Any]]:
    """One row for each cell and measure, in the cells' order; negative values stay, or else sums would be biased."""
    half = margin(release)
    rows = []
    values = iter(release.values)
    for cell in release.cells:
        for measure in release.question.measures:
            head = dict(zip(release.question.by, cell, strict=True)) | {"measure": measure.name}
            rows.append(head | numbers(next(values), half, measure, release.question.bounds))
    return rows


def numbers(value: float, half: float, measure: Measure, bounds: Bounds) -> dict[str, Any]:
    """A released value in its measure's own unit, with its margin and with how it may be shown."""
    middle, width = value * measure.unit / bounds.scale, half * measure.unit / bounds.scale
    shown = metrics.reading(middle, width).document()
    return {"value": round(middle, 3), "low": round(middle - width, 3), "high": round(middle + width, 3), "reading": shown}


# ── asking ─────────────────────────────────────────────────────────────────────────────────────────────────────────────────────


class Reports:
    """Asks reports of a lake through the release door."""

    def __init__(
        self, reader: LakeReader, releases: Releases, house: House, kinds: Mapping[str, Report], norms: Norms | None = None
    ) -> None:
        self._reader = reader
        self._releases = releases
        self._house = house
        self._kinds = kinds
        self._norms = norms

    def question(self, kind: str, options: Options) -> Question:
        """The canonical question; its clip is public: from the histogram released for the month before, else the plan's own."""
        report = self._kind(kind)
        question = report.question(options, self._house)
        norms = self._norms
        if norms is None or norms.plan is not report or question.by != report.by:
            return question
        before = self._releases.known(norms.question(metrics.month_after(min(question.months), -1)))
        if before is None:
            return question
        clip = self._releases.choose_clip(before, most_hidden=self._house.most_hidden, candidates=CLIPS)
        return replace(question, bounds=replace(question.bounds, clip=clip))

    def quote(self, kind: str, options: Options, asked_by: str = "") -> dict[str, Any]:
        """What the report would cost and how wide its margins would be; free."""
        question = self.question(kind, options)
        quote = self._releases.quote(question, asked_by)
        if quote.release is None:
            self._kind(kind).check(self._reader, question, self._house)
        half = math.ceil(quote.half_width * math.sqrt(self._kind(kind).terms))
        return {
            "kind": kind,
            "months": list(question.months),
            "cost": {"rho_nano": quote.cost.rho_nano, "epsilon": quote.cost.epsilon, "delta": quote.cost.delta},
            "margins": {
                measure.name: half * (1 if self._kind(kind).in_units else measure.unit) / question.bounds.scale
                for measure in question.measures
            },
            "left": {str(month): left for month, left in sorted(quote.left.items())},
            "team_left": {str(month): left for month, left in sorted(quote.team_left.items())},
            "affordable": quote.affordable,
            "release": quote.release,
        }

    def ask(self, kind: str, options: Options, asked_by: str) -> dict[str, Any]:
        """The report's document (SHAPES `report`). Everything that can refuse on public facts does so before the charge."""
        report = self._kind(kind)
        question = self.question(kind, options)
        return self._document(report, question, self._answer(report, question, asked_by))

    def show(self, release_id: str) -> dict[str, Any]:
        """The document of a stored release."""
        release = self._releases.find(release_id)
        return self._document(self._kind(release.question.kind), release.question, release)

    def release_norms(self, month: int, asked_by: str) -> None:
        """Buys the month's histogram of norms, from which the hidden share is told; asked once at the month's close."""
        if self._norms is not None:
            self._norms.answer(self._reader, self._releases, self._house, month, asked_by)

    def _answer(self, report: Report, question: Question, asked_by: str) -> Release:
        cells: tuple[tuple[str, ...], ...] = ()
        if self._releases.known(question) is None:
            report.check_months(self._reader, question)
            cells = report.cells(self._reader, question, self._house)
            if not cells and not question.delta_units:
                raise errors.Invalid("the filters leave no cell", code="no_cells", field="where")
        return self._releases.answer(question, lambda: report.read(self._reader, question, cells, self._house), asked_by)

    def _document(self, report: Report, question: Question, release: Release) -> dict[str, Any]:
        cost = self._releases.cost(0 if release.cached else release.rho_nano)
        first, last = min(question.months), max(question.months)
        return {
            "kind": report.kind,
            "release": release.id,
            "question": {
                "version": question.version,
                "purpose": question.purpose,
                "by": list(release.question.by),
                "where": [list(one) for one in question.where],
                "measures": [{"name": measure.name, "unit": measure.unit} for measure in question.measures],
                "clip": question.bounds.clip,
            },
            "window": {"from": _day(first), "to": _day(metrics.month_after(last), before=True)},
            "rows": report.render(release, report.facts(self._reader, self._house), self._releases.half_width),
            "derived": [*report.derived(release, self._house), *self._threshold(question)],
            "hidden_share": self._hidden_share(report, question, release),
            "months": sorted(question.months),
            "cost": {"rho_nano": cost.rho_nano, "epsilon": cost.epsilon, "delta": cost.delta},
            "budget": {str(month): {"before": before, "after": after} for month, (before, after) in sorted(release.budget.items())},
            "cached": release.cached,
        }

    def _threshold(self, question: Question) -> list[dict[str, Any]]:
        """From which noisy count on a key is told, where nobody knows the keys beforehand."""
        if not question.delta_units:
            return []
        least = self._releases.threshold(question)
        return [
            {"what": "threshold", "measure": "people", "of": {}, "value": least, "low": least, "high": None, "way": None, "share": None}
        ]

    def _hidden_share(self, report: Report, question: Question, release: Release) -> float | None:
        """None means: not known, because no histogram of norms was released for this plan and month."""
        if (told := report.hidden(release, self._releases)) is not None:
            return told
        if report.hides_nothing or (report.one_cell and len(question.by) == 1):
            return 0.0
        if self._norms is None or self._norms.plan is not report or len(question.months) != 1 or question.by != report.by:
            return None
        histogram = self._releases.known(self._norms.question(question.months[0]))
        return None if histogram is None else self._releases.hidden_share(histogram, float(question.bounds.clip))

    def _kind(self, kind: str) -> Report:
        if kind not in self._kinds:
            raise errors.NotFound("there is no such report", code="unknown_report", field="kind")
        return self._kinds[kind]


def not_closed() -> errors.Refused:
    return errors.Refused("this month has not been closed", code="month_not_closed", field="from")


class Norms(Protocol):
    """The released histogram of what people would contribute to a plan."""

    plan: Report

    def question(self, month: int) -> Question: ...

    def answer(self, reader: Opens, releases: Releases, house: House, month: int, asked_by: str) -> Release: ...


def _day(month: int, *, before: bool = False) -> str:
    """The first day of a month, or the last day of the month before it."""
    from datetime import date, timedelta

    first = date(month // 100, month % 100, 1)
    return (first - timedelta(days=1) if before else first).isoformat()
