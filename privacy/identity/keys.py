"""The keyring: every secret of a deployment, with its versions, in one file that only its owner can read.

Promise: no key is ever derived from data; a keyring uses its keys with the algorithms of one profile from its making to its end; every
use of a root is derived under a label and length-prefixed parts, so that no two domains share a key; a new version is added beside the
old ones and takes effect only when the vault says so (`keystate`), so nothing splits while programs run; what cannot be read, checked or
recognised raises `errors.Locked` and nothing goes on in clear.
Must never learn: a value, a person, a database. Keys never stand in a message, a repr or a log.
"""

from __future__ import annotations

import base64
import fcntl
import hmac
import json
import os
import stat
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Lock
from typing import Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from privacy import errors
from privacy.identity import profiles, pseudonyms
from privacy.identity.profiles import INTERNATIONAL, KEY_BYTES, Profile
from privacy.identity.pseudonyms import BlockCipher, MacKey
from privacy.records import Clock, RandomBytes

KINDS: Final = ("kek", "index", "tombstone", "lake", "consent", "log", "recipient", "run", "inbox", "signing", "receipt")
"""kek wraps data keys, index and tombstone make look-up digests, signing signs checkpoints, receipt signs receipts of consent; the others are
roots of one domain each."""

ROTATABLE: Final = frozenset({"kek", "index", "lake", "run", "inbox", "recipient", "signing", "receipt"})
"""The handles of consent and log and the tombstones stand in append-only rows that nobody can rewrite, so their roots stay."""

ROOT_OF: Final[Mapping[str, str]] = {
    pseudonyms.VIRTUAL_ID: "lake",
    pseudonyms.CONSENT_HANDLE: "consent",
    pseudonyms.RECEIPT_NUMBER: "consent",
    pseudonyms.RECEIPT_SUBJECT: "consent",
    pseudonyms.RECEIPT_SALT: "consent",
    pseudonyms.LOG_HANDLE: "log",
    pseudonyms.RUN_ID: "run",
    pseudonyms.RECIPIENT: "recipient",
    pseudonyms.ABROAD: "log",
    pseudonyms.AUDIENCE: "log",
    pseudonyms.HELD: "log",
    pseudonyms.HELD_ROW: "log",
    pseudonyms.BLIND_INDEX: "index",
    pseudonyms.TOMBSTONE: "tombstone",
    pseudonyms.ERASED: "tombstone",
    pseudonyms.CONSOLE_HANDLE: "log",
    pseudonyms.CONSOLE_ENTRANCE: "log",
    pseudonyms.OFFICER_REFERENCE: "log",
    pseudonyms.REQUEST_HANDLE: "log",
    pseudonyms.MESSAGE: "inbox",
    pseudonyms.ROW: "inbox",
}
"""Which root a label of `pseudonyms` is derived from; a label that is not here has no key."""

FORMAT: Final = "piying-keyring-1"


@dataclass(frozen=True, slots=True)
class KeyVersion:
    """One version of one key, as it stands in the file."""

    kind: str
    version: int
    created: datetime
    key: bytes = field(repr=False)

    def check(self, profile: Profile) -> bytes:
        """Sixteen bytes that tell whether this is the same key under the same profile, and nothing else about it."""
        text = b"piying/check/v1" + profiles.prefixed(self.kind, str(self.version))
        return pseudonyms.macs(profile.mac_key(self.key), [text])[0][:16]


def _first_month(created: datetime) -> int:
    """The first data month a lake key of this age may serve: no clock on Earth has entered it yet when the key is made."""
    ahead = created.astimezone(UTC) + timedelta(hours=14)
    return ahead.year * 100 + ahead.month + 1 if ahead.month < 12 else (ahead.year + 1) * 100 + 1


