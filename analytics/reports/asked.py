"""What somebody asks of a report, and the public facts and protocols that every report is answered with.

Promise: forms and protocols only; nothing here reads or computes. A kind's own grammar is checked by `analytics.reports.base`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import pyarrow as pa

    from analytics.lake.reader import View
    from privacy.dictionary.catalogue import Catalogue
    from privacy.records import Release


@dataclass(frozen=True, slots=True)
class Options:
    """What somebody asks for: whole months YYYYMM, groupings, filters such as "channel=pos" or "store_id=S1|S2"."""

    start: int
    end: int
    by: tuple[str, ...] = ()
    where: tuple[str, ...] = ()
    price: int = 0
    """In nano-ρ, one of the kind's prices; 0 is the plan's own."""
    measures: tuple[str, ...] = ()
    """Some of the kind's measures, where it lets them be chosen; none are the plan's own."""


@dataclass(frozen=True, slots=True)
class House:
    """Public facts of this deployment that reports need."""

    dictionary: Catalogue
    zone: str
    currency: str
    most_hidden: float = 0.01
    """The share of a total that a plan's bound may hide (dp_rules P-9): 1 %, small chains 4 %."""
    tables: Mapping[str, pa.Table] = field(default_factory=dict)
    """Tables without people that a report names, while it is asked: exact and free."""


class Opens(Protocol):
    """Opens a view for a question: the lake's reader, or the rows of a close, which opened theirs already."""

    def open(self, purpose: str, months: Sequence[int]) -> AbstractContextManager[View]: ...

    def open_table(self, name: str) -> pa.Table: ...


class Margin(Protocol):
    """The 95 % half width, in a release's own unit, of a sum of `terms` of its values."""

    def __call__(self, release: Release, *, terms: int = 1) -> int: ...
