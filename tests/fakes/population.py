"""People who allow a purpose, with virtual IDs and run IDs that a test can name. Honours the protocols of `privacy.records`."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

import pyarrow as pa


def virtual_id(person: str, month: int) -> int:
    """63 bits that stand for a person in one month: another in the next one."""
    return int.from_bytes(hashlib.sha256(f"{person}/{month}".encode()).digest()[:8]) >> 1


@dataclass
class FakePopulation:
    """`merged` maps a person to the one they were merged into: both persons' virtual IDs lead to one run ID."""

    purpose: str
    allowed: Collection[str]
    merged: dict[str, str] = field(default_factory=dict)
    policy: str = "test"

    def bridge(self, months: Sequence[int]) -> pa.Table:
        rows = [(month, virtual_id(person, month), self._run(person)) for month in months for person in self.allowed]
        return pa.table(
            {
                "month": pa.array([row[0] for row in rows], pa.int32()),
                "virtual_id": pa.array([row[1] for row in rows], pa.int64()),
                "run_id": pa.array([row[2] for row in rows], pa.int64()),
            }
        )

    def _run(self, person: str) -> int:
        return virtual_id(self.merged.get(person, person), 0)


@dataclass
class FakePopulations:
    """Opens the population of a purpose as it is at that moment; a test withdraws people from `allowed`."""

    allowed: dict[str, set[str]]
    merged: dict[str, str] = field(default_factory=dict)

    def __call__(self, purpose: str) -> FakePopulation:
        return FakePopulation(purpose, frozenset(self.allowed.get(purpose, ())), self.merged)