class Keyring:
    """All versions of all keys of one deployment. Reads are lock-free; `reload` and `rotate` swap the whole map at once."""

    def __init__(
        self, deployment: str, versions: tuple[KeyVersion, ...], profile: Profile = INTERNATIONAL, path: Path | None = None
    ) -> None:
        self.deployment = deployment
        self.profile = profile
        self._path = path
        self._versions = {(one.kind, one.version): one for one in versions}
        self._derived: dict[tuple[str, int, tuple[str, ...]], bytes] = {}
        self._lock = Lock()

    def __repr__(self) -> str:
        return f"Keyring({len(self._versions)} keys)"

    # ── making and opening ───────────────────────────────────────────────────────────────────────────────────────────────────

    @classmethod
    def fresh(cls, *, random: RandomBytes, clock: Clock, profile: Profile = INTERNATIONAL) -> Keyring:
        """A new keyring in memory only; `create` keeps it."""
        created = clock()
        return cls(random(16).hex(), tuple(KeyVersion(kind, 1, created, random(KEY_BYTES)) for kind in KINDS), profile)

    @classmethod
    def create(cls, path: Path | str, *, random: RandomBytes, clock: Clock, profile: Profile = INTERNATIONAL) -> Keyring:
        """Makes the file with mode 0600; refuses to touch an existing one."""
        ring = cls.fresh(random=random, clock=clock, profile=profile)
        ring._path = Path(path)
        if ring._path.exists():
            raise errors.Conflict("The key file exists already; it is never overwritten.", code="keys_exist")
        ring._write(ring._path)
        return ring

    @classmethod
    def open(cls, path: Path | str, *, deployment: str | None = None) -> Keyring:
        """Opens and checks the file; with `deployment` it must also belong to that one."""
        ring = cls(*_read(Path(path)), path=Path(path))
        if deployment is not None and ring.deployment != deployment:
            raise errors.Locked("The key file belongs to another deployment.", code="keys_foreign")
        return ring

    def reload(self) -> None:
        """Takes up versions that another program added to the file."""
        if self._path is not None:
            read = _read(self._path)
            with self._lock:
                self._take_up(*read)

    def _take_up(self, deployment: str, versions: tuple[KeyVersion, ...], profile: Profile) -> None:
        if deployment != self.deployment or profile != self.profile:
            raise errors.Locked("The key file was replaced by that of another deployment.", code="keys_foreign")
        self._versions = {(one.kind, one.version): one for one in versions}

    # ── versions ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

    def rotate(self, kind: str, *, random: RandomBytes, clock: Clock) -> int:
        """Adds a version to the file and returns its number. `custody.rotate` activates and logs it; until then nobody writes with it."""
        if kind not in ROTATABLE:
            raise errors.Refused(
                "A key of this kind stands in rows that are never rewritten and cannot be rotated.", code="key_not_rotatable"
            )
        with _alone(self._path), self._lock:
            if self._path is not None:
                self._take_up(*_read(self._path))
            version = max(number for owner, number in self._versions if owner == kind) + 1
            added = dict(self._versions)
            added[kind, version] = KeyVersion(kind, version, clock(), random(KEY_BYTES))
            if self._path is not None:
                self._write(self._path, added)
            self._versions = added
        return version

    def versions(self, kind: str) -> list[int]:
        return sorted(number for owner, number in self._versions if owner == kind)

    def version_at(self, kind: str, at: datetime) -> int:
        """The newest version that was made by an instant; the first where none was."""
        return max((one.version for one in self._versions.values() if one.kind == kind and one.created <= at), default=1)

    def inventory(self) -> list[tuple[str, int, datetime, bytes]]:
        """Kind, version, time of making and check value of every key; no key."""
        ordered = sorted(self._versions.values(), key=lambda one: (one.kind, one.version))
        return [(one.kind, one.version, one.created, one.check(self.profile)) for one in ordered]

    def key(self, kind: str, version: int | None = None) -> tuple[int, bytes]:
        """A version of a key, by default the newest; looks into the file again before it gives up."""
        number = version if version is not None else self.versions(kind)[-1]
        found = self._versions.get((kind, number))
        if found is None:
            self.reload()
            found = self._versions.get((kind, number))
        if found is None:
            raise errors.Locked("A key version that is in use is missing from the key file.", code="keys_outdated")
        return number, found.key

    # ── derived ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

    def mac_key(self, label: str, *parts: str, version: int | None = None) -> MacKey:
        """A key for HMAC under a label of `pseudonyms`; the parts are the domain's own (recipient, purpose, epoch…)."""
        return self.profile.mac_key(self._derive(label, parts, version))

    def block_cipher(self, label: str, *parts: str, version: int | None = None) -> BlockCipher:
        """A keyed permutation under a label. For VIRTUAL_ID the one part is the data month (YYYYMM), which also chooses the version."""
        return self.profile.permutation(self._derive(label, parts, version))

    def inverse_block_cipher(self, label: str, *parts: str, version: int | None = None) -> BlockCipher:
        return self.profile.inverse_permutation(self._derive(label, parts, version))

    def _derive(self, label: str, parts: tuple[str, ...], version: int | None) -> bytes:
        kind = ROOT_OF[label]
        if label == pseudonyms.VIRTUAL_ID:
            version = self._lake_version(int(parts[0]))
        elif kind not in ROTATABLE:
            version = 1
        number, root = self.key(kind, version)
        cached = self._derived.get((label, number, parts))
        if cached is None:
            cached = self._derived[label, number, parts] = self.profile.derive(root, label, *parts)
            if len(self._derived) > 4096:
                self._derived.clear()
        return cached

    def _lake_version(self, month: int) -> int:
        """The newest version whose first month has come: a month keeps its key for ever, so a rotation never splits it."""
        fitting = [
            one.version
            for one in self._versions.values()
            if one.kind == "lake" and (one.version == 1 or _first_month(one.created) <= month)
        ]
        return max(fitting)

    # ── signing (checkpoints of the log) ─────────────────────────────────────────────────────────────────────────────────────

    def signer(self, version: int | None = None) -> Callable[[bytes], bytes]:
        """Signs bytes with Ed25519; the callable is all that the log gets to know."""
        return Ed25519PrivateKey.from_private_bytes(self.key("signing", version)[1]).sign

    def public_key(self, version: int | None = None) -> bytes:
        """The 32 raw bytes that verify `signer`'s signatures."""
        private = Ed25519PrivateKey.from_private_bytes(self.key("signing", version)[1])
        return private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)

    # ── the file ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

    def _write(self, path: Path, versions: Mapping[tuple[str, int], KeyVersion] | None = None) -> None:
        """Writes a new file beside the old one and swaps them, so that a crash leaves one whole file."""
        kept = sorted((versions or self._versions).values(), key=lambda one: (one.kind, one.version))
        document = {
            "format": FORMAT,
            "deployment": self.deployment,
            "profile": self.profile.name,
            "keys": [
                {
                    "kind": one.kind,
                    "version": one.version,
                    "created": one.created.astimezone(UTC).isoformat(),
                    "key": base64.b64encode(one.key).decode(),
                    "check": one.check(self.profile).hex(),
                }
                for one in kept
            ],
        }
        fresh = path.with_name(path.name + ".new")
        fresh.unlink(missing_ok=True)
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(document, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        os.replace(fresh, path)
        directory = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)


