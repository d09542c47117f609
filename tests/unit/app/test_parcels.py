"""Uploads on the disk: sealed, durable, readable in any order."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app import parcels
from privacy.errors import Conflict, NotFound


class Xor:
    """A seal for tests: bound to parcel and place, longer than its content."""

    def seal(self, parcel: str, offset: int, block: bytes) -> bytes:
        return f"{parcel}:{offset}:".encode() + bytes(one ^ 0x5A for one in block)

    def unseal(self, parcel: str, offset: int, block: bytes) -> bytes:
        prefix = f"{parcel}:{offset}:".encode()
        assert block.startswith(prefix)
        return bytes(one ^ 0x5A for one in block.removeprefix(prefix))


@given(blocks=st.lists(st.binary(min_size=1, max_size=40), min_size=1, max_size=12), data=st.data())
@settings(max_examples=60, deadline=None)
def test_what_was_added_in_blocks_is_read_at_any_place(
    tmp_path_factory: pytest.TempPathFactory, blocks: list[bytes], data: st.DataObject
) -> None:
    folder, plain, sealed = tmp_path_factory.mktemp("parcels"), b"".join(blocks), 0
    for number, block in enumerate(blocks):
        with parcels.writing(folder, "imp_1", Xor()) as writer:
            writer.cut(sealed)
            sealed = writer.add(sum(map(len, blocks[:number])), block)
        with parcels.path_of(folder, "imp_1").open("ab") as torn:
            torn.write(data.draw(st.binary(max_size=30)))
    with parcels.opener(folder, "imp_1", Xor(), sealed)() as file:
        assert file.read() == plain
        for _ in range(5):
            start, length = data.draw(st.integers(0, len(plain) + 3)), data.draw(st.integers(0, len(plain) + 3))
            assert file.seek(start) == start
            assert file.read(length) == plain[start : start + length]
        assert file.seek(-1, io.SEEK_END) == len(plain) - 1
        assert file.read() == plain[-1:]


def test_one_adds_to_a_parcel_at_a_time_and_nobody_else_reads_the_folder(tmp_path: Path) -> None:
    folder = tmp_path / "uploads"
    with parcels.writing(folder, "imp_1", Xor()), pytest.raises(Conflict) as busy, parcels.writing(folder, "imp_1", Xor()):
        pass
    assert busy.value.code == "upload_busy"
    assert folder.stat().st_mode & 0o777 == 0o700
    assert parcels.path_of(folder, "imp_1").stat().st_mode & 0o777 == 0o600


def test_a_parcel_that_was_removed_is_gone_and_removing_twice_is_no_error(tmp_path: Path) -> None:
    with parcels.writing(tmp_path, "imp_1", Xor()) as writer:
        sealed = writer.add(0, b"x")
    parcels.remove(tmp_path, "imp_1")
    parcels.remove(tmp_path, "imp_1")
    with pytest.raises(NotFound) as gone:
        parcels.opener(tmp_path, "imp_1", Xor(), sealed)()
    assert gone.value.code == "upload_gone"
