"""The only maker of `Aggregate`: exact sums over public cells, in which no person weighs more than the plan's bound.

Promise: whatever the rows, removing one person moves the vector by at most `bounds.sensitivity` in L2 (dp_rules P-7, P-8): amounts are
first summed per person and cell, then one weight per person is laid on all of them, then they are truncated toward zero and added up.
Cells are handed in, are public, and are all there, zeros too. It must never learn an identifier, and what it returns is not kept.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import product
from typing import TYPE_CHECKING

import pyarrow as pa

from analytics.lake.reader import PERSON as PERSON
from privacy import errors
from privacy.records import Aggregate

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from analytics.lake.reader import View
    from privacy.records import Bounds, Measure

CELLS_LIMIT = 1_000_000
NORM = "norm_squared"


@dataclass(frozen=True, slots=True)
class Block:
    """One marginal of a plan: rows (run_id, one integer column a measure, one column a dimension) over all cells of public values.

    A dimension's column holds places in its list of values, so that a row stands in exactly one cell. With `once` a measure counts at most
    once per person and cell: people, not rows.
    """

    rows: ir.Table
    by: tuple[str, ...]
    values: tuple[tuple[str, ...], ...]
    measures: tuple[Measure, ...]
    once: bool = False

    @property
    def cells(self) -> int:
        return math.prod(len(values) for values in self.values)

    @property
    def entries(self) -> int:
        return self.cells * len(self.measures)


def aggregate(
    view: View,
    rows: ir.Table,
    *,
    by: Sequence[str],
    cells: Sequence[tuple[str, ...]],
    measures: Sequence[Measure],
    bounds: Bounds,
    once: Collection[str] = (),
) -> Aggregate:
    """Bounded sums of `rows` (run_id, the columns of `by`, one integer column a measure) over exactly these cells, in their order.

    Measures in `once` count at most once per person and cell: people, not rows. Rows outside the cells are left out before the weight.
    """
    _check(by, cells, measures, bounds)
    names = [measure.name for measure in measures]
    amounts = _per_person(view, rows, by, cells, names, once)
    parts = _weighted(amounts, measures, bounds)
    sums = parts.group_by(list(by)).agg(**{name: parts[name].sum() for name in names})
    found = view.run(sums)
    keys = list(zip(*[found[column].to_pylist() for column in by], strict=True))
    columns = {name: dict(zip(keys, found[name].to_pylist(), strict=True)) for name in names}
    values = tuple(int(columns[name].get(cell) or 0) for cell in cells for name in names)
    return Aggregate(tuple(cells), tuple(names), values)


def with_norms(
    view: View,
    rows: ir.Table,
    *,
    by: Sequence[str],
    cells: Sequence[tuple[str, ...]],
    measures: Sequence[Measure],
    once: Collection[str] = (),
) -> ir.Table:
    """One row a person with the squared norm of what a plan would take from them: the input of the histogram of norms."""
    names = [measure.name for measure in measures]
    return _norms(_units(_per_person(view, rows, by, cells, names, once), measures), names)


def vector(blocks: Mapping[str, Block]) -> ir.Table:
    """What a plan of several marginals takes from each person, before any weight: one row a person and entry, (run_id, entry, amount).

    Entries are numbered through all blocks, block by block, measure by measure, cell by cell. Amounts are summed within an entry and then
    divided by the measure's unit. Rows of one table and measure are read once for all the blocks that they belong to.
    """
    import ibis

    total = sum(block.entries for block in blocks.values())
    if not total or total > CELLS_LIMIT or any(one.unit < 1 for block in blocks.values() for one in block.measures):
        raise errors.Invalid("a plan has cells, not too many of them, and units of at least 1", code="too_many_cells", field="by")
    read: dict[tuple[int, str], tuple[Block, Measure, list[ir.IntegerColumn]]] = {}
    first = 0
    for block in blocks.values():
        cell = ibis.literal(0, "int64")
        for name, values in zip(block.by, block.values, strict=True):
            cell = cell * len(values) + block.rows[name].cast("int64")
        for one in block.measures:
            read.setdefault((id(block.rows), one.name), (block, one, []))[2].append(cell + first)
            first += block.cells
    parts = []
    for block, one, entries in read.values():
        rows = block.rows.select(PERSON, entry=ibis.array(entries).unnest(), amount=block.rows[one.name])
        sums = rows.group_by([PERSON, "entry"]).agg(total=rows.amount.sum().coalesce(0))
        amount = (sums.total > 0).cast("float64") if block.once else sums.total.cast("float64") / float(one.unit)
        parts.append(sums.select(PERSON, "entry", amount=amount))
    return reduce(lambda one, other: one.union(other), parts)


def aggregate_vector(view: View, parts: ir.Table, blocks: Mapping[str, Block], bounds: Bounds, *, measure: str) -> Aggregate:
    """Bounded sums of a plan's `vector` under one weight a person; a cell is (measure, marginal, its values …).

    Argument (dp_rules P-7, P-8). A person's vector v has one entry for every cell and measure of every block; s = min(1, clip/‖v‖₂) is laid
    on all of them and each becomes trunc(scale·s·v). By the estimate at `privacy.dp.bounds.contribution` the whole integer vector has a norm
    of at most scale · clip for as many entries as are let through here, so taking the person out of the data moves everything that this
    returns, all marginals together, by at most that; nobody else's part changes.
    """
    total = sum(block.entries for block in blocks.values())
    if bounds.clip < 1 or bounds.scale < 1 or total > 2**53 // bounds.sensitivity**2 - 16:
        raise errors.Invalid("the question has too many cells for its bound", code="too_many_cells", field="by")
    norms = block_norms(parts).rename(person=PERSON)
    joined = parts.inner_join(norms, parts[PERSON] == norms.person)
    bounded = joined.select(joined.entry, part=_truncated(_factor(joined, bounds) * joined.amount))
    found = view.run(bounded.group_by("entry").agg(part=bounded.part.sum()))
    sums = dict(zip(found["entry"].to_pylist(), found["part"].to_pylist(), strict=True))
    cells = tuple((one.name, name, *cell) for name, block in blocks.items() for one in block.measures for cell in product(*block.values))
    return Aggregate(cells, (measure,), tuple(int(sums.get(entry) or 0) for entry in range(total)))


def beside(table: Aggregate, cells: Sequence[tuple[str, ...]], counts: Sequence[int]) -> Aggregate:
    """A table and further cells as one vector; what the further ones count stands in the first measure's column."""
    width = len(table.measures)
    values = [part for count in counts for part in (count, *[0] * (width - 1))]
    return Aggregate((*table.cells, *cells), table.measures, (*table.values, *values))


