"""What cannot be logged does not happen (attack 43), a withdrawal holds at once everywhere, and who was erased does not come back."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import sqlalchemy as sa
from werkzeug.test import TestResponse

from app import acts, asking, evidence, holding, housekeeping, intake
from app.settings import load
from privacy.audit.log import LogEntry
from privacy.identity import normalise, vault
from privacy.oversight.door import LookupPurpose
from privacy.vocabulary import PROFILING, STATISTICS, IdentifierType
from tests.conftest import NOW
from tests.house import House, open_house, track

ANNA, BO = ("phone", "13800138000"), ("customer_no", "u-2")
LONG_AGO = (NOW - timedelta(days=200)).isoformat()
MAPPING = """
record = "order_line"
zone   = "Asia/Shanghai"
id     = ["receipt"]
[identifiers]
phone = "phone"
[fields]
occurred_at = "at"
kind = { const = "sale" }
"""


@contextmanager
def broken_log(house: House, when: str = "1 = 1") -> Iterator[None]:
    """The database itself refuses every new entry, or those of which `when` holds."""
    owner = house.services.stores.platform_owner
    with owner.begin() as tx:
        if tx.dialect.name == "sqlite":
            statements = [f"CREATE TRIGGER fault BEFORE INSERT ON log_entry WHEN {when} BEGIN SELECT RAISE(ABORT, 'the disk is full'); END"]
        else:
            statements = [
                "CREATE FUNCTION fault() RETURNS trigger LANGUAGE plpgsql AS "
                f"$$ BEGIN IF {when} THEN RAISE EXCEPTION 'the disk is full'; END IF; RETURN NEW; END $$",
                "CREATE TRIGGER fault BEFORE INSERT ON log_entry FOR EACH ROW EXECUTE FUNCTION fault()",
            ]
        for statement in statements:
            tx.exec_driver_sql(statement)
    try:
        yield
    finally:
        with owner.begin() as tx:
            if tx.dialect.name == "sqlite":
                tx.exec_driver_sql("DROP TRIGGER fault")
            else:
                tx.exec_driver_sql("DROP TRIGGER fault ON log_entry")
                tx.exec_driver_sql("DROP FUNCTION fault")


def contents(house: House) -> dict[str, list[Any]]:
    """Every row of both stores. Keys and payloads that nothing names yet are left out: they end by themselves."""
    found: dict[str, list[Any]] = {}
    stores = house.services.stores
    for name, owner in (("vault", stores.vault_owner), ("platform", stores.platform_owner)):
        with owner.read() as tx:
            for table in sorted(sa.inspect(tx).get_table_names()):
                if table not in ("ephemeral_key", "sealed_payload"):
                    rows = tx.exec_driver_sql(f'SELECT * FROM "{table}"').all()
                    found[f"{name}.{table}"] = sorted(map(repr, rows))
    return found


def changes(before: Mapping[str, list[Any]], after: Mapping[str, list[Any]]) -> list[str]:
    return [name for name in after if after[name] != before[name]]


def log_size(house: House) -> int:
    with house.services.stores.platform_owner.read() as tx:
        return int(tx.execute(sa.select(sa.func.count()).select_from(LogEntry)).scalar_one())


class Lived:
    """A house in which something of everything is there."""

    def __init__(self, house: House, folder: Path) -> None:
        self.house, self.services = house, house.services
        self.source_id, self.key = house.source()
        house.source("till", "file")
        house.grant(self.key, [ANNA, BO], at=LONG_AGO)
        house.batch([track(1, user="u-2"), {"type": "track", "messageId": "broken"}], self.key)
        self.account = acts.add_user(self.services, "officer@example.com", "officer", actor="test")
        self.code = self.account["link"].partition("#")[2]
        found = self.services.oversight.find_person(*ANNA, purpose=LookupPurpose.COMPLAINT, reason="a complaint by letter", actor="test")
        self.handle, self.ref = found["handle"], found["identifiers"][0]["ref"]
        asking.budget(self.services)  # opens the accounts of the months that are over: the calendar's doing, nobody's act
        self.file, self.mapping = folder / "till.csv", folder / "till.toml"
        self.file.write_text("receipt,at,phone\nR1,2026-06-14 10:00,13800138000\n", encoding="utf-8")
        self.mapping.write_text(MAPPING, encoding="utf-8")

    def acts(self) -> dict[str, Callable[[], Any]]:
        """Every kind of act that writes and every read that must be logged, by name."""
        services, why = self.services, {"purpose": LookupPurpose.COMPLAINT, "reason": "a complaint by letter", "actor": "test"}
        return {
            "ingest": lambda: self.house.send({"batch": [track(2, user="u-2")]}, self.key),
            "ingest of refused rows": lambda: self.house.send({"batch": [track(3, user="nobody")]}, self.key),
            "ingest of broken rows": lambda: self.house.send({"batch": [{"type": "track"}]}, self.key),
            "grant": lambda: self.house.grant(self.key, [BO], purposes=["marketing.channel.sms"]),
            "withdrawal": lambda: self.house.grant(self.key, [ANNA], state="withdrawn"),
            "import": lambda: intake.import_file(
                services, self.file, source_name="till", mapping_path=self.mapping, actor="test", progress=lambda done, rows: None
            ),
            "quarantine replay": lambda: holding.replay(services, source_name="web", mapping_path=None, actor="test"),
            "source add": lambda: acts.add_source(services, actor="test", name="another", kind="segment"),
            "source rotate": lambda: acts.rotate_source(services, self.source_id, actor="test"),
            "source disable": lambda: acts.disable_source(services, self.source_id, actor="test"),
            "user add": lambda: acts.add_user(services, "new@example.com", "marketer", actor="test"),
            "code redeemed": lambda: acts.redeem_code(services, self.code),
            "token": lambda: acts.make_token(services, self.account["user"], actor="test"),
            "key rotation": lambda: services.rotate_key("index", actor="test"),
            "key destruction": services.destroy_ephemeral_keys,
            "retention": lambda: housekeeping.retention(services),
            "consent shown": lambda: services.preferences.show(*ANNA, actor="test"),
            "population": lambda: services.preferences.population(STATISTICS),
            "person found": lambda: services.oversight.find_person(*ANNA, **why),
            "identifier revealed": lambda: services.oversight.reveal(self.handle, self.ref, **why),
            "log read": lambda: services.log_page(before=None, actor="test"),
            "log verified": lambda: services.oversight.verify(actor="test"),
            "log bundled": lambda: evidence.write(services, evidence.Asked("whole"), io.BytesIO(), actor="test"),
            "month closed": lambda: asking.close_month(services, 202605, actor="test"),
        }


@pytest.fixture
def lived(house: House, tmp_path: Path) -> Lived:
    return Lived(house, tmp_path)


def outcome(act: Callable[[], Any]) -> Any:
    """What an act gave, or None if it failed; an answer of the server counts as failed from 500 on."""
    given = None
    with suppress(Exception):
        given = act()
    return None if isinstance(given, TestResponse) and given.status_code >= 500 else given


def test_attack_43_an_act_whose_entry_cannot_be_written_does_not_happen_and_no_data_is_returned(lived: Lived) -> None:
    before = contents(lived.house)
    escaped = {}
    with broken_log(lived.house):
        for name, act in lived.acts().items():
            given = outcome(act)
            after = contents(lived.house)
            if given is not None or changes(before, after):
                escaped[name] = (given, changes(before, after))
            before = after
    assert escaped == {}


def test_the_same_acts_happen_and_are_logged_when_the_log_can_be_written(lived: Lived) -> None:
    """The other side of the test above: none of its acts fails for another reason."""
    silent = []
    left = [name for name in lived.acts() if name not in ("source disable", "month closed")]
    for name in [*left, "source disable"]:
        size = log_size(lived.house)
        given = outcome(lived.acts()[name])
        if given is None or log_size(lived.house) == size:
            silent.append(name)
    assert silent == []


def test_a_person_whose_consent_could_not_be_logged_is_swept_from_the_vault(house: House) -> None:
    """The vault's part comes first and is invisible; what the platform never heard of goes."""
    _, key = house.source()
    with broken_log(house):
        assert house.grant(key, [ANNA]).status_code >= 500
    house.clock.forward(hours=7)
    housekeeping.retention(house.services)
    counts = house.counts()
    assert (counts["vault.person"], counts["vault.identifier"], counts["vault.data_key"]) == (0, 0, 0)


