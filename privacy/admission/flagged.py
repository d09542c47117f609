"""What stands against the use of a person's data, as a batch meets it: restriction refuses the row, objection closes one purpose to it.

Promise: pure but for the one look into the register of flags; what holds for one of a family holds for all of it. A flag that was set after
the batch was decided is seen when it settles. It must never learn what the rows say.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from privacy.consent import flags, gate
from privacy.vocabulary import PROFILING, Flag, Reason

if TYPE_CHECKING:
    import sqlalchemy as sa

Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Flagged:
    """For each person of a batch whether a flag stands, and the register's position when it was asked."""

    head: int
    restricted: Bools
    objected: Bools


def of(tx: sa.Connection, people: Sequence[bytes], aliases: Mapping[bytes, Sequence[bytes]]) -> Flagged:
    """The flags of people, given by their consent handles; `aliases` names the others of a family."""
    head = flags.head(tx)
    found = flags.among(tx, [*people, *(other for others in aliases.values() for other in others)]) if head else {}

    def holds(flag: Flag) -> Bools:
        mine = {handle for handle, said in found.items() if flag in said}
        if not mine:
            return np.zeros(len(people), np.bool_)
        return np.fromiter((not mine.isdisjoint((one, *aliases.get(one, ()))) for one in people), np.bool_, len(people))

    return Flagged(head, holds(Flag.RESTRICTED), holds(Flag.OBJECTED))


def refuse(found: Flagged, index: npt.NDArray[np.int64], refused: npt.NDArray[np.object_]) -> None:
    """Refuses the rows of restricted people, `index` being each row's place among the people (-1: nobody). An earlier reason stays."""
    if found.restricted.any():
        rows = (index >= 0) & found.restricted[np.maximum(index, 0)]
        unset = np.fromiter((one is None for one in refused), np.bool_, len(refused))
        refused[rows & unset] = Reason.RESTRICTED.value


def close(found: Flagged, person: npt.NDArray[np.integer], allowed: Mapping[str, gate.Decisions]) -> dict[str, gate.Decisions]:
    """The decisions with the purpose of automated decisions closed to whoever objects to them."""
    if not found.objected.any() or PROFILING not in allowed:
        return dict(allowed)
    closed = found.objected[person]
    said = allowed[PROFILING]
    reasons = said.reasons.copy()
    reasons[closed] = Reason.OBJECTED.value
    return {**allowed, PROFILING: gate.Decisions(said.allowed & ~closed, reasons)}


def raced(tx: sa.Connection, found: int, handles: Sequence[bytes]) -> bool:
    """Whether a flag was set since against one of these people."""
    return bool(flags.among(tx, handles, after=found))
