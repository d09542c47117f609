"""Tests of `migrations.grants`: what is not listed is denied, on a live server, to the account that tries it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from app.stores import Store, Stores
from migrations import grants, run
from privacy import errors
from privacy.orm import PlatformBase, VaultBase
from tests.stores import every_table, postgres_stores

VERBS = ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER")
EVIDENCE = ("dossier", "agreement", "consent_event", "notice", "log_entry", "log_node", "checkpoint", "charge")


@pytest.fixture(scope="module")
def deployed(postgres_server: str) -> Iterator[Stores]:
    """Both stores on PostgreSQL at their newest revision, with the grants applied."""
    every_table()
    with postgres_stores(postgres_server) as stores:
        for name, store in (("vault", stores.vault), ("platform", stores.platform())):
            with store.begin() as tx:
                run.upgrade(tx, "vault" if name == "vault" else "platform")
                grants.apply(tx, "vault" if name == "vault" else "platform")
        yield stores


def as_role(store: Store, role: str) -> sa.Engine:
    return sa.create_engine(sa.make_url(store.url).set(username=role), poolclass=sa.NullPool)


def live_tables(store: Store) -> list[str]:
    with store.read() as tx:
        return sa.inspect(tx).get_table_names()


def live_grants(store: Store, role: str) -> dict[str, set[str]]:
    """What the catalogue says that a role may do, by any way: directly, by membership or as public."""
    asked = sa.text(
        "SELECT relname, verb FROM pg_class, unnest(CAST(:verbs AS text[])) verb "
        "WHERE relkind IN ('r', 'p', 'v', 'm') AND relnamespace = 'public'::regnamespace AND has_table_privilege(:role, pg_class.oid, verb)"
    )
    found: dict[str, set[str]] = {}
    with store.read() as tx:
        for table, verb in tx.execute(asked, {"verbs": list(VERBS), "role": role}):
            found.setdefault(table, set()).add(verb)
    return found


def test_the_analysis_account_is_denied_every_vault_table_of_the_live_catalogue(deployed: Stores) -> None:
    """It may not even connect to the vault; were it let in, no table would answer."""
    with pytest.raises(sa.exc.OperationalError, match="permission denied for database"):
        as_role(deployed.vault, grants.ANALYSIS).connect()
    names = live_tables(deployed.vault)
    assert {"person", "identifier", "data_key", "ephemeral_key"} <= set(names)
    assert live_grants(deployed.vault, grants.ANALYSIS) == {}
    with deployed.vault.begin() as tx:
        tx.exec_driver_sql(f"GRANT CONNECT ON DATABASE {sa.make_url(deployed.vault.url).database} TO {grants.ANALYSIS}")
    try:
        for name in names:
            with (
                as_role(deployed.vault, grants.ANALYSIS).connect() as connection,
                pytest.raises(sa.exc.ProgrammingError, match="permission denied"),
            ):
                connection.exec_driver_sql(f'SELECT * FROM public."{name}"')
    finally:
        with deployed.vault.begin() as tx:
            grants.apply(tx, "vault")


def test_the_analysis_account_is_denied_every_consent_table_of_the_live_catalogue(deployed: Stores) -> None:
    names = [name for name in live_tables(deployed.platform()) if name.startswith(("consent", "notice", "purpose"))]
    assert {"consent_event", "consent_state", "notice", "purpose"} <= set(names)
    statements = ("SELECT * FROM {}", "DELETE FROM {}", "UPDATE {} SET {} = NULL", "TRUNCATE {}")
    for name in names:
        with deployed.platform().read() as tx:
            column = sa.inspect(tx).get_columns(name)[0]["name"]
        for statement in statements:
            with (
                as_role(deployed.platform(), grants.ANALYSIS).connect() as connection,
                pytest.raises(sa.exc.ProgrammingError, match="permission denied"),
            ):
                connection.exec_driver_sql(statement.format(name, column))
        assert name not in live_grants(deployed.platform(), grants.ANALYSIS)


def test_the_live_grants_are_the_ones_written_down(deployed: Stores) -> None:
    for name, store in (("vault", deployed.vault), ("platform", deployed.platform())):
        for role in grants.ROLES[1:]:
            declared = {
                table: set(verbs) for table, verbs in grants.GRANTS["vault" if name == "vault" else "platform"].get(role, {}).items()
            }
            if declared:
                declared[run.VERSION_TABLE] = {"SELECT"}
            assert live_grants(store, role) == declared, (name, role)


def test_no_account_may_change_or_delete_evidence() -> None:
    for role, tables in grants.GRANTS["platform"].items():
        for table in EVIDENCE:
            assert not {"UPDATE", "DELETE"} & set(tables.get(table, ())), (role, table)


@pytest.mark.parametrize("store", run.STORES)
def test_every_table_has_a_place_in_the_grants_and_the_other_way_round(store: run.StoreName) -> None:
    every_table()
    metadata = VaultBase.metadata if store == "vault" else PlatformBase.metadata
    granted = {table for tables in grants.GRANTS[store].values() for table in tables}
    assert granted == set(metadata.tables)


def test_an_account_can_do_its_own_work(deployed: Stores) -> None:
    with as_role(deployed.platform(), grants.CONSOLE).begin() as connection:
        connection.exec_driver_sql("INSERT INTO checkpoint (at, size, note) VALUES (0, 0, 'x')")
        assert run.current(connection) == run.head("platform")


def test_applying_twice_and_applying_after_somebody_gave_too_much_ends_the_same(deployed: Stores) -> None:
    store = deployed.platform()
    before = live_grants(store, grants.ANALYSIS)
    with store.begin() as tx:
        tx.exec_driver_sql(f"GRANT ALL ON consent_event TO {grants.ANALYSIS}")
    assert "consent_event" in live_grants(store, grants.ANALYSIS)
    with store.begin() as tx:
        grants.apply(tx, "platform")
    assert live_grants(store, grants.ANALYSIS) == before


def test_an_owner_that_may_not_make_accounts_is_told_what_is_missing(deployed: Stores) -> None:
    with pytest.raises(errors.NotConfigured) as caught, deployed.vault.begin() as tx:
        tx.exec_driver_sql(f"ALTER ROLE {grants.JOBS} RENAME TO piying_elsewhere")
        tx.exec_driver_sql("CREATE ROLE weak_owner")
        tx.exec_driver_sql("SET LOCAL ROLE weak_owner")
        grants.apply(tx, "vault")
    assert grants.JOBS in caught.value.message
    assert all(role in grants.statement_for_roles() for role in grants.ROLES)


def test_sqlite_has_no_accounts_and_needs_none(sqlite: Stores) -> None:
    with sqlite.begin_vault() as tx:
        run.upgrade(tx, "vault")
        before = tx.exec_driver_sql("SELECT type, name, sql FROM sqlite_schema").all()
        grants.apply(tx, "vault")
        assert tx.exec_driver_sql("SELECT type, name, sql FROM sqlite_schema").all() == before
