"""The bytes of a part: the same rows the same bytes, in the recipient's own form, and sealed wherever they are not pushed into its interface."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from privacy.delivery import bodies
from privacy.delivery.delivered import DOWNLOAD, PUSH, Export
from privacy.delivery.register import ADD, REMOVE, Delivery
from privacy.errors import Refused
from tests.conftest import NOW

ROWS: list[dict[str, Any]] = [{"PHONE": "b" * 64}, {"PHONE": "a" * 64}]
META = Export("exp_1", "rec_1", PUSH, "lane", "meta", ["PHONE"], ["share.dsp"], {"audience": "a1"}, 2, NOW, None)
PART = Delivery("dlv_1", "rec_1", "exp_1", "lane", 0, ADD, "ab" * 24, 1, 1, NOW, NOW)
KEY = base64.b64encode(X25519PrivateKey.generate().public_key().public_bytes_raw()).decode()


def test_rows_stand_in_the_order_of_their_values_and_twice_the_same_goes_once() -> None:
    made = bodies.plain(META, [*ROWS, ROWS[0]], ADD)
    assert made == bodies.plain(META, list(reversed(ROWS)), ADD)
    assert [row[0][0] for row in json.loads(made)["payload"]["data"]] == ["a", "b"]


def test_a_platform_is_pushed_to_in_clear_digests_and_every_file_is_sealed() -> None:
    assert bodies.in_clear(META)
    for export in (replace(META, way=DOWNLOAD), replace(META, family="sms"), replace(META, family=bodies.PARTNER)):
        assert not bodies.in_clear(export)
        assert bodies.name_of(PART, export).endswith(".csv.sealed")
        assert bodies.rows_per_part(export) == bodies.ROWS_OF_A_FILE
    assert bodies.name_of(replace(PART, action=REMOVE), META) == "remove-exp_1-0000.json"


def test_without_a_key_nothing_is_made_that_would_have_to_be_sealed() -> None:
    export = replace(META, way=DOWNLOAD)
    with pytest.raises(Refused) as refused:
        bodies.parcel(PART, export, b"clear", sealed_for=None, people=1, sign=lambda _: b"s", random=bytes)
    assert refused.value.code == "recipient_key_missing"
    sealed = bodies.parcel(PART, export, b"clear", sealed_for=KEY, people=1, sign=lambda _: b"s", random=bytes)
    assert b"clear" not in sealed.body
    assert sealed.signature == base64.b64encode(b"s").decode()


def test_a_partner_is_told_pseudonyms_alone_of_whom_to_remove() -> None:
    table = Export("exp_1", "rec_1", DOWNLOAD, "lane", bodies.PARTNER, ["person", "city"], ["share.dsp"], {}, 1, NOW, None)
    made = bodies.plain(table, [{"person": "P1", "city": "Suzhou"}], REMOVE).decode()
    assert "Suzhou" not in made
    assert "remove" in made


def test_lists_that_end_in_another_place_are_other_lanes() -> None:
    lanes = {
        bodies.lane_of(way, family, columns, target)
        for way, family, columns, target in (
            (PUSH, "meta", ["PHONE"], {"audience": "a1"}), (PUSH, "meta", ["PHONE"], {"audience": "a2"}), (DOWNLOAD, "meta", ["PHONE"], {}),
            (PUSH, "google", ["PHONE"], {"audience": "a1"}), (PUSH, "meta", ["EMAIL"], {"audience": "a1"}),
        )
    }  # fmt: skip
    assert len(lanes) == 5
