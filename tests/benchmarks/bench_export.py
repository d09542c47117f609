"""One list of many people from the request to the sealed file: seconds, processor seconds, and the peak memory of the process.

`BENCH_EXPORT` sets the people (default 1,000,000). What is measured is the gate alone: the audience is told, as the tests tell it. Filling the
stores (vault and ledger themselves, without the checks of a request) takes longer than the list and is not counted.
"""

from __future__ import annotations

import os
import resource
import secrets
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from privacy.consent import ledger
from privacy.consent.ledger import ConsentAct
from privacy.identity import contacts, pseudonyms, vault
from privacy.orm import to_micros
from privacy.vocabulary import LogKind
from tests import gatehouse, house
from tests.fakes.paperwork import ADA, BOB


class Crowd(gatehouse.Scene):
    """A scene whose people say yes in large batches."""

    def allow(self, phones: Sequence[str], purposes: Sequence[str], state: str = "granted") -> None:
        if state != "granted":
            super().allow(phones, purposes, state)
            return
        services, now = self.services, self.services.clock()
        with services.stores.begin_vault() as tx:
            found = vault.resolve(tx, self.ring, {"phone": pa.array(phones)}, may_link_strong=True, random=secrets.token_bytes)
            everyone = pa.array([True] * len(phones))
            vault.store(tx, self.ring, found, everyone, batch_id=secrets.token_bytes(16), now=now, random=secrets.token_bytes)
        joined = pseudonyms.handles(found.people, self.ring.block_cipher(pseudonyms.CONSENT_HANDLE))
        handles = [joined[start : start + 16] for start in range(0, len(joined), 16)]
        said = to_micros(now)
        acts = [ConsentAct(one, purpose, state, "explicit", said, said) for one in handles for purpose in purposes]
        with services.begin_console() as tx:
            entry = services.log(tx, LogKind.CONSENT, "consent.record", actor="bench", facts={})
            ledger.append(tx, acts, entry=entry)


def main() -> None:
    """Fills a home, asks for everybody, and prints what each step took."""
    people = int(os.environ.get("BENCH_EXPORT", "1000000"))
    phones = [f"+8613{number:09d}" for number in range(people)]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        house.make_home(folder / "empty", {}, house.Clock())
        with gatehouse.shop(folder / "empty", folder / "home") as made:
            scene = timed("filling the stores (not the list)", people, lambda: Crowd(made, phones=phones))
            with made.services.stores.read_vault() as tx:
                ids = contacts.everybody(tx)
            scene.people = lambda phones: ids  # type: ignore[method-assign]
            id_ = str(scene.door.request(scene.wish(), actor=ADA)["id"])
            scene.door.approve(id_, actor=BOB)
            timed("release", people, lambda: scene.door.release(id_, actor=BOB))
            pieces = timed("first download", people, lambda: list(scene.door.take(id_, actor=BOB)[1]))
            scene.allow(phones[:100], scene.share, "withdrawn")
            timed("second download, a hundred people fewer", people, lambda: list(scene.door.take(id_, actor=BOB)[1]))
            print(f"sealed file: {sum(map(len, pieces)) / 2**20:.1f} MiB", flush=True)


def timed(what: str, people: int, act: Callable[[], Any]) -> Any:
    """What an act gave; prints how long it took."""
    started, worked = time.perf_counter(), time.process_time()
    told = act()
    seconds, processor = time.perf_counter() - started, time.process_time() - worked
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{what}: {people:,} people, {seconds:.1f} s, {processor:.1f} s of processor, {people / seconds:,.0f} people/s, {peak:,.0f} MiB at most",
        flush=True,
    )
    return told


if __name__ == "__main__":
    main()
