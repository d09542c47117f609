"""Which acts of a batch tell something: a source's word that changes nothing is not kept.

Promise: pure; a person's own act always tells, and leaving a word out never changes what the fold says. It must never learn who anybody is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from privacy.consent import gate
from privacy.vocabulary import ConsentKind

if TYPE_CHECKING:
    from privacy.consent.ledger import ConsentAct


def telling(acts: Sequence[ConsentAct], states: Mapping[tuple[bytes, str], Any]) -> list[ConsentAct]:
    """Leaves out a source's words that tell nothing.

    An asserted grant is silent for ever where something was said before it (gate, rule 3). Of a person's asserted noes in one batch the
    first and the last are kept: a grant that arrives late and is older than the last still finds it in its way.
    """
    if all(act.kind == ConsentKind.EXPLICIT for act in acts):
        return list(acts)
    ordered = sorted(acts, key=lambda act: min(act.at, act.received))
    granted = {(act.handle, act.purpose) for act in ordered if gate.is_grant(act.state)}
    last_no = {(act.handle, act.purpose): index for index, act in enumerate(ordered) if not gate.is_grant(act.state)}
    kept: list[ConsentAct] = []
    heard: dict[tuple[bytes, str], int] = {}
    for index, act in enumerate(ordered):
        pair, start = (act.handle, act.purpose), min(act.at, act.received)
        before = heard.setdefault(pair, start)
        if act.kind == ConsentKind.ASSERTED:
            state = states.get(pair)
            if gate.is_grant(act.state):
                if before < start or (state is not None and state.first < start):
                    continue
            elif before < start and pair not in granted and last_no[pair] != index:
                continue
        kept.append(act)
    return kept
