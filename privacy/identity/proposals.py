"""Proposals that two people may be one: what a probabilistic match found, until an officer decides.

Promise: a proposal merges nobody. It says which two people of the vault, how strongly, and on which fields the records agreed, by words
that name a field and a degree and never a value. A pair that was refused is not proposed again; one that is the same person already, or
kept apart, is not either.
Must never learn: a name, an address, a birth date; the match has them in memory only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from privacy import errors
from privacy.identity import merging
from privacy.orm import BigId, Instant, VaultBase


class ProposalState(StrEnum):
    PROPOSED = "proposed"
    ACCEPTED = "accepted"
    REFUSED = "refused"


class Proposal(VaultBase):
    """Two people, the weight of the match in thousandths of a bit, and how each field agreed."""

    __tablename__ = "merge_proposal"
    __table_args__ = (sa.UniqueConstraint("first", "second"),)

    seq: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    first: Mapped[bytes] = mapped_column(sa.LargeBinary(16))
    second: Mapped[bytes] = mapped_column(sa.LargeBinary(16))
    weight_milli: Mapped[int] = mapped_column(sa.Integer)
    reasons: Mapped[dict[str, str]] = mapped_column(sa.JSON)
    state: Mapped[str] = mapped_column(sa.String(16), index=True)
    source: Mapped[str] = mapped_column(sa.String(40))
    at: Mapped[datetime] = mapped_column(Instant)
    decided_by: Mapped[str | None] = mapped_column(sa.String(80))
    decided_at: Mapped[datetime | None] = mapped_column(Instant)


@dataclass(frozen=True, slots=True)
class Candidate:
    """Two people whose records look alike."""

    first: bytes
    second: bytes
    weight_milli: int
    reasons: Mapping[str, str]


def propose(tx: sa.Connection, candidates: Sequence[Candidate], *, source: str, now: datetime) -> int:
    """Notes those pairs that are two people, not kept apart and not decided before; returns how many are new."""
    made = 0
    best: dict[tuple[bytes, bytes], Candidate] = {}
    for one in sorted(candidates, key=lambda one: one.weight_milli):
        heads = [family[0].id for family in (merging.family_of(tx, one.first), merging.family_of(tx, one.second)) if family]
        if len(heads) == 2 and heads[0] != heads[1]:
            best[min(heads), max(heads)] = one
    for (first, second), one in best.items():
        family = [member.id for each in (first, second) for member in merging.family_of(tx, each)]
        sides = {member.id for member in merging.family_of(tx, first)}
        if any((left in sides) != (right in sides) for left, right in merging.kept_apart(tx, family)):
            continue
        there = tx.execute(sa.select(Proposal.seq).where(Proposal.first.in_(family), Proposal.second.in_(family))).first()
        if there is not None:
            continue
        row = {"first": first, "second": second, "weight_milli": one.weight_milli, "reasons": dict(one.reasons)}
        tx.execute(sa.insert(Proposal), [{**row, "state": ProposalState.PROPOSED.value, "source": source, "at": now}])
        made += 1
    return made


def waiting(tx: sa.Connection, *, limit: int = 100) -> list[Any]:
    """Proposals that nobody decided, the strongest first."""
    told = sa.select(Proposal.__table__).where(Proposal.state == ProposalState.PROPOSED.value)
    return list(tx.execute(told.order_by(Proposal.weight_milli.desc(), Proposal.seq).limit(limit)))


def one(tx: sa.Connection, seq: int) -> Any:
    """A proposal that waits; raises NotFound."""
    found = tx.execute(sa.select(Proposal.__table__).where(Proposal.seq == seq, Proposal.state == ProposalState.PROPOSED.value)).first()
    if found is None:
        raise errors.NotFound("there is no such proposal, or it was decided", code="proposal_unknown", field="proposal")
    return found


def decide(tx: sa.Connection, seq: int, state: ProposalState, *, by: str, now: datetime) -> None:
    """Ends a proposal; raises NotFound where somebody decided it meanwhile."""
    told = sa.update(Proposal).where(Proposal.seq == seq, Proposal.state == ProposalState.PROPOSED.value)
    if tx.execute(told.values(state=state.value, decided_by=by, decided_at=now)).rowcount != 1:
        raise errors.NotFound("there is no such proposal, or it was decided", code="proposal_unknown", field="proposal")
