"""The offline verifier of receipts of consent: this one file, handed to anybody, checks a receipt against published keys.

Promise: it believes nothing but the keys that it is given. It imports nothing of ours, opens no network, no database and no key file; the
signature is checked with `cryptography` over the bytes as they stand, where the server signs with another library. It says what holds and
what fails, and repeats of a receipt only what the receipt's own signature covers.

    python receipts.py receipt.json --keys jwks.json
"""

from __future__ import annotations

import argparse
import base64
import binascii
import hashlib
import json
import sys
from collections.abc import Mapping, Sequence
from typing import Any

SCHEMA = "piying-receipt-1"
ALGORITHM = "Ed25519"
TYPE = "consent-receipt+jws"
CERTIFICATE_SCHEMA = "piying-erasure-1"
CERTIFICATE_TYPE = "erasure-certificate+jws"
"""Certificates of erasure are signed by the same keys, under a type of their own: neither passes for the other."""
SUBJECT_DOMAIN = b"piying-receipt-subject-v1\0"


class Failed(ValueError):
    """A check that does not hold; its text is a code."""


def verify(receipt: str, keys: str) -> dict[str, Any]:
    """{"ok", "reason", "receipt", "key", "notice", "subject", "statement"} of a receipt file, or a bare JWS, and a key set (RFC 7517).

    `notice` is matches, differs, absent or none; `subject` opens, differs or closed. `statement` is None unless the signature holds.
    """
    told: dict[str, Any] = {
        "ok": False, "reason": "", "receipt": None, "key": None, "notice": "none", "subject": "closed", "statement": None,
    }  # fmt: skip
    try:
        file = _file(receipt)
        statement, told["key"] = _signed(file["jws"], _key_set(keys))
        told |= {"receipt": statement["receipt"], "statement": statement}
        told["notice"] = _notice(statement.get("notice"), file.get("notice"))
        told["subject"] = _subject(statement["subject"], file.get("opening"))
        if told["notice"] == "differs":
            raise Failed("notice_differs")
        if told["subject"] == "differs":
            raise Failed("subject_differs")
    except Failed as failed:
        return told | {"reason": str(failed)}
    return told | {"ok": True}


def is_certificate(text: str) -> bool:
    """Whether a file says that it is a certificate of erasure; nothing is checked."""
    try:
        return header(text.strip()).get("typ") == CERTIFICATE_TYPE
    except Failed:
        return False


def verify_certificate(certificate: str, keys: str) -> dict[str, Any]:
    """{"ok", "reason", "erasure", "key", "statement"} of a certificate of erasure (a compact JWS) and a key set (RFC 7517)."""
    told: dict[str, Any] = {"ok": False, "reason": "", "erasure": None, "key": None, "statement": None}
    try:
        statement, told["key"] = _signed(
            certificate.strip(), _key_set(keys), CERTIFICATE_TYPE, CERTIFICATE_SCHEMA, ("erasure", "completed_at")
        )
        told |= {"erasure": statement["erasure"], "statement": statement}
        stores = statement.get("stores")
        if not isinstance(stores, list) or not stores or any(not isinstance(one, dict) or one.get("left") != 0 for one in stores):
            raise Failed("something_left")
    except Failed as failed:
        return told | {"reason": str(failed)}
    return told | {"ok": True}


def _file(text: str) -> dict[str, Any]:
    stripped = text.strip().removeprefix("\ufeff")
    if not stripped.startswith("{"):
        return {"jws": stripped}
    found = _object(stripped.encode(), "receipt_form")
    if found.get("format") != SCHEMA or not isinstance(found.get("jws"), str):
        raise Failed("receipt_form")
    return found


def _key_set(text: str) -> dict[str, bytes]:
    """Public keys by their name; others than Ed25519 are nobody's."""
    listed = _object(text.encode(), "keys_form").get("keys")
    if not isinstance(listed, list):
        raise Failed("keys_form")
    known: dict[str, bytes] = {}
    for key in listed:
        if isinstance(key, dict) and key.get("kty") == "OKP" and key.get("crv") == ALGORITHM and isinstance(key.get("kid"), str):
            raw = _decoded(key.get("x"), "keys_form")
            if len(raw) != 32 or thumbprint(raw) != key["kid"]:
                raise Failed("keys_form")
            known[key["kid"]] = raw
    return known


