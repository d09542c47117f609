"""A certificate of erasure is checked by the offline verifier, and by nothing that the server says. Names `privacy.rights.certificates`,
`privacy.rights.erasures`, `privacy.rights.erasure`."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from privacy.audit import receipts
from privacy.identity import receiptkeys
from privacy.identity.keys import Keyring
from privacy.rights import certificates
from privacy.rights.erasures import Erasure
from tests.conftest import NOW

STORES = [{"store": "lake", "method": "rewritten", "left": 0, "looked_at": NOW.isoformat()}]
KEPT = certificates.kept(evidence=4, marks=2, data_key_days=7, now=NOW)


def made(keyring: Keyring, stores: list[dict[str, Any]] = STORES) -> tuple[str, str]:
    """A signed certificate, and the published keys."""
    erasure = Erasure("era_1", "SR-1", "running", "usr_a", "usr_b", NOW, None, None, False, None, {"lake": (NOW, {"rows": 3})})
    log = {"entry": 7, "size": 8, "root": "00" * 32}
    said = certificates.statement(erasure, {"stores": stores, "kept": KEPT}, controller={"name": "Shop"}, log=log, now=NOW)
    jws = receiptkeys.sign(keyring, certificates.canonical(said), NOW, type_=certificates.TYPE)
    return jws, json.dumps(receiptkeys.public_keys(keyring))


def test_a_certificate_verifies_offline_and_says_what_was_seen(keyring: Keyring) -> None:
    told = receipts.verify_certificate(*made(keyring))
    assert (told["ok"], told["reason"], told["erasure"]) == (True, "", "era_1")
    assert told["statement"]["stores"] == STORES
    assert {one["what"] for one in told["statement"]["kept"]} == {"consent_evidence", "tombstones", "log_frames", "backups_of_data_keys"}
    assert all(one["law"] for one in told["statement"]["kept"])
    assert receipts.is_certificate(made(keyring)[0])


def test_one_that_was_changed_or_says_that_something_was_left_does_not_hold(keyring: Keyring) -> None:
    jws, keys = made(keyring)
    head, body, signature = jws.split(".")
    assert receipts.verify_certificate(f"{head}.{body[:-2]}AA.{signature}", keys)["ok"] is False
    left, keys = made(keyring, [STORES[0] | {"left": 1}])
    assert receipts.verify_certificate(left, keys)["reason"] == "something_left"
    assert receipts.verify_certificate(made(keyring, [])[0], keys)["reason"] == "something_left"


def test_neither_a_receipt_nor_a_certificate_passes_for_the_other(keyring: Keyring) -> None:
    jws, keys = made(keyring)
    assert receipts.verify(jws, keys)["reason"] == "algorithm"
    as_receipt = receiptkeys.sign(keyring, b'{"schema":"piying-erasure-1"}', NOW)
    assert receipts.verify_certificate(as_receipt, keys)["reason"] == "algorithm"
    assert not receipts.is_certificate("no certificate")


def test_what_stays_has_its_law_and_its_end() -> None:
    ends = {one["what"]: (one["at_least"], one["until"]) for one in KEPT}
    assert ends["backups_of_data_keys"] == (None, (NOW + timedelta(days=7)).date().isoformat())
    assert ends["consent_evidence"] == ("2029-06-15", None)
