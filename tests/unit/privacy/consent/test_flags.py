"""Flags: they stand from their commit on, are lifted as rows, and are asked for by handle."""

from __future__ import annotations

from datetime import datetime

from app.stores import Stores
from privacy.consent import flags
from privacy.orm import PlatformBase
from privacy.vocabulary import PROFILING, STATISTICS, Flag

ANNA, BEN = b"a" * 16, b"b" * 16


def test_a_flag_is_set_once_found_by_handle_and_lifted_as_a_row(stores: Stores, now: datetime) -> None:
    with stores.begin_platform() as tx:
        PlatformBase.metadata.create_all(tx)
        assert flags.among(tx, [ANNA]) == {}
        assert flags.set_(tx, ANNA, Flag.RESTRICTED, request="SR-BCDFG-HJKLM", by="usr_a", now=now)
        assert not flags.set_(tx, ANNA, Flag.RESTRICTED, request="SR-BCDFG-HJKLM", by="usr_a", now=now)
        first = flags.head(tx)
        flags.set_(tx, BEN, Flag.OBJECTED, request="SR-BCDFG-HJKLM", by="usr_a", now=now)
        assert flags.among(tx, [ANNA, BEN]) == {ANNA: {Flag.RESTRICTED}, BEN: {Flag.OBJECTED}}
        assert flags.among(tx, [ANNA, BEN], after=first) == {BEN: {Flag.OBJECTED}}
        assert sorted(flags.everybody(tx, flags.against(PROFILING))) == [ANNA, BEN]
        assert flags.everybody(tx, flags.against(STATISTICS)) == [ANNA]
        assert flags.lift(tx, [ANNA], Flag.RESTRICTED, by="usr_b", now=now) == 1
        assert flags.among(tx, [ANNA]) == {}
        assert [row["lifted_by"] for row in flags.history(tx, [ANNA])] == ["usr_b"]
