"""The recipient's program: this one file makes a key pair and opens what was sealed to it.

Promise: it imports nothing of ours and needs Python 3.9 with `cryptography` alone. The private key is written with mode 0600 and never
printed; an envelope that was changed anywhere, cut short or sealed to somebody else does not open, and nothing of it is kept. HPKE (RFC 9180,
base mode, X25519, HKDF-SHA256, AES-256-GCM) and the pieces of `privacy.identity.envelope` are written here a second time; tests hold the two
equal.

    python open.py key recipient.key                     makes recipient.key and prints the public key to register
    python open.py show list.piying                      prints what an envelope says about itself
    python open.py open list.piying --key recipient.key --to list.csv
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import hmac
import json
import os
import struct
import sys
from typing import Any, BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

FORMAT = "piying-sealed-1"
KEY_PREFIX = "piying-x25519:"
PRIVATE_PREFIX = "piying-x25519-private:"
PIECE = 65_536
TAG = 16
LONGEST_LINE = 65_536
KEM_SUITE = b"KEM" + struct.pack(">H", 0x0020)
HPKE_SUITE = b"HPKE" + struct.pack(">HHH", 0x0020, 0x0001, 0x0002)


class Damaged(Exception):
    """The envelope does not open; the sentence says at what point and never what is in it."""


# ── HPKE, base mode (RFC 9180 §4, §5) ──────────────────────────────────────────────────────────────────────────────────────────


def extract(suite: bytes, salt: bytes, label: bytes, keying: bytes) -> bytes:
    """LabeledExtract."""
    return hmac.new(salt or bytes(32), b"HPKE-v1" + suite + label + keying, hashlib.sha256).digest()


def expand(suite: bytes, key: bytes, label: bytes, info: bytes, length: int) -> bytes:
    """LabeledExpand, for up to 32 bytes."""
    text = struct.pack(">H", length) + b"HPKE-v1" + suite + label + info
    return hmac.new(key, text + b"\x01", hashlib.sha256).digest()[:length]


def unwrap(private: X25519PrivateKey, sealed: bytes, info: bytes) -> bytes:
    """What HPKE's single-shot Open answers; raises Damaged."""
    encapsulated, ciphertext = sealed[:32], sealed[32:]
    own = private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    try:
        shared = private.exchange(X25519PublicKey.from_public_bytes(encapsulated))
        secret = expand(KEM_SUITE, extract(KEM_SUITE, b"", b"eae_prk", shared), b"shared_secret", encapsulated + own, 32)
        context = b"\x00" + extract(HPKE_SUITE, b"", b"psk_id_hash", b"") + extract(HPKE_SUITE, b"", b"info_hash", info)
        master = extract(HPKE_SUITE, secret, b"secret", b"")
        key = expand(HPKE_SUITE, master, b"key", context, 32)
        nonce = expand(HPKE_SUITE, master, b"base_nonce", context, 12)
        return AESGCM(key).decrypt(nonce, ciphertext, b"")
    except (InvalidTag, ValueError):
        raise Damaged("the envelope was sealed to another key, or its beginning was changed") from None


# ── the envelope ───────────────────────────────────────────────────────────────────────────────────────────────────────────────


def about(source: BinaryIO) -> tuple[bytes, dict[str, Any]]:
    """The first line and what it says; raises Damaged."""
    line = source.readline(LONGEST_LINE)
    try:
        facts = json.loads(line)
        known = facts["format"] == FORMAT
    except (ValueError, KeyError, TypeError):
        known = False
    if not known or not line.endswith(b"\n"):
        raise Damaged("this is no envelope of the format " + FORMAT)
    return line, facts


def unseal(source: BinaryIO, private: X25519PrivateKey, target: BinaryIO) -> dict[str, Any]:
    """Writes the content to `target`, piece by piece, each after it was checked; answers what the envelope says about itself."""
    line, facts = about(source)
    length = source.read(2)
    sealed = source.read(struct.unpack(">H", length)[0]) if len(length) == 2 else b""
    cipher = AESGCM(unwrap(private, sealed, line))
    number, piece = 0, source.read(PIECE + TAG)
    while True:
        following = source.read(PIECE + TAG)
        try:
            target.write(cipher.decrypt(number.to_bytes(11, "big") + (b"\x00" if following else b"\x01"), piece, None))
        except (InvalidTag, ValueError):
            raise Damaged(f"piece {number} was changed, or the file was cut off") from None
        if not following:
            return facts
        number, piece = number + 1, following


# ── keys ───────────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def public_text(private: X25519PrivateKey) -> str:
    """The public key as it is registered."""
    return KEY_PREFIX + base64.b64encode(private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)).decode()


def make_key(path: str) -> X25519PrivateKey:
    """A new key in a file that only its owner reads; never overwrites one."""
    private = X25519PrivateKey.generate()
    raw = private.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
        file.write(PRIVATE_PREFIX + base64.b64encode(raw).decode() + "\n")
    return private


def read_private(path: str) -> X25519PrivateKey:
    """The key of a file; raises Damaged."""
    with open(path, encoding="ascii") as file:
        text = file.read(256).strip()
    try:
        if not text.startswith(PRIVATE_PREFIX):
            raise ValueError("prefix")
        return X25519PrivateKey.from_private_bytes(base64.b64decode(text[len(PRIVATE_PREFIX) :], validate=True))
    except ValueError:
        raise Damaged("the key file holds no private key of this program") from None


# ── the command line ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def _open(envelope: str, key: str, to: str) -> dict[str, Any]:
    """Opens into a file beside the target and moves it there when the last piece was right, so that no half of a list is ever taken for one."""
    private = read_private(key)
    unfinished = to + ".part"
    with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as target:
        try:
            with open(envelope, "rb") as source:
                facts = unseal(source, private, target)
        except BaseException:  # whatever stopped it, nothing half opened stays
            os.unlink(unfinished)
            raise
    os.replace(unfinished, to)
    return facts


def _arguments(given: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Makes a key pair and opens what was sealed to it.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("key", help="make a key; prints the public one").add_argument("file")
    commands.add_parser("show", help="what an envelope says about itself").add_argument("envelope")
    opening = commands.add_parser("open", help="open an envelope")
    opening.add_argument("envelope")
    opening.add_argument("--key", required=True)
    opening.add_argument("--to", required=True)
    return parser.parse_args(given)


def main(given: list[str] | None = None) -> int:
    """0 done, 1 not opened with one line why, 2 wrong usage."""
    asked = _arguments(given)
    try:
        if asked.command == "key":
            answer = public_text(make_key(asked.file))
        elif asked.command == "show":
            with open(asked.envelope, "rb") as source:
                answer = json.dumps(about(source)[1], ensure_ascii=False, sort_keys=True)
        else:
            answer = json.dumps(_open(asked.envelope, asked.key, asked.to), ensure_ascii=False, sort_keys=True)
    except Damaged as error:
        sys.stderr.write(error.args[0] + "\n")
        return 1
    except OSError as error:
        sys.stderr.write(type(error).__name__ + ": a file could not be read or written\n")
        return 1
    sys.stdout.write(answer + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
