"""The shape of a recipient's form, as data, and the one way of filling it.

Promise: what leaves is one row a person with the recipient's own columns; a value that the family's rule cannot use is refused, under a code
with a count, and never emptied or hashed as nothing; a group of columns that only works together (an address) leaves whole or not at all; a
person without anything left that identifies is left out and counted; rows stand in the order of their own values, because the order of two
files would join them as well as a column does. A column that a family would send in clear is refused by name.
Must never learn: who a person is beyond the clear values handed in, why they are in the list, a key. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from privacy import errors
from privacy.identity.forms.digests import SHA256, digest
from privacy.identity.forms.values import clean

NO_IDENTIFIER: Final = "no_identifier"
"""The refusal of a person of whom nothing is left that finds them."""


class Action(StrEnum):
    """What a file or a request does to the recipient's list."""

    ADD = "add"
    REMOVE = "remove"


@dataclass(frozen=True, slots=True)
class Choice:
    """What was agreed with one recipient within its family's rules, and stands in its registration."""

    region: str = "CN"
    """The country of telephone numbers that carry no country code."""
    digest: str = SHA256
    """Only where the family leaves a choice (LinkedIn: sha256, sha512; the Chinese platforms: sha256, md5)."""
    gmail_tags: bool = True
    """Google: whether "+tag" stays in a Gmail address. Its text mentions dots only and the two peers disagree; switch off what is agreed."""
    constants: Mapping[str, str] = field(default_factory=dict)
    """Texts that stand in every row of a contact list: the sender, how to reach it, how to opt out."""


Rule = Callable[[pa.StringArray, Choice], pa.StringArray]


@dataclass(frozen=True, slots=True)
class Part:
    """One column of a form: where it comes from, the family's rule (null = refused), and whether it leaves hashed."""

    header: str
    source: str
    rule: Rule
    refusal: str
    hashed: bool = True
    identifies: bool = True


@dataclass(frozen=True, slots=True)
class Form:
    """One family's form. `batch` is the most rows of one request or 0 for a file; `smallest` the audience below which the recipient does
    not deliver; `abroad` that it stands outside the mainland (L-11); `sealed` that its values are clear and travel only in an envelope."""

    family: str
    parts: tuple[Part, ...]
    file: Literal["csv", "json"]
    batch: int = 0
    smallest: int = 0
    header: bool = True
    abroad: bool = False
    sealed: bool = False
    digests: tuple[str, ...] = (SHA256,)
    together: tuple[tuple[tuple[str, ...], str], ...] = ()
    """Groups of headers that are useless alone, each with the refusal of an incomplete one."""
    clear: frozenset[str] = frozenset()
    """Columns that the family has, and would take in clear: refused by name."""
    constants: tuple[str, ...] = ()
    words: Mapping[Action, str] = field(default_factory=lambda: {Action.ADD: "add", Action.REMOVE: "remove"})
    """How the family says add and remove: the word in a request's body, the HTTP method, or the action column of a file."""
    body: Callable[[pa.Table, Action, Mapping[str, Any]], Any] | None = None
    """The document of one request, for families whose form is JSON."""

    @property
    def sources(self) -> frozenset[str]:
        """The clear columns that the form can use."""
        return frozenset(part.source for part in self.parts)


@dataclass(frozen=True, slots=True)
class Filled:
    """A filled form: the recipient's table, which row of the input each of its rows is, and what was refused how often."""

    form: Form
    table: pa.Table
    rows: pa.Int64Array
    refused: Mapping[str, int]

    def __repr__(self) -> str:
        return f"Filled({self.form.family}, {self.table.num_rows} rows)"

    def batches(self) -> Iterator[pa.Table]:
        """The table in pieces that the recipient takes in one request."""
        size = self.form.batch or max(1, self.table.num_rows)
        for start in range(0, self.table.num_rows, size):
            yield self.table.slice(start, size)


