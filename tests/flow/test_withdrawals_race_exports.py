"""People say no while lists are released and taken: nobody is in a list whose no was acknowledged before (attack 26).

What is compared are positions in the access log: it has one head, which a transaction holds from its entry to its commit, so that the order of
entries is the order of commits. Beside it the clock on the wall: who was told "recorded" before somebody asked for a list is not in it.
"""

from __future__ import annotations

import os
import random
import threading
import time
from collections.abc import Mapping
from typing import Any

import pytest

from privacy.errors import Raced, Unavailable
from privacy.export import files
from tests.fakes.paperwork import BOB
from tests.gatehouse import Scene
from tests.house import House

LONG = bool(os.environ.get("LONG_TESTS"))
WITHDRAWALS, EXPORTS = (10_000, 150) if LONG else (200, 6)
PHONES = [f"+86151{number:08d}" for number in range(WITHDRAWALS + 200)]
SAYING, RELEASING = 3, 2
ROUNDS = EXPORTS // RELEASING


class Race:
    """Threads that say no, and threads that release and take."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.together = threading.Barrier(SAYING + RELEASING, timeout=600)
        """Each round begins for everybody at once, so that each list has its own noes beside it."""
        self.told: dict[str, float] = {}
        self.taken: list[tuple[float, set[str]]] = []
        self.released: list[tuple[str, float]] = []
        self.faults: list[BaseException] = []

    def say_no(self, phones: list[str], purposes: list[str]) -> None:
        """One act after the other; each is acknowledged when the call returns."""
        share = -(-len(phones) // ROUNDS)
        for number, phone in enumerate(phones):
            if number % share == 0:
                self.together.wait()
            patiently(lambda phone=phone, purpose=purposes[number % len(purposes)]: self.scene.allow([phone], [purpose], "withdrawn"))
            self.told[phone] = time.perf_counter()

    def release(self, count: int) -> None:
        """One list after the other, each taken at once."""
        for _ in range(count):
            self.together.wait()
            id_ = patiently(lambda: self.scene.approved(segment="same"))
            began = time.perf_counter()
            patiently(lambda id_=id_: self.scene.door.release(id_, actor=BOB))
            self.released.append((id_, began))
            began = time.perf_counter()
            self.taken.append((began, patiently(lambda id_=id_: self.scene.phones(id_))))

    def run(self) -> None:
        """Everybody at once."""
        noes = random.Random(7).sample(PHONES, WITHDRAWALS)
        purposes = [*self.scene.share, "marketing.profiling", "marketing.channel.sms"]
        work: list[tuple[Any, tuple[Any, ...]]] = [(self.say_no, (noes[number::SAYING], purposes)) for number in range(SAYING)]
        work += [(self.release, (ROUNDS,)) for _ in range(RELEASING)]
        threads = [threading.Thread(target=self._safely, args=(act, given)) for act, given in work]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _safely(self, act: Any, given: tuple[Any, ...]) -> None:
        try:
            act(*given)
        except BaseException as fault:  # shown by the test, in its own thread
            self.faults.append(fault)
            self.together.abort()


def patiently(act: Any) -> Any:
    """Asks again where the program says that it is busy, as a client does."""
    for _ in range(200):
        try:
            return act()
        except (Unavailable, Raced):
            time.sleep(0.02)
    return act()


@pytest.fixture
def scene(house: House) -> Scene:
    made = Scene(house, phones=PHONES)
    made.door = made.gate(cap=None)
    made.segments["same"] = PHONES
    ids = made.people(PHONES)
    made.people = lambda phones: ids  # type: ignore[method-assign]
    return made


@pytest.mark.slow
def test_nobody_is_in_a_list_whose_no_was_acknowledged_before_it(scene: Scene) -> None:
    """On both databases; with LONG_TESTS 10,000 people who say no against 150 lists."""
    race = Race(scene)
    race.run()
    assert [repr(one) for one in race.faults] == []
    assert len(race.told) == WITHDRAWALS
    assert len(race.released) == EXPORTS
    said, lists = noes(scene), released(scene)
    assert len(said) == WITHDRAWALS
    late = [1 for entry, members in lists.values() for one in members if one in said and said[one] < entry]
    assert late == []
    for began, phones in race.taken:
        assert not [phone for phone in phones if race.told.get(phone, began) < began]
    assert any(min(race.told.values()) < began < max(race.told.values()) for began, _ in race.taken), "nobody raced"


def noes(scene: Scene) -> Mapping[bytes, int]:
    """Handle → the log's position of its no."""
    with scene.services.read_console() as tx:
        rows = tx.exec_driver_sql("SELECT handle, entry FROM consent_event WHERE state = 'withdrawn'").fetchall()
    return {bytes(handle): int(entry) for handle, entry in rows}


def released(scene: Scene) -> Mapping[str, tuple[int, set[bytes]]]:
    """Export → the log's position of its newest file, and who is in it."""
    found: dict[str, tuple[int, set[bytes]]] = {}
    with scene.services.read_console() as tx:
        members: dict[str, set[bytes]] = {}
        for export, handle in tx.exec_driver_sql("SELECT export, handle FROM export_person WHERE until IS NULL").fetchall():
            members.setdefault(export, set()).add(bytes(handle))
        for export in members:
            known = files.newest(tx, export)
            assert known is not None
            found[export] = (int(known[1]["log_entry"]), members[export])
    return found
