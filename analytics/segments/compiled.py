"""Segments as expressions of the engine over a joined view of the lake: who is meant, and what was looked at to say so.

Promise: people come from the view and from nowhere else, so nobody is found who does not allow its purpose now; the values of a rule are
literals of the expression and never text of a query. Every word means what it means in the reports (`analytics.metrics`), taken from a
person's own rows up to one moment. Products that tell something sensitive are left out where a rule asks about products (law_rules L-9).
It must never learn an identifier, or how many people are meant.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import reduce
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc

from analytics import metrics, profiles
from analytics.profiles import PERSON
from analytics.segments import rules, vocabulary
from analytics.segments.definition import Others
from analytics.segments.rules import Among, Amount, Cells, Group, Joined, Leaf, Member, Profile, Rfm, Rule, Stage, Window
from privacy.errors import Refused

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from analytics.lake.reader import View

INFERS = "infers:"


@dataclass(frozen=True, slots=True)
class Needs:
    """What has to be asked of others before a rule can be: months of the lake, and who is left out of it."""

    months: tuple[int, ...]
    tags: tuple[str, ...]
    youth_signal: bool


@dataclass(frozen=True, slots=True)
class Moment:
    """When a rule is asked, in which zone, and with which public facts."""

    at: datetime
    zone: str
    products: pa.Table
    held: tuple[int, ...]
    """Months in which somebody stated a profile."""
    first: int = 0
    """Months before this one do not exist for the question."""

    @property
    def month(self) -> int:
        local = self.at.astimezone(ZoneInfo(self.zone))
        return local.year * 100 + local.month

    def ends(self, within: Window) -> tuple[datetime, datetime]:
        """The first instant that counts, and the first one that does not any more; never after the moment itself."""
        if within.first is None or within.last is None:
            return self.at - timedelta(days=within.days), self.at
        zone = ZoneInfo(self.zone)
        first, last = (datetime(one.year, one.month, one.day, tzinfo=zone) for one in (within.first, within.last + timedelta(days=1)))
        return min(first, self.at), min(last, self.at)

    def months(self, within: Window) -> tuple[int, ...]:
        first, last = (one.astimezone(ZoneInfo(self.zone)) for one in self.ends(within))
        return self._there(metrics.months_between(first.year * 100 + first.month, last.year * 100 + last.month))

    def look_back(self) -> tuple[int, ...]:
        return self._there(metrics.months_between(metrics.month_after(self.month, 1 - metrics.LOOK_BACK_MONTHS), self.month))

    def stated(self) -> tuple[int, ...]:
        return self._there(one for one in self.held if one <= self.month)

    def _there(self, months: Iterable[int]) -> tuple[int, ...]:
        return tuple(one for one in months if one >= self.first)


def whole(rule: Rule, others: Others) -> list[Leaf]:
    """Every leaf of a rule and of the segments it speaks of."""
    found: list[Leaf] = []
    for leaf in rules.leaves(rule):
        found.append(leaf)
        if isinstance(leaf, Member):
            found.extend(whole(others[leaf.segment, leaf.version], others))
    return found


def seen(rule: Rule, others: Others) -> list[Leaf]:
    """Every leaf that looks at people's own rows, once each; membership of another segment looks at nothing but that one's leaves."""
    return list(dict.fromkeys(leaf for leaf in whole(rule, others) if not isinstance(leaf, Member)))


def needs(rule: Rule, others: Others, moment: Moment) -> Needs:
    """What a rule asks for; refuses one that names products which tell something sensitive."""
    months = {moment.month}
    tags: set[str] = set()
    young = False
    for leaf in whole(rule, others):
        if isinstance(leaf, Profile | Joined):
            months.update(moment.stated())
        if isinstance(leaf, Profile):
            tags.update(vocabulary.TAGS.get(leaf.among.field, ()))
            young = young or bool(vocabulary.YOUNG & set(leaf.among.values))
        elif isinstance(leaf, Cells | Rfm | Stage):
            months.update(moment.look_back())
            tags.update(vocabulary.TAGS["stage" if isinstance(leaf, Stage) else "rfm"])
        elif isinstance(leaf, Amount):
            months.update(moment.months(leaf.within))
            _check_products(leaf, moment.products)
    return Needs(tuple(sorted(months)), tuple(sorted(tags)), young)


def _check_products(leaf: Amount, products: pa.Table) -> None:
    """Refuses a rule that names a product, category or brand by which nothing but something sensitive is said."""
    for one in leaf.where:
        if one.field in vocabulary.PRODUCTS and one.inside:
            column = products["id" if one.field == "product_id" else one.field]
            for value in one.values:
                of_it = products.filter(pc.equal(column, value))
                if of_it.num_rows and pc.all(_tells(of_it)).as_py():
                    raise Refused(
                        "products that tell something sensitive about people cannot be part of a segment",
                        code="segment_sensitive",
                        field=one.field,
                    )


def _tells(products: pa.Table) -> pa.BooleanArray:
    return pc.match_substring(pc.fill_null(products["flags"], ""), INFERS)


@dataclass
class Compiled:
    """A rule over one view: `members` are its people, `looked_at` what each leaf saw of everybody, by the leaf's number. With `only` a run ID nobody
    else's rows are looked at: what is told of one person is told of their own rows alone."""

    view: View
    moment: Moment
    others: Others
    only: int | None = None
    _features: dict[tuple[Any, ...], tuple[ir.Table, dict[str, str]]] = field(default_factory=dict)
    _leaves: dict[Leaf, tuple[Callable[[ir.Table], ir.BooleanValue], tuple[str, ...]]] = field(default_factory=dict)

    def members(self, rule: Rule) -> ir.Table:
        """The run IDs of the people of a rule."""
        self._gather(rule)
        everybody = self._everybody()
        return everybody.filter(self._true(rule, everybody)).select(PERSON)

    def looked_at(self, rule: Rule) -> ir.Table:
        """Everybody with what each leaf of `seen` saw of them (`saw_n`), whether it holds (`holds_n`), and whether they are in (`inside`)."""
        self._gather(rule)
        everybody = self._everybody()
        told: dict[str, Any] = {}
        for number, leaf in enumerate(seen(rule, self.others)):
            told[f"holds_{number}"] = self._true(leaf, everybody)
            for column in self._leaves[leaf][1]:
                told[f"saw_{number}_{column.split('__')[0]}"] = everybody[column]
        return everybody.select(PERSON, inside=self._true(rule, everybody), **told)

    def described(self, columns: Sequence[str]) -> ir.Table:
        """Everybody with what is known of them: words of the profile, bands, the stage; null where nothing is known."""
        names = {one: (self.stated() if one in vocabulary.PROFILE else self.bought())[one] for one in columns}
        everybody = self._everybody()
        return everybody.select(PERSON, **{one: everybody[name] for one, name in names.items()})

    def _gather(self, rule: Rule) -> None:
        for leaf in whole(rule, self.others):
            if leaf not in self._leaves and not isinstance(leaf, Member):
                self._leaves[leaf] = _LEAVES[type(leaf)](self, leaf)

    def _everybody(self) -> ir.Table:
        """Everybody whom the view may show, with what is looked at beside them; null where nothing is known."""
        found = self._theirs(self.view.identifiers(self.moment.month).select(PERSON))
        if self.only is not None:
            found = found.distinct()
        for table, _ in self._features.values():
            found = found.left_join(table, PERSON).drop(f"{PERSON}_right")
        return found

    def _theirs(self, rows: ir.Table) -> ir.Table:
        return rows if self.only is None else rows.filter(rows[PERSON] == self.only)

    def _true(self, rule: Rule, everybody: ir.Table) -> ir.BooleanValue:
        if isinstance(rule, Group):
            parts = [self._true(one, everybody) for one in rule.rules]
            return reduce((lambda one, other: one & other) if rule.every else (lambda one, other: one | other), parts)
        if isinstance(rule, Member):
            inside = self._true(self.others[rule.segment, rule.version], everybody)
            return inside if rule.inside else ~inside
        return self._leaves[rule][0](everybody).coalesce(False)

    def feature(self, key: tuple[Any, ...], make: Callable[[], ir.Table]) -> dict[str, str]:
        """The columns of a table with one row a person, joined once, under names of their own."""
        if key not in self._features:
            table, number = make(), len(self._features)
            names = {column: f"{column}__{number}" for column in table.columns if column != PERSON}
            self._features[key] = (table.select(PERSON, **{name: table[column] for column, name in names.items()}), names)
        return self._features[key][1]

    # ── what is looked at ────────────────────────────────────────────────────────────────────────────────────────────────────

    def before(self, table: str, months: Sequence[int], first: datetime | None = None, last: datetime | None = None) -> ir.Table:
        """Rows of a table up to the moment, or between two instants."""
        rows = self._theirs(self.view.people(table, months))
        kept = rows.filter(rows.hour < profiles.literal(last or self.moment.at))
        return kept if first is None else kept.filter(kept.hour >= profiles.literal(first))

    def stated(self) -> dict[str, str]:
        columns = (*vocabulary.PROFILE, "joined_month")
        return self.feature(("profiles",), lambda: profiles.stated(self.before("profiles", self.moment.stated()), columns))

    def bought(self) -> dict[str, str]:
        return self.feature(("bought",), self._bought)

    def _bought(self) -> ir.Table:
        at = self.moment.at
        rows = profiles.purchases(self.before("order_lines", self.moment.look_back()), at)
        return rows.select(PERSON, **profiles.bands(rows, at), stage=profiles.stage(rows, self.moment.month, at))

    def amount(self, leaf: Amount) -> dict[str, str]:
        return self.feature(("amount", leaf.how, leaf.of, leaf.where, leaf.within), lambda: self._amount(leaf))

    def _amount(self, leaf: Amount) -> ir.Table:
        thing = vocabulary.THINGS[leaf.how][leaf.of]
        rows = self.before(thing.table, self.moment.months(leaf.within), *self.moment.ends(leaf.within))
        rows = self._narrowed(rows, leaf.where)
        return rows.group_by(PERSON).agg(amount=_AMOUNTS[leaf.of](rows))

    def _narrowed(self, rows: ir.Table, where: Sequence[Among]) -> ir.Table:
        about = [one for one in where if one.field in vocabulary.PRODUCTS]
        for one in where:
            if one.field == "brand" or (one.field == "category" and "category" not in rows.columns):
                rows = self._of_products(rows, one)
            else:
                rows = rows.filter(_is(rows[one.field], one))
        if not about:
            return rows
        hidden = self.moment.products.filter(_tells(self.moment.products))
        rows = _without(rows, self.view.table(pa.table({"hidden": hidden["id"]})), "product_id")
        if "category" in rows.columns:
            categories = pc.unique(hidden["category"].combine_chunks()).drop_null()
            rows = _without(rows, self.view.table(pa.table({"hidden": categories})), "category")
        return rows

    def _of_products(self, rows: ir.Table, among: Among) -> ir.Table:
        column = self.moment.products[among.field]
        named = pc.is_in(column, pa.array(among.values, pa.string()))
        kept = named if among.inside else pc.and_(pc.invert(named), pc.is_valid(column))
        wanted = self.view.table(pa.table({"wanted": self.moment.products.filter(kept)["id"]}))
        return rows.semi_join(wanted, [rows.product_id == wanted.wanted])


