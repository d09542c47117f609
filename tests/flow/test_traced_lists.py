"""Whose file is this: what a leaked sample went through on its way, and whom it may not accuse (L-10)."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import json
import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from app import exports
from app.cli import exports as commands
from privacy.errors import Invalid
from tests.fakes.paperwork import ADA, AGENCY
from tests.flow.attacked import PARTNER, RIVAL, SECOND, SHAPE
from tests.gatehouse import PHONES, Scene
from tests.house import House

OWNED = [f"+86139{number:08d}" for number in range(40)]
Rows = list[dict[str, str]]


class Desk:
    """Two agencies that were given the same people, and an officer who is handed files."""

    def __init__(self, place: House) -> None:
        self.place, self.first, self.second = place, Scene(place, AGENCY), Scene(place, SECOND)
        place.services.__dict__["exports"] = self.first.door
        self.first.door.own("phone", OWNED, domain=False, actor=ADA)
        for scene in (self.first, self.second):
            scene.door = scene.gate(cap=None)

    def traced(self, rows: Sequence[Mapping[str, Any]], **more: Any) -> dict[str, Any]:
        return dict(exports.trace(self.place.services, written(rows, **more), actor=ADA))


@pytest.fixture
def desk(place: House) -> Desk:
    return Desk(place)


def written(rows: Sequence[Mapping[str, Any]], encoding: str = "utf-8", delimiter: str = ",") -> bytes:
    out = io.StringIO()
    writer = csv.DictWriter(out, list(rows[0]), delimiter=delimiter)
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode(encoding)


def hashed(phone: str, name: str = "sha256") -> bytes:
    return hashlib.new(name, phone.encode()).digest()


def test_a_sample_names_its_recipient_whatever_it_went_through(desk: Desk) -> None:
    """Other columns around and half of its own gone, in another order, spelled otherwise, hashed, in capitals, in base64, as spreadsheets save it."""
    rows = desk.first.opened(desk.first.released())
    phones = [row["phone"] for row in rows]
    random.Random(3).shuffle(phones)
    samples: dict[str, list[dict[str, Any]]] = {
        "lost and sorted": [{"phone": one} for one in sorted(phones)],
        "among others": [{"name": "张三", "city": "北京", "mobile": one, "x": number} for number, one in enumerate(phones)],
        "without the country": [{"tel": one[3:]} for one in phones],
        "with spaces": [{"tel": f"{one[3:6]} {one[6:10]}-{one[10:]}"} for one in phones],
        "full width": [{"tel": "".join(chr(ord(digit) + 0xFEE0) for digit in one[3:])} for one in phones],
        "guarded": [{"tel": f"'{one}"} for one in phones],
        "sha256": [{"h": hashed(one).hex().upper()} for one in phones],
        "mixed cases": [{"h": "".join(random.Random(one).choice((sign, sign.upper())) for sign in hashed(one).hex())} for one in phones],
        "bare md5": [{"h": hashed(one[3:], "md5").hex()} for one in phones],
        "base64": [{"h": base64.b64encode(hashed(one)).decode()} for one in phones],
    }
    for name, sample in samples.items():
        assert desk.traced(sample)["recipient"] == desk.first.recipient, name
    named = samples["among others"]
    for more in ({"encoding": "gb18030"}, {"encoding": "utf-16"}, {"delimiter": "\t"}, {"delimiter": ";"}):
        assert desk.traced(named, **more)["recipient"] == desk.first.recipient, more


def test_two_recipients_samples_in_one_file_name_both_and_accuse_neither_alone(desk: Desk) -> None:
    one, other = (scene.opened(scene.released()) for scene in (desk.first, desk.second))
    told = desk.traced([{"phone": row["phone"]} for row in (*one, *other)])
    assert told["recipient"] is None
    assert {item["recipient"] for item in told["found"]} == {desk.first.recipient, desk.second.recipient}
    assert desk.traced([{"phone": row["phone"]} for row in other])["recipient"] == desk.second.recipient


def test_a_file_that_is_nobodys_accuses_nobody(desk: Desk) -> None:
    """Our own customers, strangers, addresses of ours that nobody was given."""
    given = {row["phone"] for scene in (desk.first, desk.second) for row in scene.opened(scene.released())} - {*PHONES}
    assert len(given) >= 2
    strangers = [f"+86150{number:08d}" for number in range(1_000)]
    for phones in (PHONES, strangers, [one for one in OWNED if one not in given]):
        for spelled in (phones, [hashed(one).hex() for one in phones]):
            assert desk.traced([{"phone": one} for one in spelled]) == {"recipient": None, "found": []}


def test_an_address_of_ours_that_is_a_customers_too_is_in_no_list_and_accuses_nobody(desk: Desk) -> None:
    """Somebody of the staff buys here, before or after their telephone was registered as ours: our customers' file names no recipient."""
    before = OWNED[:39]
    desk.first.allow(before, ["marketing.profiling"])
    first = desk.first.phones(desk.first.released())
    assert first - {*PHONES} == {OWNED[39]}
    desk.first.allow(OWNED[39:], ["marketing.profiling"])
    assert desk.traced([{"phone": one} for one in (*PHONES, *OWNED)]) == {"recipient": None, "found": []}
    assert desk.first.phones(desk.first.released()) == {*PHONES}


def test_half_of_a_partners_table_names_the_partner_by_the_virtual_ids_alone(desk: Desk, place: House) -> None:
    """Without them it names nobody, because what is left are everybody's words."""
    tables: dict[str, Rows] = {}
    for given in (PARTNER, RIVAL):
        scene = Scene(place, given)
        scene.door = scene.gate(cap=None)
        kinds = ["female" if number % 2 else "male" for number in range(len(PHONES))]
        scene.say("all", PHONES, gender=kinds, age_band=["20-24"] * len(PHONES))
        tables[scene.recipient] = scene.opened(scene.released(**SHAPE | {"fields": ("gender", "age_band")}))
    for recipient, rows in tables.items():
        sample = [{"who": row["person"].upper(), "g": row["gender"]} for row in rows[::9]]
        assert desk.traced(sample) == {
            "recipient": recipient, "found": [{"recipient": recipient, "key": known(place, recipient), "marks": len(sample)}],
        }  # fmt: skip
        assert desk.traced([{"g": row["gender"], "a": row["age_band"]} for row in rows])["found"] == []


def known(place: House, recipient: str) -> str:
    return next(str(one["key"]) for one in place.services.recipients.listing() if one["id"] == recipient)


def test_the_command_names_the_recipient_of_a_file(desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`piying export trace FILE`."""
    monkeypatch.setattr(commands, "opened", lambda: desk.place.services)
    monkeypatch.setattr(commands, "_account", lambda *_: ADA)
    rows = desk.first.opened(desk.first.released())
    file = tmp_path / "leak.csv"
    file.write_bytes(written([{"tel": row["phone"][3:]} for row in rows]))
    run = CliRunner().invoke
    told = json.loads(run(commands.trace, [str(file), "--as", "officer@example.com", "--json"]).output)
    assert (told["recipient"], told["found"][0]["key"]) == (desk.first.recipient, "lantern-sms")
    assert "lantern-sms" in run(commands.trace, [str(file), "--as", "officer@example.com"]).output


def test_what_is_no_table_is_refused(desk: Desk) -> None:
    for raw in (b"", b'"a', b"\xff\xfea"):
        with pytest.raises(Invalid) as refused:
            exports.trace(desk.place.services, raw, actor=ADA)
        assert refused.value.code == "trace_file"