@contextmanager
def _alone(path: Path | None) -> Iterator[None]:
    """Holds off other programs that would change the same file."""
    if path is None:
        yield
        return
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        fcntl.flock(directory, fcntl.LOCK_EX)
        yield
    finally:
        os.close(directory)


def _read(path: Path) -> tuple[str, tuple[KeyVersion, ...], Profile]:
    """Deployment, keys and profile of a file whose mode, form and check values are right; a file that names no profile is older than them."""
    try:
        with path.open("rb") as file:
            if stat.S_IMODE(os.fstat(file.fileno()).st_mode) & 0o077:
                raise errors.Locked("The key file can be read by others; its mode must be 0600.", code="keys_permissions")
            raw = file.read(1 << 20)
    except FileNotFoundError:
        raise errors.Locked("The key file is missing.", code="keys_missing") from None
    except OSError:
        raise errors.Locked("The key file cannot be read.", code="keys_unreadable") from None
    try:
        document: Any = json.loads(raw)
        if document["format"] != FORMAT:
            raise ValueError("format")
        profile = profiles.named(document.get("profile", INTERNATIONAL.name))
        return str(document["deployment"]), tuple(_key_of(entry, profile) for entry in _complete(document["keys"])), profile
    except (ValueError, KeyError, TypeError, AttributeError):
        raise errors.Locked("The key file is damaged.", code="keys_corrupt") from None


def _complete(entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    if {(entry["kind"], entry["version"]) for entry in entries} < {(kind, 1) for kind in KINDS}:
        raise ValueError("keys")
    return entries


def _key_of(entry: Mapping[str, Any], profile: Profile) -> KeyVersion:
    created = datetime.fromisoformat(entry["created"])
    one = KeyVersion(str(entry["kind"]), int(entry["version"]), created, base64.b64decode(entry["key"], validate=True))
    if len(one.key) != KEY_BYTES or created.tzinfo is None or not hmac.compare_digest(one.check(profile).hex(), str(entry["check"])):
        raise ValueError("check")
    return one


def signed(public_key: bytes, message: bytes, signature: bytes) -> bool:
    """Whether the private half of an Ed25519 key signed a message."""
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, message)
    except (InvalidSignature, ValueError):  # no such signature, or no key at all
        return False
    return True