def _without(rows: ir.Table, hidden: ir.Table, column: str) -> ir.Table:
    return rows.anti_join(hidden, [rows[column] == hidden.hidden])


def _is(column: ir.StringColumn, among: Among) -> ir.BooleanValue:
    return column.isin(among.values) if among.inside else column.notin(among.values) & column.notnull()


# ── leaves ─────────────────────────────────────────────────────────────────────────────────────────────────────────────────────

Test = tuple["Callable[[ir.Table], ir.BooleanValue]", tuple[str, ...]]


def _profile(compiled: Compiled, leaf: Profile) -> Test:
    column = compiled.stated()[leaf.among.field]
    return lambda people: _is(people[column], leaf.among), (column,)


def _joined(compiled: Compiled, leaf: Joined) -> Test:
    column = compiled.stated()["joined_month"]
    return lambda people: people[column].between(leaf.first, leaf.last), (column,)


def _cells(compiled: Compiled, leaf: Cells) -> Test:
    """Who bought nothing stands in band 0 of all three."""
    names = compiled.bought()
    asked = [
        (names[vocabulary.BANDS[name]], values)
        for name, values in zip(vocabulary.BANDS, (leaf.recency, leaf.frequency, leaf.value), strict=True)
    ]
    asked = [(column, values) for column, values in asked if values]

    def test(people: ir.Table) -> ir.BooleanValue:
        return reduce(lambda one, other: one & other, [people[column].coalesce(0).isin(values) for column, values in asked])

    return test, tuple(column for column, _ in asked)


