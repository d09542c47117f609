"""An integrator reads exact numbers of own sources only."""

from __future__ import annotations

import pytest

from app import ownership
from app.access import Caller
from app.stores import Stores
from privacy.errors import NotFound

ANN = Caller("usr_ann", "integrator", frozenset(), "tok_1")
BEN = Caller("usr_ben", "integrator", frozenset(), "tok_2")
EVE = Caller("usr_eve", "officer", frozenset(), "tok_3")


def test_a_source_is_its_integrators_and_the_officers(stores: Stores) -> None:
    with stores.begin_platform() as tx:
        ownership.take(tx, "src_ann", ANN.account_id)
        ownership.take(tx, "src_house", "cli")
        for caller in (ANN, EVE, None):
            ownership.check(tx, "src_ann", caller)
        for caller in (ANN, BEN, EVE):
            ownership.check(tx, "src_house", caller)
        with pytest.raises(NotFound) as refused:
            ownership.check(tx, "src_ann", BEN)
        assert refused.value.code == "source_not_found"
        assert ownership.hidden(tx, BEN) == {"src_ann"}
        assert ownership.hidden(tx, ANN) == frozenset()
