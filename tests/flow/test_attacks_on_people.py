"""Attacks 18 (two exports joined), 20 (a dictionary of phone numbers), 22 (free text).

Each test is an attacker with what such an attacker would have; a control shows that the attack finds what there is to find.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import html
import json
import os
import re
import unicodedata
import urllib.error
import urllib.parse
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq

from ingestion import inbox
from privacy.identity import pseudonyms, vault
from privacy.identity.keys import Keyring
from privacy.identity.pseudonyms import MacKey
from tests.house import House, track
from tests.unit.privacy.deidentify.test_freetext import SHAPES

if TYPE_CHECKING:
    pass
from tests.flow.attacks import PHONE, SECRET, Loot, allow, import_feedback, in_lake, loot_of, waiting

# ── 18: two exports, joined on everything ──────────────────────────────────────────────────────────────────────────────────────


def names_of(ring: Keyring, people: bytes) -> dict[str, list[str]]:
    """What each holder of data calls the same people, in the same order: recipients by purpose and epoch, the lake by month, the ledgers."""
    split = [people[start : start + 16] for start in range(0, len(people), 16)]
    named = {}
    for recipient in ("acme", "globex"):
        for purpose in (f"share.{recipient}", "marketing.profiling"):
            for epoch in ("2026", "2027"):
                key = ring.mac_key(pseudonyms.RECIPIENT, recipient, purpose, epoch)
                named[f"{recipient} {purpose} {epoch}"] = [pseudonyms.recipient_pseudonym(key, person) for person in split]
    for month in ("202605", "202606"):
        ids = pseudonyms.virtual_ids(people, ring.block_cipher(pseudonyms.VIRTUAL_ID, month))
        named[f"lake {month}"] = [f"{one:016x}" for one in ids.tolist()]
    for label in (pseudonyms.CONSENT_HANDLE, pseudonyms.LOG_HANDLE, pseudonyms.CONSOLE_HANDLE):
        handles = pseudonyms.handles(people, ring.block_cipher(label)).hex()
        named[label] = [handles[start : start + 32] for start in range(0, len(handles), 32)]
    return named


def test_attack_18_pseudonyms_for_two_recipients_and_purposes_match_nobody_on_any_column(keyring: Keyring) -> None:
    """Whole, by halves, and with the bit that virtual IDs lose: 5,000 people under thirteen names, and not one pair of columns joins."""
    exports = names_of(keyring, os.urandom(16 * 5_000))
    columns = {}
    for holder, names in exports.items():
        columns[holder, "whole"] = set(names)
        columns[holder, "first half"] = {name[:16] for name in names}
        columns[holder, "last half"] = {name[-16:] for name in names}
        columns[holder, "63 bits"] = {f"{int(name[:16], 16) >> 1:016x}" for name in names}
    matches = {(one, other) for one, other in combinations(columns, 2) if one[0] != other[0] and columns[one] & columns[other]}
    assert matches == set()
    assert all(len(columns[holder, "whole"]) == 5_000 for holder in exports)
    assert len(exports) == 13


def test_attack_18_sorting_two_exports_puts_people_in_orders_that_tell_nothing(keyring: Keyring) -> None:
    """The rank of a person in one export says nothing about the rank in another: as many coincidences as chance has."""
    exports = names_of(keyring, os.urandom(16 * 2_000))
    ranks = {
        holder: {number: rank for rank, number in enumerate(sorted(range(2_000), key=names.__getitem__))}
        for holder, names in exports.items()
    }
    for one, other in combinations(ranks, 2):
        assert sum(ranks[one][number] == ranks[other][number] for number in range(2_000)) < 12, (one, other)


# ── 20: a dictionary of phone numbers against everything readable ──────────────────────────────────────────────────────────────


def platform_and_lake(house: House) -> Loot:
    """Full read of the platform's store, the inbox before and the lake after its flush, the catalogue and every file but vault and keys."""
    with house.services.read_jobs() as tx:
        packed = [one.open() for one in inbox.pending(tx, limit=10_000)]
    loot = loot_of(house, house.services.stores.platform_owner)
    house.flush()
    later = loot_of(house, house.services.stores.platform_owner)
    loot.numbers |= later.numbers
    loot.blobs |= later.blobs
    for table in packed:
        loot.take_table(table)
    keys = house.services.settings.keys_path
    for path in sorted(house.home.rglob("*")):
        if path.is_file() and path != keys and not path.name.startswith("vault.db"):
            loot.raw.append(path.read_bytes())
            if path.suffix == ".parquet":
                loot.take_table(pq.ParquetFile(path).read())
    return loot