def _rfm(compiled: Compiled, leaf: Rfm) -> Test:
    names = compiled.bought()
    columns = tuple(names[band] for band in vocabulary.BANDS.values())
    wanted = [one.flags for one in metrics.SEGMENTS if one.key in leaf.names]

    def test(people: ir.Table) -> ir.BooleanValue:
        bands = [people[column].coalesce(0) for column in columns]
        high = [band >= metrics.HIGH_BAND for band in bands]
        one_of = [reduce(lambda one, other: one & other, [is_ == flag for is_, flag in zip(high, flags, strict=True)]) for flags in wanted]
        return (bands[0] > 0) & (bands[1] > 0) & reduce(lambda one, other: one | other, one_of)

    return test, columns


def _stage(compiled: Compiled, leaf: Stage) -> Test:
    column = compiled.bought()["stage"]
    return lambda people: people[column].coalesce(metrics.PROSPECT).isin(leaf.names), (column,)


def _held(compiled: Compiled, leaf: Amount) -> Test:
    column = compiled.amount(leaf)["amount"]

    def test(people: ir.Table) -> ir.BooleanValue:
        value = people[column].coalesce(0)
        ends = ([value >= leaf.low] if leaf.low is not None else []) + ([value <= leaf.high] if leaf.high is not None else [])
        return reduce(lambda one, other: one & other, ends)

    return test, (column,)


