"""One layer of encoding comes off, whatever its kind, and only where something readable is under it."""

from __future__ import annotations

import base64

import pytest

from privacy.deidentify import layers

CLEAR = "13800138000"


@pytest.mark.parametrize(
    "piece",
    [
        base64.b64encode(CLEAR.encode()).decode(),
        base64.urlsafe_b64encode(CLEAR.encode()).decode().rstrip("="),
        CLEAR.encode().hex(),
        CLEAR.encode().hex().upper(),
        "".join(f"%{ord(c):02x}" for c in CLEAR),
        "".join(f"&#{ord(c)};" for c in CLEAR),
        "".join(f"&#x{ord(c):x};" for c in CLEAR),
        "".join(f"\\u{ord(c):04x}" for c in CLEAR),
    ],
)
def test_each_encoding_is_read(piece: str) -> None:
    assert CLEAR in [clear for _, _, clear in layers.pieces(f"x {piece} y")]


def test_base64_on_two_lines_and_invisible_characters_under_percent_signs_are_read() -> None:
    coded = base64.b64encode(CLEAR.encode()).decode()
    assert (2, 20, CLEAR) in list(layers.pieces(f"x {coded[:8]}\r\n{coded[8:]} y"))
    assert "1\u200b3" in [clear for _, _, clear in layers.pieces("u=1%E2%80%8B3&n=x")]


@pytest.mark.parametrize(
    "text",
    [
        "hello\nworld",
        "hello world",
        "12345678901380013800",
        "550e8400-e29b-41d4-a716-446655440000",
        "abcdefghijklmnop",
        "&#99999999;",
        "100%",
    ],
)
def test_what_is_not_encoded_is_left(text: str) -> None:
    assert not list(layers.pieces(text))


def test_a_second_layer_is_noticed() -> None:
    assert layers.encoded(base64.b64encode(CLEAR.encode()).decode())
    assert not layers.encoded("hello")