def forms(phone: str) -> list[bytes]:
    """A number as people write it, as the program normalises it, and as the program's own digests begin (nothing about those is secret)."""
    normal = f"+86{phone}"
    return [phone.encode(), normal.encode(), b"\0\x05phone" + normal.encode()]


def guesses(phones: Sequence[str], keys: Sequence[MacKey], hashes: Sequence[Callable[[bytes], Any]]) -> Iterator[tuple[str, bytes]]:
    """Every digest of every form of every number."""
    asked = [(phone, form) for phone in phones for form in forms(phone)]
    for make in hashes:
        yield from ((phone, make(form).digest()) for phone, form in asked)
    for key in keys:
        made = pseudonyms.macs(key, [form for _, form in asked])
        yield from ((phone, digest) for (phone, _), digest in zip(asked, made, strict=True))


def found_by(loot: Loot, tried: Iterator[tuple[str, bytes]]) -> set[str]:
    """The numbers one of whose digests stands in the loot: its first half, its bits from the second on, or its second half."""
    marks = loot.marks()
    return {
        phone
        for phone, digest in tried
        if digest[:8] in marks or digest[8:16] in marks or (int.from_bytes(digest[:8], "big") >> 1).to_bytes(8, "big") in marks
    }


def sm3(data: bytes) -> Any:
    return hashlib.new("sm3", data)


def hashes() -> list[Callable[[bytes], Any]]:
    plain: list[Callable[[bytes], Any]] = [hashlib.sha256, hashlib.sha1, hashlib.md5, hashlib.blake2b]
    return [*plain, sm3] if "sm3" in hashlib.algorithms_available else plain


def test_attack_20_a_dictionary_of_phones_hits_nothing_readable_even_with_a_recipients_key(sqlite_only: House, tmp_path: Path) -> None:
    """60,000 numbers, the forty real ones among them, hashed and MACed with all that can be read; every readable key on the real ones.

    Control: the same search with the vault's own key in the vault's own store names all forty.
    """
    house = sqlite_only
    _, key = house.source()
    people = [f"138000{number:05d}" for number in range(40)]
    allow(house, key, *(("phone", phone) for phone in people), ("customer_no", "u-1"))
    assert import_feedback(house, tmp_path / "files", [(phone, "很好喝", f"S{phone[-2:]}") for phone in people])["stored"] == 40
    ordered = track(1, event="Order Completed", properties={"order_id": people[0], "products": [{"product_id": "P1", "quantity": 1}]})
    assert house.batch([ordered, track(2, properties={"session_id": people[1], "product_id": "P2"})], key)["stored"] == 2
    loot = platform_and_lake(house)
    ring = house.services.open_keyring()
    theirs = ring.mac_key(pseudonyms.RECIPIENT, "acme", "share.acme", "2026")
    with house.services.stores.vault_owner.read() as tx:
        persons = [vault.lookup(tx, ring, "phone", f"+86{phone}") for phone in people]
    received = [pseudonyms.recipient_pseudonym(theirs, person) for person in persons if person]
    for one in received:
        loot.take(one)
    assert len(received) == 40
    assert len(loot.marks()) > 200
    dictionary = [*people, *(f"139{number:08d}" for number in range(60_000 - len(people)))]
    assert found_by(loot, guesses(dictionary, [theirs], hashes())) == set()
    readable = [MacKey(blob) for blob in sorted(loot.blobs) if 16 <= len(blob) <= 64]
    assert len(readable) > 100
    assert found_by(loot, guesses(people, readable[:1_000], ())) == set()
    beginnings = {digest[:8] for _, digest in guesses(people, [theirs], hashes())}
    assert not [one for raw in loot.raw for one in beginnings if one in raw]
    index = ring.mac_key(pseudonyms.BLIND_INDEX)
    assert found_by(loot_of(house, house.services.stores.vault_owner), guesses(dictionary[:1_000], [index], ())) == set(people)


def test_attack_20_the_search_finds_an_unkeyed_or_badly_keyed_digest() -> None:
    """Control: what earlier systems did (a bare hash, its 63 bits, a MAC under a readable key) would have been found."""
    for planted in (
        hashlib.sha256(f"+86{SECRET}".encode()).digest(),
        hashlib.md5(SECRET.encode()).hexdigest(),
        int.from_bytes(hashlib.sha256(SECRET.encode()).digest()[:8], "big") >> 1,
        pseudonyms.macs(MacKey(b"k" * 32), [SECRET.encode()])[0][:16],
    ):
        loot = Loot()
        loot.take(planted)
        assert found_by(loot, guesses([SECRET, PHONE], [MacKey(b"k" * 32)], hashes())) == {SECRET}


# ── 22: free text ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