_LEAVES: Mapping[type, Callable[[Compiled, Any], Test]] = {
    Profile: _profile,
    Joined: _joined,
    Cells: _cells,
    Rfm: _rfm,
    Stage: _stage,
    Amount: _held,
}


def _sale(lines: ir.Table) -> ir.BooleanValue:
    return lines.kind.fill_null("sale") == "sale"


def _orders(lines: ir.Table, which: ir.BooleanValue) -> ir.IntegerScalar:
    """Different orders: a key means something within its month."""
    import ibis

    return ibis.struct({"month": lines.month, "order": profiles.order_of(lines)}).nunique(where=which)


def _signed(lines: ir.Table, column: str) -> ir.IntegerScalar:
    """An amount of sales, less what was returned or cancelled."""
    import ibis

    return ibis.cases((_sale(lines), lines[column]), else_=-lines[column].abs()).sum()


_AMOUNTS: Mapping[str, Callable[[ir.Table], Any]] = {
    "orders": lambda rows: _orders(rows, _sale(rows)),
    "returns": lambda rows: _orders(rows, rows.kind.fill_null("sale") == "return"),
    "products": lambda rows: rows.product_id.nunique(where=_sale(rows)),
    "stores": lambda rows: rows.store_id.nunique(where=_sale(rows)),
    "events": lambda rows: rows.count(),
    "touches": lambda rows: rows.count(),
    "paid": lambda rows: _signed(rows, "net_minor"),
    "quantity": lambda rows: _signed(rows, "quantity_milli"),
    "discount": lambda rows: rows.discount_minor.abs().sum(where=_sale(rows)),
}
