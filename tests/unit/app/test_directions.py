"""The operator's file of destinations: what is written wrong is refused by its word, and never by its value."""

from __future__ import annotations

from pathlib import Path

import pytest

from app import directions
from app.outbound import Guard, hosts_of
from privacy.errors import Invalid, PiyingError

GUARD = Guard(hosts_of(["push.partner.example"]))
GOOD = '[dsp]\nway = "push"\naddress = "https://push.partner.example/v1"\ntoken_file = "dsp.token"\ntarget = { audience = "a1" }\n'


def read(folder: Path, text: str) -> dict[str, directions.Direction]:
    (folder / "destinations.toml").write_text(text, encoding="utf-8")
    return directions.read(folder / "destinations.toml", GUARD)


def test_without_a_file_nobody_is_sent_to(tmp_path: Path) -> None:
    assert directions.read(tmp_path / "destinations.toml", GUARD) == {}


def test_a_section_a_recipient(tmp_path: Path) -> None:
    found = read(tmp_path, GOOD + '[house]\nway = "folder"\nfolder = "house"\n')
    assert (found["dsp"].way, found["dsp"].target, found["house"].folder) == ("push", {"audience": "a1"}, "house")
    assert found["dsp"].address is not None
    assert found["dsp"].address.host == "push.partner.example"


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ('[dsp]\nway = "canary"\n', "dsp.way"),
        ('[dsp]\nway = "folder"\nfolder = "../canary"\n', "dsp.folder"),
        ('[dsp]\nway = "folder"\nfolder = "a"\naddress = "canary"\n', "dsp.address"),
        (GOOD + 'header = "Host"\n', "dsp.header"),
        (GOOD + 'header = "a b"\n', "dsp.header"),
        (GOOD.replace("{ audience", "[ audience").replace('"a1" }', '"a1" ]'), None),
        (GOOD.replace("push.partner.example", "canary.example"), "address"),
        (GOOD.replace("https", "http"), "address"),
        ("dsp = 1\n", "dsp.way"),
        ("[dsp\n", None),
    ],
)
def test_what_is_wrong_is_named_by_its_word_and_not_by_its_value(tmp_path: Path, text: str, field: str | None) -> None:
    with pytest.raises(PiyingError) as caught:
        read(tmp_path, text)
    assert caught.value.field == field
    assert "canary" not in caught.value.message


def test_a_token_is_one_line_in_a_file_of_its_owners(tmp_path: Path) -> None:
    direction = read(tmp_path, GOOD)["dsp"]
    path = tmp_path / "dsp.token"
    for content, mode in ((None, 0), ("T0ken\n", 0o644), ("", 0o600), ("two\nlines", 0o600), ("é", 0o600)):
        if content is not None:
            path.write_text(content, encoding="utf-8")
            path.chmod(mode)
        with pytest.raises(Invalid) as caught:
            directions.token(tmp_path, direction)
        assert caught.value.code == "destination_token"
    path.write_text("T0ken\n", encoding="ascii")
    assert directions.token(tmp_path, direction) == {"Authorization": "T0ken"}
    assert "T0ken" not in repr(direction)
