"""The same files are the same bytes; a changed file is named."""

from __future__ import annotations

import pytest

from privacy.accountability import packing

FILES = {
    "b.json": packing.as_json({"z": 1, "a": "茶"}),
    "a.csv": packing.as_csv(["x", "y"], [{"x": "=1+1", "y": [1, 2]}, {"x": None, "y": -5}]),
}


def test_an_archive_is_the_same_bytes_in_whatever_order() -> None:
    assert packing.zipped(FILES) == packing.zipped(dict(reversed(FILES.items())))
    assert packing.unzipped(packing.zipped(FILES)) == FILES
    with pytest.raises(ValueError, match="no ZIP"):
        packing.unzipped(b"PK nonsense")


def test_json_is_canonical_and_no_cell_runs_as_a_formula() -> None:
    assert FILES["b.json"] == '{\n "a": "茶",\n "z": 1\n}\n'.encode()
    assert FILES["a.csv"] == b"\xef\xbb\xbfx,y\r\n'=1+1,1; 2\r\n,-5\r\n"


def test_a_manifest_finds_what_was_changed_taken_or_added() -> None:
    whole = FILES | {packing.MANIFEST: packing.manifest(FILES, {"range": {}}), packing.SIGNATURE: b"", packing.KEYS: b""}
    assert packing.differing(whole) == []
    assert packing.differing(whole | {"a.csv": b""}) == ["a.csv"]
    assert packing.differing(whole | {"c.txt": b""}) == ["c.txt"]
    assert packing.differing({name: raw for name, raw in whole.items() if name != "b.json"}) == ["b.json"]