def fill(form: Form, columns: Mapping[str, pa.StringArray], choice: Choice | None = None) -> Filled:
    """Clear columns (by the names in `Form.sources`, null where absent, of one length) in the family's form."""
    choice = choice or Choice()
    count = _checked(form, columns, choice)
    given = {name: clean(values) for name, values in columns.items()}
    bad: dict[str, Any] = {}
    made: dict[str, pa.StringArray] = {}
    parts = [part for part in form.parts if part.source in columns]
    for part in parts:
        values = part.rule(given[part.source], choice)
        made[part.header] = values
        _note(bad, part.refusal, pc.and_(pc.is_valid(given[part.source]), pc.is_null(values)))
    for headers, refusal in form.together:
        _whole(made, [header for header in headers if header in made], len(headers), bad, refusal)
    found = _any([pc.is_valid(made[part.header]) for part in parts if part.identifies], count)
    _note(bad, NO_IDENTIFIER, pc.invert(found))
    rows = np.flatnonzero(np.asarray(found.to_numpy(zero_copy_only=False), bool))
    kept = {part.header: pc.take(made[part.header], rows) for part in parts}
    hashed = {part.header: digest(choice.digest, kept[part.header]) if part.hashed else kept[part.header] for part in parts}
    hashed |= {name: pa.repeat(pa.scalar(choice.constants[name]), len(rows)) for name in form.constants}
    table = pa.table(hashed) if hashed else pa.table({})
    order = _own_order(table, [part.header for part in parts if part.identifies])
    refused = {code: int(mask.sum()) for code, mask in bad.items() if mask.any()}
    return Filled(form, table.take(order), pa.array(rows[order.to_numpy()], pa.int64()), refused)


def _checked(form: Form, columns: Mapping[str, pa.StringArray], choice: Choice) -> int:
    for name in columns:
        if name in form.clear:
            raise errors.Refused("The recipient would get this column in clear.", code="form_column_in_clear", field=name)
        if name not in form.sources:
            raise errors.Invalid("The recipient's form has no use for this column.", code="form_column_unknown", field=name)
    if choice.digest not in form.digests:
        raise errors.Invalid("The recipient's form knows no such digest.", code="form_digest_unknown", field="digest")
    for name in form.constants:
        if not choice.constants.get(name, "").strip():
            raise errors.Invalid(
                "Every row of this form names its sender and the way out (广告法 43).", code="form_sender_missing", field=name
            )
    lengths = {len(values) for values in columns.values()}
    if len(lengths) != 1:
        raise errors.Invalid("The columns of a form have one length.", code="form_columns_uneven")
    return lengths.pop()


def _note(bad: dict[str, Any], code: str, mask: pa.BooleanArray) -> None:
    """A person counts once under a code, however many columns it concerns."""
    now = np.asarray(mask.to_numpy(zero_copy_only=False), bool)
    bad[code] = bad[code] | now if code in bad else now


def _whole(made: dict[str, pa.StringArray], headers: Sequence[str], wanted: int, bad: dict[str, Any], refusal: str) -> None:
    """Empties a group that is not whole; who had a part of it, and not all, is counted."""
    if not headers:
        return
    present = [pc.is_valid(made[header]) for header in headers]
    every = present[0] if len(headers) == wanted else pa.array(np.zeros(len(present[0]), bool))
    some = present[0]
    for mask in present[1:]:
        every, some = pc.and_(every, mask), pc.or_(some, mask)
    for header in headers:
        made[header] = pc.if_else(every, made[header], pa.scalar(None, pa.string()))
    _note(bad, refusal, pc.and_not(some, every))


def _any(masks: Sequence[pa.BooleanArray], count: int) -> pa.BooleanArray:
    found = pa.array(np.zeros(count, bool))
    for mask in masks:
        found = pc.or_(found, mask)
    return found


def _own_order(table: pa.Table, headers: Sequence[str]) -> pa.Int64Array:
    if not headers:
        return pa.array([], pa.int64())
    return pc.sort_indices(table, sort_keys=[(header, "ascending") for header in headers])