ORDER = "订单12345678901380013800的奶茶洒了"
NUMBERS = ("13800138000", "17012345678", "62345678")
NUMERALS = str.maketrans("〇零一二三四五六七八九幺", "001234567891")

CARRIERS: dict[str, Callable[[str], str]] = {
    "plain": lambda text: text,
    "sentence": lambda text: f"你好，{text}，请尽快回复。谢谢！",
    "JSON in a string": lambda text: json.dumps({"note": text}, ensure_ascii=False),
    "JSON with escapes": lambda text: json.dumps({"a": {"b": [text]}}),
    "file name": lambda text: f"IMG_{text.replace('/', '_')}.jpg",
    "URL parameter": lambda text: f"https://shop.example/cb?u={urllib.parse.quote(text)}&n=x",
    "full width": lambda text: "".join(chr(ord(one) + 0xFEE0) if "!" <= one <= "~" else one for one in text),
    "zero width": lambda text: "\u200b".join(text),
    "HTML": lambda text: f"<b>{text}</b><br/>",
    "CSV": lambda text: f'"{text}","好"',
    "split lines": lambda text: text[: len(text) // 2] + "\r\n" + text[len(text) // 2 :],
}
SAMPLES = [(shape, carrier, wrap(text)) for shape, text in {**SHAPES, "order": ORDER}.items() for carrier, wrap in CARRIERS.items()]


def readings(text: str) -> Iterator[str]:
    """A text as patient readers would read it: decoded in every way, digits of every script as digits, nothing else kept."""
    layers = {text, urllib.parse.unquote(text), html.unescape(text), text.encode().decode("unicode_escape", "ignore")}
    joined = re.sub(r"[\s\u200b]", "", unicodedata.normalize("NFKC", text))
    for word in re.findall(r"[A-Za-z0-9+/=_-]{8,}", joined):
        try:
            layers.add(base64.b64decode(word + "=" * (-len(word) % 4)).decode())
        except (binascii.Error, UnicodeDecodeError):
            continue
    for layer in layers:
        yield "".join(str(unicodedata.digit(one)) for one in layer.translate(NUMERALS) if unicodedata.digit(one, None) is not None)


def leaks(text: str | None) -> bool:
    return text is not None and any(number in reading for number in NUMBERS for reading in readings(text))


def test_attack_22_no_hard_sample_of_free_text_reaches_inbox_or_lake(sqlite_only: House, tmp_path: Path) -> None:
    """Twenty shapes in eleven carriers as feedback through the real pipeline. What the scrubber doubts is left out whole."""
    house = sqlite_only
    _, key = house.source()
    allow(house, key, ("phone", PHONE))
    hard = [number for number, (shape, _, text) in enumerate(SAMPLES) if shape != "order" and leaks(text)]
    assert len(SAMPLES) >= 200
    assert len(hard) >= 180, "control: the patient reader reads the samples as they were sent"
    told = import_feedback(house, tmp_path / "files", [(PHONE, text, f"S{number}") for number, (_, _, text) in enumerate(SAMPLES)])
    assert (told["received"], told["stored"]) == (len(SAMPLES), len(SAMPLES))
    inboxed = {row["product_id"]: row["text"] for row in waiting(house, "feedback")}
    house.flush()
    kept = {row["product_id"]: row["text"] for row in in_lake(house, "feedback")}
    assert kept == inboxed
    assert set(kept) == {f"S{number}" for number in range(len(SAMPLES))}
    bad = {(shape, carrier) for number, (shape, carrier, _) in enumerate(SAMPLES) if leaks(kept[f"S{number}"])}
    assert bad == set()
    outcome = Counter(
        "left out" if text is None else "scrubbed" if "⟨" in text else "whole"
        for number, text in ((number, kept[f"S{number}"]) for number, (shape, _, _) in enumerate(SAMPLES) if shape != "order")
    )
    assert outcome.total() == 209
    assert outcome["whole"] == 0
    assert outcome["left out"] < 60, outcome
    for number, (shape, carrier, text) in enumerate(SAMPLES):
        if shape == "order" and carrier in ("plain", "sentence", "JSON in a string", "HTML", "CSV"):
            assert kept[f"S{number}"] == text


def test_attack_22_texts_that_are_left_out_are_counted(sqlite_only: House, tmp_path: Path) -> None:
    house = sqlite_only
    _, key = house.source()
    allow(house, key, ("phone", PHONE))
    (doubted,) = (text for shape, carrier, text in SAMPLES if (shape, carrier) == ("base64", "URL parameter"))
    told = import_feedback(house, tmp_path / "files", [(PHONE, doubted, "S1")])
    assert [row["text"] for row in waiting(house, "feedback")] == [None]
    assert sum(told["dropped_fields"].values()) + sum(told["reasons"].values()) == 1, told
