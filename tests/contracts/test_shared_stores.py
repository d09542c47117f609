"""The databases that tests share: what one test leaves behind, the next one never sees."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from app.stores import Stores
from privacy.consent import ledger
from tests.stores import SharedStores


@pytest.fixture
def shared(postgres_server: str) -> SharedStores:
    return SharedStores(postgres_server)


def addresses(stores: Stores) -> tuple[str, str]:
    return stores.vault.url, stores.platform().url


def leave(stores: Stores) -> None:
    with stores.begin_platform() as tx:
        tx.execute(sa.insert(ledger.ConsentHeadRow).values(id=1, seq=7))


def left(stores: Stores) -> int:
    with stores.begin_platform() as tx:
        return int(tx.execute(sa.select(sa.func.count()).select_from(ledger.ConsentHeadRow)).scalar_one())


def test_the_next_test_finds_the_same_databases_empty(shared: SharedStores) -> None:
    with shared.opened() as stores:
        first = addresses(stores)
        leave(stores)
    with shared.opened() as stores:
        assert (addresses(stores), left(stores)) == (first, 0)
    shared.close()


def test_a_changed_schema_or_a_transaction_left_open_costs_the_pair(shared: SharedStores) -> None:
    with shared.opened() as stores:
        first = addresses(stores)
        with stores.begin_platform() as tx:
            tx.exec_driver_sql("ALTER TABLE consent_head ADD COLUMN more integer")
    with shared.opened() as stores:
        second = addresses(stores)
        leave(stores)
    engine = sa.create_engine(second[1])
    open_ = engine.connect()
    open_.execute(sa.select(ledger.ConsentHeadRow)).all()
    with shared.opened() as stores:
        assert left(stores) == 0
        assert len({first, second, addresses(stores)}) == 3
    open_.invalidate()
    engine.dispose()
    shared.close()
