"""The door of custody: keys made, opened and rotated, each act in the log before it takes effect.

Promise: a program holds keys only if they are this vault's own (deployment and check values of every version in force); anything else is
`errors.Locked`, and whoever is locked reads and writes nothing. Keys keep the profile of algorithms they were made under. A rotation
counts when the vault says so, so running programs take it up by themselves and nothing splits. An entry that cannot be written stops the
act; a crash after the entry leaves an act to repeat, never an act without an entry.
Must never learn: a value or a person. No key, check value or path enters the log.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from privacy import errors
from privacy.identity import keystate, profiles, renewal, sharedsecrets, vault
from privacy.identity.keys import Keyring
from privacy.orm import Begin
from privacy.records import Clock, Log, RandomBytes
from privacy.vocabulary import LogKind

ACTOR = "operator"


def initialise(
    keys_path: Path | str,
    begin_vault: Begin,
    begin_platform: Begin,
    log: Log,
    *,
    clock: Clock,
    random: RandomBytes,
    actor: str = ACTOR,
    profile: str = profiles.INTERNATIONAL.name,
) -> Keyring:
    """Makes the keys of a new deployment and binds the vault to them; opens them where that was done before.

    A file without a vault that knows it was left by a crash in between and is taken up; a vault whose file is missing stays locked,
    because new keys would open nothing of what it holds. Keys that are there keep their profile: asking for another one is a conflict.
    """
    path, chosen = Path(keys_path), profiles.named(profile)
    with begin_vault() as tx:
        deployment = keystate.deployment_of(tx)
    if deployment is not None:
        return _of_profile(open_keyring(path, begin_vault), profile)
    keyring = Keyring.open(path) if path.exists() else Keyring.create(path, random=random, clock=clock, profile=chosen)
    _of_profile(keyring, profile)
    with begin_platform() as tx:
        log(tx, LogKind.KEY, "keys.create", actor=actor, facts={"versions": len(keyring.inventory())})
    with begin_vault() as tx:
        keystate.register(tx, keyring, now=clock())
    return keyring


def _of_profile(keyring: Keyring, profile: str) -> Keyring:
    if keyring.profile.name != profile:
        raise errors.Conflict("keys.profile is not the profile that the key file was made with; it cannot change.", code="keys_profile")
    return keyring


def open_keyring(keys_path: Path | str, begin_vault: Begin) -> Keyring:
    """The keyring of this vault; raises `errors.Locked` with the code that says why not."""
    with begin_vault() as tx:
        deployment = keystate.deployment_of(tx)
        keyring = Keyring.open(keys_path, deployment=deployment)
        if deployment is None:
            raise errors.Locked("The vault was never initialised with a key file.", code="keys_foreign")
        keystate.sync(tx, keyring)
    return keyring


def rotate(
    kind: str,
    keyring: Keyring,
    begin_vault: Begin,
    begin_platform: Begin,
    log: Log,
    *,
    clock: Clock,
    random: RandomBytes,
    actor: str = ACTOR,
) -> int:
    """Adds a version of a key and puts it in force; returns its number.

    A version that a crash left in the file and out of the vault is put in force instead of making another one.
    """
    with begin_vault() as tx:
        in_force = keystate.sync(tx, keyring).get(kind, [])
    waiting = [version for version in keyring.versions(kind) if version not in in_force]
    version = waiting[0] if waiting else keyring.rotate(kind, random=random, clock=clock)
    with begin_platform() as tx:
        log(tx, LogKind.KEY, "keys.rotate", actor=actor, facts={"key": kind, "version": version})
    with begin_vault() as tx:
        keystate.activate(tx, keyring, kind, version, now=clock())
    return version


def renew(keyring: Keyring, begin_vault: Begin, *, random: RandomBytes, limit: int = 10_000) -> int:
    """One step of taking the vault's rows to the newest versions (index rows, wrapped keys); returns how many rows it renewed.

    Called until it returns 0; afterwards nothing depends on an older version of these keys.
    """
    with begin_vault() as tx:
        renewed = renewal.reindex(tx, keyring, limit=limit) + renewal.rewrap(tx, keyring, limit=limit, random=random)
        return renewed + sharedsecrets.rewrap(tx, keyring, limit=limit, random=random)


SECRET_OVERLAP = timedelta(hours=24)
"""How long an older secret of a source is still taken, so that its sender can change over."""


def share_secret(
    source_id: str,
    scheme: str,
    secret: bytes,
    keyring: Keyring,
    begin_vault: Begin,
    begin_platform: Begin,
    log: Log,
    *,
    clock: Clock,
    random: RandomBytes,
    actor: str,
) -> int:
    """Keeps, sealed, the secret that a source signs its messages with; returns its number. The entry comes first."""
    with begin_platform() as tx:
        log(tx, LogKind.CONFIG, "source.secret", actor=actor, facts={"source": source_id, "scheme": scheme})
    with begin_vault() as tx:
        return sharedsecrets.put(tx, keyring, source_id, scheme, secret, overlap=SECRET_OVERLAP, now=clock(), random=random)


def shared_secrets(source_id: str, keyring: Keyring, read_vault: Begin, *, clock: Clock) -> list[tuple[str, bytes]]:
    """The secrets of a source that are in force, newest first: (scheme, secret)."""
    with read_vault() as tx:
        return sharedsecrets.of_source(tx, keyring, source_id, now=clock())


def destroy_expired(begin_vault: Begin, begin_platform: Begin, log: Log, *, clock: Clock, actor: str = "system") -> int:
    """Destroys the ephemeral keys whose time has come; returns how many. Their entry comes first."""
    now = clock()
    with begin_platform() as tx:
        log(tx, LogKind.KEY, "keys.destroy", actor=actor, facts={"key": "ephemeral"})
    with begin_vault() as tx:
        return vault.destroy_ephemeral_keys(tx, now)