@pytest.fixture
def counted(sqlite_only: House, tmp_path: Path) -> House:
    """A house with a store and rows of May, which is closed by the calendar."""
    (tmp_path / "stores.csv").write_text("id\nS1\n", encoding="utf-8")
    (tmp_path / "stores.toml").write_text('record = "store"\n[fields]\nid = "id"\n', encoding="utf-8")
    sqlite_only.source("stores", "file")
    stores: dict[str, Any] = {
        "source_name": "stores",
        "mapping_path": tmp_path / "stores.toml",
        "actor": "test",
        "progress": lambda done, rows: None,
    }
    assert intake.import_file(sqlite_only.services, tmp_path / "stores.csv", **stores)["stored"] == 1
    _, key = sqlite_only.source()
    people = [("customer_no", f"u-{number}") for number in range(20)]
    sqlite_only.grant(key, people, at=LONG_AGO)
    may = NOW - timedelta(days=31)
    sqlite_only.batch([track(number, user=f"u-{number}", at=may) for number in range(20)], key)
    sqlite_only.flush()
    return sqlite_only


def spent(house: House) -> int:
    return sum(month["spent_nano"] for month in asking.budget(house.services)["items"])


QUESTION = {"kind": "funnel", "from_": "2026-05", "where": ["channel=app"]}
"""A question that the month's close did not buy."""