def thumbprint(public_key: bytes) -> str:
    """The name of a key, out of the key itself (RFC 7638)."""
    members = {"crv": ALGORITHM, "kty": "OKP", "x": _encoded(public_key)}
    return _encoded(hashlib.sha256(json.dumps(members, sort_keys=True, separators=(",", ":")).encode()).digest())


def header(jws: str) -> dict[str, Any]:
    """What a compact JWS says of its key and algorithm; nothing is checked."""
    return _object(_decoded(jws.partition(".")[0], "receipt_form"), "receipt_form")


def _signed(
    jws: str,
    keys: Mapping[str, bytes],
    type_: str = TYPE,
    schema: str = SCHEMA,
    texts: Sequence[str] = ("receipt", "subject"),
) -> tuple[dict[str, Any], str]:
    """The statement of a compact JWS whose signature holds (RFC 7515, RFC 9864), and the key's name."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    parts = jws.split(".")
    if len(parts) != 3 or not jws.isascii():
        raise Failed("receipt_form")
    header, payload, signature = (_decoded(part, "receipt_form") for part in parts)
    said = _object(header, "receipt_form")
    if said.keys() != {"alg", "kid", "typ"} or said["alg"] != ALGORITHM or said["typ"] != type_:
        raise Failed("algorithm")
    if not isinstance(said["kid"], str) or said["kid"] not in keys:
        raise Failed("key_unknown")
    try:
        Ed25519PublicKey.from_public_bytes(keys[said["kid"]]).verify(signature, f"{parts[0]}.{parts[1]}".encode())
    except InvalidSignature:
        raise Failed("signature") from None
    statement = _object(payload, "receipt_form")
    if statement.get("schema") != schema or not all(isinstance(statement.get(name), str) for name in texts):
        raise Failed("schema_unknown")
    return statement, said["kid"]


def _notice(signed: Any, shown: Any) -> str:
    """Whether the words that came along are those whose hash was signed."""
    if signed is None:
        return "none" if shown is None else "differs"
    if shown is None:
        return "absent"
    try:
        words = {"purposes": sorted(set(shown["purposes"])), "texts": dict(shown["texts"]), "version": shown["version"]}
        text = json.dumps(words, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
        same = (hashlib.sha256(text.encode()).hexdigest(), shown["version"]) == (signed["sha256"], signed["version"])
    except (KeyError, TypeError, ValueError):
        return "differs"
    return "matches" if same else "differs"


def _subject(signed: str, opening: Any) -> str:
    if opening is None:
        return "closed"
    try:
        opened = hashlib.sha256(SUBJECT_DOMAIN + bytes.fromhex(opening["salt"]) + bytes.fromhex(opening["reference"])).hexdigest()
    except (KeyError, TypeError, ValueError):
        return "differs"
    return "opens" if opened == signed else "differs"


# ── bytes ──────────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _object(raw: bytes, code: str) -> dict[str, Any]:
    """A JSON object in which no name stands twice."""

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(pairs)
        if len(made) != len(pairs):
            raise ValueError
        return made

    try:
        found = json.loads(raw.decode(), object_pairs_hook=once)
    except (ValueError, RecursionError):
        raise Failed(code) from None
    if not isinstance(found, dict):
        raise Failed(code)
    return found


def _encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _decoded(text: Any, code: str) -> bytes:
    """Base64url without padding, in its one spelling."""
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (TypeError, ValueError, binascii.Error):
        raise Failed(code) from None
    if _encoded(raw) != text:
        raise Failed(code)
    return raw


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="receipts", description="Check a receipt of consent offline.")
    parser.add_argument("receipt")
    parser.add_argument("--keys", required=True, help="the published key set, from somebody you trust")
    options = parser.parse_args(arguments)
    texts = []
    for path in (options.receipt, options.keys):
        with open(path, encoding="utf-8") as file:
            texts.append(file.read())
    told = verify_certificate(*texts) if is_certificate(texts[0]) else verify(*texts)
    sys.stdout.write(json.dumps(told, ensure_ascii=False) + "\n")
    return 0 if told["ok"] else 1


if __name__ == "__main__":
    sys.exit(main())
