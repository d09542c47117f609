"""Flags as a batch meets them: restriction refuses, objection closes one purpose, a family is one."""

from __future__ import annotations

from datetime import datetime

import numpy as np

from app.stores import Stores
from privacy.admission import flagged
from privacy.consent import flags, gate
from privacy.orm import PlatformBase
from privacy.vocabulary import PROFILING, STATISTICS, Flag, Reason

ANNA, BEN, EVE = b"a" * 16, b"b" * 16, b"e" * 16


def test_what_stands_against_one_of_a_family_holds_for_all_of_it(sqlite: Stores, now: datetime) -> None:
    with sqlite.begin_platform() as tx:
        PlatformBase.metadata.create_all(tx)
        before = flagged.of(tx, [ANNA, BEN], {ANNA: [EVE]})
        assert (before.head, before.restricted.any(), before.objected.any()) == (0, False, False)
        flags.set_(tx, EVE, Flag.RESTRICTED, request="SR-BCDFG-HJKLM", by="usr_a", now=now)
        flags.set_(tx, BEN, Flag.OBJECTED, request="SR-BCDFG-HJKLM", by="usr_a", now=now)
        found = flagged.of(tx, [ANNA, BEN], {ANNA: [EVE]})
        assert (found.restricted.tolist(), found.objected.tolist()) == ([True, False], [False, True])
        assert flagged.raced(tx, before.head, [ANNA, BEN])
        assert not flagged.raced(tx, found.head, [ANNA, BEN, EVE])
    refused = np.array([None, "erased", None, None], dtype=object)
    flagged.refuse(found, np.array([0, 0, 1, -1]), refused)
    assert refused.tolist() == [Reason.RESTRICTED.value, "erased", None, None]
    yes = gate.Decisions(np.array([True, True]), np.array(["", ""], dtype=object))
    closed = flagged.close(found, np.array([0, 1]), {PROFILING: yes, STATISTICS: yes})
    assert closed[PROFILING].allowed.tolist() == [True, False]
    assert closed[PROFILING].reasons.tolist() == ["", Reason.OBJECTED.value]
    assert closed[STATISTICS].allowed.tolist() == [True, True]