def test_a_month_is_not_closed_without_its_entry(counted: House) -> None:
    asking.budget(counted.services)
    before = contents(counted)
    with broken_log(counted):
        assert outcome(lambda: asking.close_month(counted.services, 202605, actor="test")) is None
        assert changes(before, contents(counted)) == []
    assert asking.close_month(counted.services, 202605, actor="test")["closed"]


def test_a_release_is_neither_charged_nor_answered_nor_repeated_without_its_entry(counted: House) -> None:
    """Three faults: at the charge nothing is spent; at the answer nothing is told and the charge stays; at the repeat nothing is told."""
    services = counted.services
    asking.close_month(services, 202605, actor="test")
    paid, before = spent(counted), contents(counted)

    def ask() -> Any:
        return asking.ask(services, QUESTION, asked_by="test")

    with broken_log(counted, "NEW.kind = 'release'"):
        assert outcome(ask) is None
        assert (spent(counted), changes(before, contents(counted))) == (paid, [])
    price = asking.quote(services, QUESTION)["cost"]["rho_nano"]
    with services.read_jobs() as tx:
        size = tx.execute(sa.select(sa.func.count()).select_from(LogEntry).where(LogEntry.kind == "release")).scalar_one()
    with broken_log(counted, f"NEW.kind = 'release' AND (SELECT count(*) FROM log_entry WHERE kind = 'release') > {size}"):
        assert outcome(ask) is None
    assert spent(counted) == paid + price
    counted.clock.forward(minutes=10)
    answered = ask()
    assert spent(counted) == paid + 2 * price
    with broken_log(counted):
        assert outcome(ask) is None
    assert ask()["rows"] == answered["rows"]
    assert spent(counted) == paid + 2 * price


