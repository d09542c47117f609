"""How very many people stand about some purposes, in columns: for decisions about whole lists.

Promise: the same answer as `ledger.timelines`, person by person: nearly everybody has one single grant, which is read into columns as it stands;
whoever has anything else, or others merged into them, is folded as ever. Reads what the caller's transaction sees. It must never learn an
identifier or a person's ID.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import sqlalchemy as sa

from privacy.consent import gate, ledger
from privacy.consent.gate import Lines, Timeline

_STATE: Any = ledger.ConsentStateRow.__table__
_AT_ONCE = 20_000


def lines(
    tx: sa.Connection, handles: Sequence[bytes], purposes: Iterable[str], *, aliases: Mapping[bytes, Sequence[bytes]] | None = None
) -> dict[str, Lines]:
    """By purpose the timelines of people in the order of their handles, each of which is given once; `aliases` as `ledger.timelines` takes them."""
    wanted = sorted(set(purposes))
    places = {handle: place for place, handle in enumerate(handles)}
    others = {handle: merged for handle, merged in (aliases or {}).items() if handle in places and merged}
    rest = set(others)
    single: dict[str, tuple[list[int], list[int], list[int]]] = {purpose: ([], [], []) for purpose in wanted}
    for handle, purpose, allowed, since, expires, plain in _standings(tx, sorted(places.keys() - rest), wanted):
        if plain and allowed and (expires is None or expires > since):
            spots, begun, ended = single[purpose]
            spots.append(places[handle])
            begun.append(since)
            ended.append(gate.FOR_EVER if expires is None else expires)
        else:
            rest.add(handle)
    found = {purpose: gate.nothing(len(places)) for purpose in wanted}
    for purpose, (spots, begun, ended) in single.items():
        found[purpose].said[spots], found[purpose].since[spots], found[purpose].until[spots] = 1, begun, ended
    more: dict[str, dict[int, Timeline]] = {purpose: {} for purpose in wanted}
    told = ledger.timelines(tx, sorted(rest), wanted, aliases=others) if rest else {}
    for handle, timelines in told.items():
        for purpose, timeline in timelines.items():
            gate.put(found[purpose], more[purpose], places[handle], timeline)
    return {purpose: found[purpose]._replace(more=more[purpose]) for purpose in wanted}


def allowed(of: Lines, now: int, later: int, since: int | None = None) -> npt.NDArray[np.bool_]:
    """Who allows at both of two instants, by a consent that holds since another or later."""
    size = len(of.said)
    allows = gate.decide_lines(of, np.arange(size), np.full(size, later, np.int64), now).allowed
    if since is None:
        return allows
    begun = of.since.copy()
    for place, timeline in of.more.items():
        begun[place] = gate.standing(timeline).since
    return np.asarray(allows & (begun >= since))


def _standings(tx: sa.Connection, handles: Sequence[bytes], purposes: Sequence[str]) -> Iterator[tuple[Any, ...]]:
    """Where they stand, as the driver tells it and a part at a time: rows of the library's own take longer to make than to read."""
    if not handles:
        return
    columns = (_STATE.c.handle, _STATE.c.purpose, _STATE.c.allowed, _STATE.c.since, _STATE.c.expires, _STATE.c.plain)
    asked = _STATE.c.purpose.in_(purposes) & _STATE.c.handle.in_(ledger.given(tx, handles))
    found = tx.execute(sa.select(*columns).where(asked))
    while part := found.cursor.fetchmany(_AT_ONCE):
        yield from part