def aggregate_keys(view: View, rows: ir.Table, *, key: str, measure: str, bounds: Bounds) -> Aggregate:
    """How many people stand under each key of `rows` (run_id, the key's column), keys that nobody knows beforehand; for thresholds alone.

    Argument. Each person keeps at most clip² of their keys, chosen by a hash of key and run ID that depends on nobody else and on no amount,
    and counts 1 in each: without them at most clip² counts differ, each by 1, so the whole moves by at most clip in L2.
    """
    import ibis

    if bounds.scale != 1:
        raise errors.Invalid("keys that nobody knows beforehand are counted in whole people", code="bad_bounds")
    own = rows.filter(rows[key].notnull() & (rows[key] != "")).select(PERSON, key).distinct()
    drawn = own.mutate(draw=(own[PERSON].cast("string") + "/" + own[key]).hash())
    place = ibis.row_number().over(group_by=PERSON, order_by=[drawn.draw, drawn[key]])
    kept = drawn.mutate(place=place)
    kept = kept.filter(kept.place < bounds.clip**2)
    found = view.run(kept.group_by(key).agg(people=kept.count()).order_by(key))
    return Aggregate(tuple((one,) for one in found[key].to_pylist()), (measure,), tuple(found["people"].to_pylist()))


def outcomes(cells: Sequence[str], counts: Mapping[str, int], *, measure: str) -> Aggregate:
    """How many people stand in each of some public outcomes. Each person was put into at most one and counts 1 there, by a decision that
    depends on nobody else: without them one count differs by 1, so the whole moves by 1 in L2."""
    if not set(counts) <= set(cells):
        raise errors.Invalid("people are counted under public outcomes only", code="bad_cells", field="by")
    return Aggregate(tuple((one,) for one in cells), (measure,), tuple(int(counts.get(one, 0)) for one in cells))


