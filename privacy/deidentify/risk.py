"""How likely somebody is found in a table, by whom, and which level of GB/T 42460 that makes it.

Promise: pure; everything is counted by persons (P-05, attack 56) and suppressed rows are nobody's class. Three attackers, after El Emam (Guide to
the De-Identification of Personal Health Information, 2013, ch. 16) and as ARX names them:
- the prosecutor knows that a person is in the table: 1 / people of their class;
- the journalist does not, and looks in the population: 1 / people of the same group there; without a table of the population nothing
  smaller than the prosecutor's risk may be claimed, so that one stands;
- the marketer wants as many as possible right: the mean over all people.
A person with rows in several classes is as exposed as in their smallest one.

Levels (GB/T 42460-2023, told from secondary sources): 1 direct identifiers are there; 2 they are gone, quasi-identifiers can still find people;
3 they are gone and the risk is acceptable; 4 there are only aggregates. "Acceptable" is `Threshold`, chosen by the officer and printed on the
manifest. Level 3 also wants diversity where a column is sensitive: a class of fifty with one value hides nothing (attack 57).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from privacy.deidentify import diversity
from privacy.deidentify.classes import Classes, Codes, classes, dense, histogram

STANDARD: Final = "GB/T 42460-2023"

Risks = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Threshold:
    """What is acceptable: the greatest risk of one person, the mean risk, and what classes have to leave open about a sensitive column."""

    highest: float = 0.05
    """One in twenty, the customary bound for what leaves the house without further control; k = 20."""
    average: float = 0.05
    distinct: int = 2
    closeness: float = 0.3


@dataclass(frozen=True, slots=True)
class Attacker:
    """One attacker's chances: with the most exposed person, on average, and the share of people above the threshold."""

    highest: float
    average: float
    at_risk: float


@dataclass(frozen=True, slots=True)
class Diversity:
    """What the classes leave open about one sensitive column, in the worst class."""

    distinct: int
    entropy: float
    closeness: float


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The record that goes with a table (P-05). `as_facts` is what a manifest prints."""

    quasi_identifiers: tuple[str, ...]
    persons: int
    rows: int
    suppressed: int
    classes: int
    k: int
    average_class: float
    unique: float
    prosecutor: Attacker
    journalist: Attacker
    marketer: float
    population: bool
    diversity: Mapping[str, Diversity]
    threshold: Threshold
    level: int
    standard: str = field(default=STANDARD)

    def as_facts(self) -> dict[str, Any]:
        """Numbers and names of columns, no value of anybody."""
        return asdict(self)


def evaluate(
    quasi: Mapping[str, Codes],
    *,
    persons: Codes | None = None,
    kept: npt.NDArray[np.bool_] | None = None,
    sensitive: Mapping[str, tuple[Codes, bool]] | None = None,
    population: Mapping[str, Codes] | None = None,
    threshold: Threshold | None = None,
    direct_identifiers: bool = False,
) -> Evaluation:
    """The risks of a table of coded columns. `kept` tells which rows leave; `sensitive` names column → (codes, ordered), over all rows,
    because what a class gives away is measured against everybody; `population` has the quasi-identifiers of all people it was drawn from,
    in the same codes, a row a person.
    """
    threshold = threshold or Threshold()
    length = len(next(iter(quasi.values())))
    kept = np.ones(length, bool) if kept is None else kept
    people = None if persons is None else dense(persons)[0]
    left = None if people is None else people[kept]
    columns = [column[kept] for column in quasi.values()]
    found = classes(columns, left, int(kept.sum()))
    prosecutor = _worst(1 / np.maximum(1, found.persons[found.of]), left)
    journalist = prosecutor
    if population is not None:
        journalist = _worst(1 / _outside(columns, found, [population[name] for name in quasi]), left)
    open_ = {name: _diversity(found, values[kept], left, values, people, ordered) for name, (values, ordered) in (sensitive or {}).items()}
    attackers = [_attacker(risks, threshold) for risks in (prosecutor, journalist)]
    return Evaluation(
        quasi_identifiers=tuple(quasi),
        persons=len(prosecutor),
        rows=int(kept.sum()),
        suppressed=length - int(kept.sum()),
        classes=found.count,
        k=found.k,
        average_class=len(prosecutor) / found.count if found.count else 0.0,
        unique=float((prosecutor >= 1).mean()) if len(prosecutor) else 0.0,
        prosecutor=attackers[0],
        journalist=attackers[1],
        marketer=attackers[1].average,
        population=population is not None,
        diversity=open_,
        threshold=threshold,
        level=level(attackers, open_, threshold, direct_identifiers=direct_identifiers),
    )


def level(attackers: Sequence[Attacker], diversities: Mapping[str, Diversity], threshold: Threshold, *, direct_identifiers: bool) -> int:
    """1 with direct identifiers, 3 where every attacker stays under the threshold and every sensitive column stays open, else 2.

    Level 4 is never computed here: a table with a row a person is no aggregate; releases have it.
    """
    if direct_identifiers:
        return 1
    exposed = any(one.highest > threshold.highest + 1e-12 or one.average > threshold.average + 1e-12 for one in attackers)
    told = any(one.distinct < threshold.distinct or one.closeness > threshold.closeness + 1e-12 for one in diversities.values())
    return 2 if exposed or told else 3


def _worst(risks: Risks, persons: Codes | None) -> Risks:
    """One risk a person: that of their most exposed row."""
    if persons is None:
        return risks
    codes, count = dense(persons)
    worst = np.zeros(count)
    np.maximum.at(worst, codes, risks)
    return worst


def _outside(columns: Sequence[Codes], found: Classes, population: Sequence[Codes]) -> Risks:
    """For each row the people of the population who look like it; never fewer than the table itself has."""
    together = [np.concatenate((inside, outside)) for inside, outside in zip(columns, population, strict=True)]
    rows = len(found.of)
    everybody = classes(together, None, len(together[0])).of
    outside = np.bincount(everybody[rows:], minlength=int(everybody.max()) + 1)[everybody[:rows]]
    most: Risks = np.maximum(np.maximum(outside, found.persons[found.of]), 1).astype(np.float64)
    return most


def _attacker(risks: Risks, threshold: Threshold) -> Attacker:
    if not len(risks):
        return Attacker(0.0, 0.0, 0.0)
    return Attacker(float(risks.max()), float(risks.mean()), float((risks > threshold.highest + 1e-12).mean()))


def _diversity(found: Classes, values: Codes, left: Codes | None, all_values: Codes, people: Codes | None, ordered: bool) -> Diversity:
    most = int(all_values.max()) + 1 if len(all_values) else 1
    if not found.count:
        return Diversity(0, 0.0, 0.0)
    counts = histogram(found.of, found.count, values, most, left)
    whole = histogram(np.zeros(len(all_values), np.int64), 1, all_values, most, people)[0]
    return Diversity(
        int(diversity.distinct(counts, found.persons).min()),
        float(diversity.entropy(counts, found.persons).min()),
        float(diversity.distance(counts, whole, ordered=ordered).max()),
    )
