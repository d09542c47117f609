"""The door of custody: keys made, opened, rotated; every act in the log first."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from app.stores import Stores
from privacy import custody, errors
from privacy.identity import box, ephemeral, keystate, vault  # noqa: F401 (their tables)
from privacy.identity.keys import Keyring
from tests.fakes.log import RecordingLog, RefusingLog

NOW = datetime(2026, 6, 15, 4, 30, tzinfo=UTC)


def clock() -> datetime:
    return NOW


def initialise(stores: Stores, path: Path, log: RecordingLog | RefusingLog | None = None) -> Keyring:
    return custody.initialise(path, stores.begin_vault, stores.begin_platform, log or RecordingLog(), clock=clock, random=os.urandom)


def test_keys_are_made_under_the_profile_that_was_asked_for_and_keep_it(stores: Stores, tmp_path: Path) -> None:
    """A changed setting is told, not obeyed in silence and not ignored in silence."""
    path = tmp_path / "keys.json"

    def make(profile: str) -> Keyring:
        return custody.initialise(
            path, stores.begin_vault, stores.begin_platform, RecordingLog(), clock=clock, random=os.urandom, profile=profile
        )

    assert make("commercial").profile.name == "commercial"
    assert make("commercial").inventory() == custody.open_keyring(path, stores.begin_vault).inventory()
    with pytest.raises(errors.Conflict) as caught:
        make("international")
    assert caught.value.code == "keys_profile"
    assert custody.open_keyring(path, stores.begin_vault).profile.name == "commercial"


def test_a_key_file_left_by_a_crash_is_not_taken_up_under_another_profile(stores: Stores, tmp_path: Path) -> None:
    Keyring.create(tmp_path / "keys.json", random=os.urandom, clock=clock)
    with pytest.raises(errors.Conflict) as caught:
        custody.initialise(
            tmp_path / "keys.json",
            stores.begin_vault,
            stores.begin_platform,
            RecordingLog(),
            clock=clock,
            random=os.urandom,
            profile="commercial",
        )
    assert caught.value.code == "keys_profile"
    assert locked(stores, tmp_path / "keys.json") == "keys_foreign"


def locked(stores: Stores, path: Path) -> str:
    with pytest.raises(errors.Locked) as caught:
        custody.open_keyring(path, stores.begin_vault)
    return caught.value.code


def test_a_new_deployment_gets_keys_and_an_entry_that_holds_none(stores: Stores, tmp_path: Path) -> None:
    log = RecordingLog()
    ring = initialise(stores, tmp_path / "keys.json", log)
    assert custody.open_keyring(tmp_path / "keys.json", stores.begin_vault).inventory() == ring.inventory()
    (entry,) = log.entries
    assert (entry.kind, entry.action, entry.facts) == ("key", "keys.create", {"versions": len(ring.inventory())})


def test_initialising_again_changes_nothing(stores: Stores, tmp_path: Path) -> None:
    log = RecordingLog()
    first = initialise(stores, tmp_path / "keys.json", log)
    assert initialise(stores, tmp_path / "keys.json", log).inventory() == first.inventory()
    assert len(log.entries) == 1


def test_a_missing_key_file_is_never_replaced_by_new_keys(stores: Stores, tmp_path: Path) -> None:
    initialise(stores, tmp_path / "keys.json")
    (tmp_path / "keys.json").unlink()
    assert locked(stores, tmp_path / "keys.json") == "keys_missing"
    with pytest.raises(errors.Locked):
        initialise(stores, tmp_path / "keys.json")
    assert not (tmp_path / "keys.json").exists()


def test_a_wrong_unreadable_damaged_or_foreign_file_locks(stores: Stores, tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    initialise(stores, path)
    original = path.read_bytes()
    path.write_bytes(original[:-30])
    assert locked(stores, path) == "keys_corrupt"
    path.write_bytes(original)
    path.chmod(0o644)
    assert locked(stores, path) == "keys_permissions"
    path.unlink()
    path.mkdir()
    assert locked(stores, path) == "keys_unreadable"
    other = tmp_path / "other.json"
    Keyring.create(other, random=os.urandom, clock=clock)
    assert locked(stores, other) == "keys_foreign"


def test_a_vault_that_was_never_initialised_is_locked_whatever_the_file(stores: Stores, tmp_path: Path) -> None:
    Keyring.create(tmp_path / "keys.json", random=os.urandom, clock=clock)
    assert locked(stores, tmp_path / "keys.json") == "keys_foreign"


def test_keys_left_by_a_crash_before_the_vault_was_bound_are_taken_up(stores: Stores, tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    with pytest.raises(errors.Unavailable):
        initialise(stores, path, RefusingLog())
    assert locked(stores, path) == "keys_foreign"
    left = Keyring.open(path)
    assert initialise(stores, path).inventory() == left.inventory()


def test_a_rotation_is_logged_and_in_force_for_programs_that_run(stores: Stores, tmp_path: Path) -> None:
    log = RecordingLog()
    ring = initialise(stores, tmp_path / "keys.json", log)
    other = custody.open_keyring(tmp_path / "keys.json", stores.begin_vault)
    version = custody.rotate("kek", ring, stores.begin_vault, stores.begin_platform, log, clock=clock, random=os.urandom)
    assert version == 2
    assert log.entries[-1].facts == {"key": "kek", "version": 2}
    with stores.read_vault() as tx:
        assert keystate.sync(tx, other)["kek"] == [1, 2]


def test_without_an_entry_no_version_comes_into_force_and_the_next_try_uses_the_one_that_waits(stores: Stores, tmp_path: Path) -> None:
    ring = initialise(stores, tmp_path / "keys.json")
    with pytest.raises(errors.Unavailable):
        custody.rotate("index", ring, stores.begin_vault, stores.begin_platform, RefusingLog(), clock=clock, random=os.urandom)
    with stores.read_vault() as tx:
        assert keystate.sync(tx, ring)["index"] == [1]
    assert custody.rotate("index", ring, stores.begin_vault, stores.begin_platform, RecordingLog(), clock=clock, random=os.urandom) == 2
    assert ring.versions("index") == [1, 2]


def test_ephemeral_keys_are_not_destroyed_without_an_entry(stores: Stores, tmp_path: Path) -> None:
    ring = initialise(stores, tmp_path / "keys.json")
    with stores.begin_vault() as tx:
        vault.ephemeral_key(tx, ring, "row:202605", destroy_after=NOW - timedelta(days=1), random=os.urandom, now=NOW - timedelta(days=9))
    with pytest.raises(errors.Unavailable):
        custody.destroy_expired(stores.begin_vault, stores.begin_platform, RefusingLog(), clock=clock)
    with stores.read_vault() as tx:
        assert tx.execute(sa.select(sa.func.count()).select_from(ephemeral.EphemeralKey)).scalar_one() == 1
    assert custody.destroy_expired(stores.begin_vault, stores.begin_platform, RecordingLog(), clock=clock) == 1


def test_renewing_goes_on_until_nothing_is_old(stores: Stores, tmp_path: Path) -> None:
    ring = initialise(stores, tmp_path / "keys.json")
    assert custody.renew(ring, stores.begin_vault, random=os.urandom) == 0


def test_a_secret_is_shared_after_its_entry_and_opens_until_a_day_after_the_next(stores: Stores, tmp_path: Path) -> None:
    keyring = initialise(stores, tmp_path / "keys.json")
    log = RecordingLog()

    def share(secret: bytes, with_log: RecordingLog | RefusingLog) -> int:
        return custody.share_secret(
            "src_a",
            "shopify",
            secret,
            keyring,
            stores.begin_vault,
            stores.begin_platform,
            with_log,
            clock=clock,
            random=os.urandom,
            actor="cli",
        )

    with pytest.raises(errors.Unavailable):
        share(b"never shared", RefusingLog())
    assert custody.shared_secrets("src_a", keyring, stores.read_vault, clock=clock) == []
    assert [share(b"first", log), share(b"second", log)] == [1, 2]
    assert [(entry.action, entry.facts) for entry in log.entries] == [("source.secret", {"source": "src_a", "scheme": "shopify"})] * 2
    assert custody.shared_secrets("src_a", keyring, stores.read_vault, clock=clock) == [("shopify", b"second"), ("shopify", b"first")]
    later = clock() + custody.SECRET_OVERLAP
    assert custody.shared_secrets("src_a", keyring, stores.read_vault, clock=lambda: later) == [("shopify", b"second")]