def block_norms(parts: ir.Table) -> ir.Table:
    """One row a person with the squared norm of a plan's `vector`: the input of the histogram of norms."""
    return parts.group_by(PERSON).agg(**{NORM: (parts.amount * parts.amount).sum()})


def _once(rows: ir.Table, name: str) -> ir.IntegerScalar:
    return (rows[name].max() > 0).cast("int64").coalesce(0)


def _factor(joined: ir.Table, bounds: Bounds) -> ir.FloatingColumn:
    """scale · min(1, clip/‖v‖) of each row's person."""
    import ibis

    norm = joined[NORM].sqrt()
    return float(bounds.scale) * ibis.cases((norm <= float(bounds.clip), 1.0), else_=float(bounds.clip) / norm)


def _per_person(
    view: View, rows: ir.Table, by: Sequence[str], cells: Sequence[tuple[str, ...]], names: Sequence[str], once: Collection[str]
) -> ir.Table:
    """Amounts summed per person and cell. The sums must come before the weight: two parts of one cell add up, their norms do not."""
    domain = view.table(pa.table({f"cell_{column}": [cell[number] for cell in cells] for number, column in enumerate(by)}, _domain(by)))
    inside = rows.semi_join(domain, [rows[column] == domain[f"cell_{column}"] for column in by])
    return inside.group_by([PERSON, *by]).agg(
        **{name: _once(inside, name) if name in once else inside[name].sum().coalesce(0) for name in names}
    )


def _units(amounts: ir.Table, measures: Sequence[Measure]) -> ir.Table:
    return amounts.mutate(**{measure.name: amounts[measure.name].cast("float64") / float(measure.unit) for measure in measures})


def _norms(vector: ir.Table, names: Sequence[str]) -> ir.Table:
    squares = sum((vector[name] * vector[name] for name in names[1:]), vector[names[0]] * vector[names[0]])
    return vector.group_by(PERSON).agg(**{NORM: squares.sum()})


def _weighted(amounts: ir.Table, measures: Sequence[Measure], bounds: Bounds) -> ir.Table:
    """trunc(scale · min(1, clip/‖v‖) · v), in doubles: that this keeps the bound exactly is argued at `privacy.dp.bounds.contribution`,
    whose arithmetic this repeats, for as many entries as `_check` lets through."""
    names = [measure.name for measure in measures]
    vector = _units(amounts, measures)
    norms = _norms(vector, names).rename(person=PERSON)
    joined = vector.inner_join(norms, vector[PERSON] == norms.person)
    factor = _factor(joined, bounds)
    columns = [column for column in amounts.columns if column != PERSON and column not in names]
    return joined.select(*columns, **{name: _truncated(factor * joined[name]) for name in names})


def _truncated(value: ir.Value) -> ir.Value:
    """Toward zero, so that rounding never lengthens anybody's part; refunds are negative."""
    return (value.sign() * value.abs().floor()).cast("int64")


def _domain(by: Sequence[str]) -> pa.Schema:
    return pa.schema([(f"cell_{column}", pa.string()) for column in by])


def _check(by: Sequence[str], cells: Sequence[tuple[str, ...]], measures: Sequence[Measure], bounds: Bounds) -> None:
    if not cells:
        raise errors.NotConfigured("there are no public cells to count in", code="no_public_cells")
    if len(cells) > CELLS_LIMIT or len(cells) * len(measures) > 2**53 // bounds.sensitivity**2 - 16:
        raise errors.Invalid("the question has too many cells", code="too_many_cells", field="by")
    if len(set(cells)) != len(cells) or any(len(cell) != len(by) for cell in cells):
        raise errors.Invalid("cells are distinct and have one value for each grouping", code="bad_cells", field="by")
    if not measures or any(measure.unit < 1 for measure in measures) or bounds.clip < 1 or bounds.scale < 1:
        raise errors.Invalid("bounds and units are at least 1", code="bad_bounds")
    if not math.isfinite(float(bounds.sensitivity)):
        raise errors.Invalid("bounds are finite", code="bad_bounds")