def test_nobody_is_counted_without_the_entry_of_the_population(counted: House) -> None:
    """The charge is committed, the population cannot be opened: no number, and the charge stays."""
    asking.close_month(counted.services, 202605, actor="test")
    with broken_log(counted, "NEW.kind = 'read'"):
        assert outcome(lambda: asking.ask(counted.services, QUESTION, asked_by="test")) is None


# ── withdrawal and erasure, seen from another process ──────────────────────────────────────────────────────────────────────────


@contextmanager
def neighbour(house: House) -> Iterator[House]:
    """Another process on the same home: services, memories and connections of its own."""
    other = open_house(load(house.home, house.environment), house.environment)
    other.clock.now = house.clock.now
    try:
        yield other
    finally:
        other.close()


def people_of(house: House, purpose: str) -> int:
    return len(house.services.preferences.population(purpose).run_ids)


def test_after_a_withdrawal_the_very_next_question_and_row_in_another_process_are_without_the_person(house: House) -> None:
    _, key = house.source()
    house.grant(key, [ANNA, BO], at=LONG_AGO)
    with neighbour(house) as other:
        assert other.batch([track(1, user="u-2")], key)["stored"] == 1
        assert people_of(other, STATISTICS) == people_of(other, PROFILING) == 2
        assert house.grant(key, [BO], purposes=[PROFILING], state="withdrawn").status_code == 201
        assert (people_of(other, PROFILING), people_of(other, STATISTICS)) == (1, 2)
        assert other.batch([track(2, user="u-2")], key)["stored"] == 1, "statistics is still allowed"
        assert house.grant(key, [BO], purposes=[STATISTICS], state="withdrawn").status_code == 201
        assert people_of(other, STATISTICS) == 1
        rows = other.rows()
        assert other.batch([track(3, user="u-2")], key)["refused"] == 1
        assert other.rows() == rows


def test_after_a_withdrawal_the_rows_in_the_lake_are_invisible_to_the_next_question(sqlite_only: House) -> None:
    house = sqlite_only
    _, key = house.source()
    house.grant(key, [ANNA, BO], at=LONG_AGO)
    house.batch([track(1, user="u-2"), {**track(2), "type": "identify", "traits": {"phone": ANNA[1], "gender": "f"}, "userId": "u-1"}], key)
    house.flush()
    with neighbour(house) as other:

        def seen() -> set[str]:
            with other.services.reader.open(STATISTICS, [202606]) as view:
                events, profiles = view.people("events"), view.people("profiles")
                found = {
                    "events": view.run(events.aggregate(n=events.count())),
                    "profiles": view.run(profiles.aggregate(n=profiles.count())),
                }
            return {name for name, rows in found.items() if rows["n"][0].as_py()}

        assert seen() == {"events", "profiles"}
        house.grant(key, [BO], state="withdrawn")
        assert seen() == {"profiles"}
        house.grant(key, [ANNA], state="withdrawn")
        assert seen() == set()


def test_a_tombstone_set_in_one_process_refuses_rows_and_grants_in_another(house: House) -> None:
    _, key = house.source()
    house.grant(key, [BO], at=LONG_AGO)
    with neighbour(house) as other:
        assert other.batch([track(1, user="u-2")], key)["stored"] == 1
        erase(house, BO)
        assert other.batch([track(2, user="u-2")], key)["refused"] == 1
        told = other.grant(key, [BO], purposes=[STATISTICS]).get_json()["items"]
        assert [one["verdict"] for one in told] == ["refused"]
        assert other.grant(key, [BO], purposes=[STATISTICS], state="withdrawn").status_code == 201


def erase(house: House, who: tuple[str, str]) -> None:
    """What erasure leaves behind, without erasing anything else."""
    (value,) = normalise.normalise(who[0], pa.array([who[1]]), namespace="web")[0].to_pylist()
    with house.services.stores.begin_vault() as tx:
        vault.add_tombstones(tx, house.services.open_keyring(), [(IdentifierType(who[0]), value)], now=house.clock())
