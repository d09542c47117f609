"""What stands in a released list: the recipient's form of clear addresses, or a partner's pseudonymous table with its measured risk.

Promise: one row a person; beside each row, in memory only, whose it is (empty for a control row). A pseudonymous table leaves only where its
risk is that of level 3 of GB/T 42460 by persons (attacks 56 and 57). It must never learn what anybody allowed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from privacy.deidentify import hierarchies, kanonymity, risk
from privacy.deidentify.kanonymity import Anonymised
from privacy.deidentify.lattice import Demand, Sensitive
from privacy.errors import Refused
from privacy.identity import pseudonyms
from privacy.identity.controls import Plan
from privacy.identity.forms import lines, partner, shape
from privacy.identity.forms.shape import Choice, Form
from privacy.identity.pseudonyms import MacKey

K: Final = 20
"""The smallest class of a pseudonymous table, by persons: a greatest risk of one in twenty."""
SUPPRESSION: Final = 0.2
"""The largest share of rows that may be left out for it."""
LEVEL: Final = 3


@dataclass(frozen=True, slots=True)
class Content:
    """A table in the recipient's form. `people[i]` is whose row i is."""

    table: pa.Table = field(repr=False)
    people: tuple[bytes, ...] = field(repr=False)
    bare: tuple[str, ...]
    refused: Mapping[str, int]
    controls: int = 0
    missed: float = 1.0
    risk: Mapping[str, Any] | None = None

    def pieces(self) -> Iterator[bytes]:
        """The file in clear: it exists only on its way into the envelope."""
        return lines.csv(self.table, bare=self.bare)


@dataclass(frozen=True, slots=True)
class Said:
    """Columns about people, a row a person; `told` are those of them that earlier tables said of the same virtual IDs as they are."""

    table: pa.Table = field(repr=False)
    told: frozenset[str] = frozenset()


def addressed(form: Form, values: Mapping[str, pa.StringArray], people: Sequence[bytes], choice: Choice, plan: Plan, type_: str) -> Content:
    """A list of addresses in a family's form, control rows among them."""
    own = len(plan.values)
    columns = {
        name: pa.concat_arrays([column, pa.array(plan.values if name == type_ else [None] * own, pa.string())])
        for name, column in values.items()
    }
    filled = shape.fill(form, columns, choice)
    owners = [people[row] if row < len(people) else b"" for row in filled.rows.to_pylist()]
    bare = tuple(part.header for part in form.parts)
    return Content(filled.table, tuple(owners), bare, filled.refused, sum(1 for one in owners if not one), plan.missed)


def pseudonymous(
    key: MacKey, people: Sequence[bytes], columns: pa.Table, approved: Sequence[str], sensitive: Collection[str] = (),
    told: Collection[str] = (),
) -> Content:  # fmt: skip
    """A partner's table: the recipient's virtual IDs and the approved columns, as coarse as level 3 asks; refused where nothing reaches it.

    `told` are columns that earlier tables said of these virtual IDs as they are: who lays the tables side by side has them all, so that level 3
    has to hold for all of them together. Where it cannot, the new table says nothing that was not told. What was not approved does not leave.
    """
    names = [one for one in dict.fromkeys((*approved, *sorted(told))) if one in columns.column_names]
    given: dict[str, Any] = {name: _text(columns[name]) for name in names}
    try:
        made, measured = _coarse(given, sensitive, fixed=told)
    except Refused:
        if not told or not {*approved}.isdisjoint({*sensitive} - {*told}):
            raise
        nothing = pa.array([hierarchies.ANY] * columns.num_rows, pa.string())
        known = {name: given[name] if name in told else nothing for name in approved}
        made, measured = _coarse(known, [one for one in sensitive if one in approved])
    kept = [people[row] for row in np.flatnonzero(made.kept).tolist()]
    marks = pseudonyms.recipient_pseudonyms(key, b"".join(kept))
    leaving = [one for one in approved if one in made.table.column_names]
    table = partner.table(marks, {name: _one(made.table[name]) for name in leaving}, leaving)
    owners = [kept[row] for row in pc.sort_indices(marks).to_pylist()]
    unsaid = {name: 1 for name in leaving if pc.all(pc.equal(made.table[name], hierarchies.ANY)).as_py()}
    facts = {"generalised": dict(made.levels) | unsaid, "suppressed": made.suppressed, **measured.as_facts()}
    return Content(table, tuple(owners), (partner.PSEUDONYM,), {"suppressed_for_k": made.suppressed} if made.suppressed else {}, risk=facts)


def _coarse(given: Mapping[str, Any], sensitive: Collection[str], fixed: Collection[str] = ()) -> tuple[Anonymised, risk.Evaluation]:
    """The table as coarse as level 3 asks, and what is left of its risk."""
    quasi = [name for name in given if name not in sensitive]
    values = {name: sorted(set(given[name].to_pylist())) for name in quasi}
    ladders = [(hierarchies.fixed if name in fixed else hierarchies.flat)(name, values[name]) for name in quasi]
    demand = Demand(K, distinct=2 if sensitive else 1, closeness=0.3 if sensitive else 1.0, suppression=SUPPRESSION)
    made = kanonymity.anonymise(ladders, given, demand, sensitive=[Sensitive(one) for one in sorted(sensitive)])
    coded = {name: kanonymity.coded(made.table[name]) for name in quasi}
    hidden = {name: (kanonymity.coded(made.table[name]), False) for name in sorted(sensitive)}
    measured = risk.evaluate(coded, sensitive=hidden)
    if measured.level < LEVEL:
        raise Refused("people could be found in this table", code="reidentification_risk", field="fields")
    return made, measured


def _one(column: Any) -> Any:
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column


def _text(column: Any) -> pa.StringArray:
    array = _one(column)
    array = pa.concat_arrays(array.chunks) if isinstance(array, pa.ChunkedArray) else array
    return pc.fill_null(array.cast(pa.string()), "")
