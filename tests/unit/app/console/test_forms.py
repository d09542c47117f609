"""A form with a file, whatever the blocks in which it comes."""

from __future__ import annotations

import io
import random

import pytest

from app.console.forms import LARGEST_FIELD, SentFile
from privacy.errors import Invalid

KIND = "multipart/form-data; boundary=edge"


class Trickle(io.BytesIO):
    """Gives as much at once as a network might."""

    def __init__(self, content: bytes, seed: int) -> None:
        super().__init__(content)
        self._dice = random.Random(seed)

    def read(self, size: int | None = -1) -> bytes:
        return super().read(self._dice.randint(1, max(1, size or 1)) if self._dice.random() < 0.9 else 1)


def body(content: bytes, **fields: str) -> bytes:
    head = "".join(f'--edge\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n' for name, value in fields.items())
    head += '--edge\r\nContent-Disposition: form-data; name="file"; filename="账单.csv"\r\n\r\n'
    return head.encode() + content + b"\r\n--edge--\r\n"


@pytest.mark.parametrize("seed", range(8))
def test_fields_and_file_come_out_as_they_went_in(seed: int) -> None:
    """Also where the file holds what looks like an edge of the form."""
    dice = random.Random(seed)
    content = b"".join(dice.choice([b"\r\n", b"--edg", b"\r\n--edg", b"a,b\n", b"\x00\xff"]) for _ in range(dice.randint(0, 40_000)))
    sent = SentFile(Trickle(body(content, csrf_token="m", source="src_x"), seed), KIND)
    assert (sent.fields, sent.filename) == ({"csrf_token": "m", "source": "src_x"}, "账单.csv")
    assert sent.read() == content


def test_what_stands_before_the_file_is_known_before_the_file_is_read() -> None:
    stream = io.BytesIO(body(b"x" * 5_000_000, csrf_token="m"))
    assert SentFile(stream, KIND).fields == {"csrf_token": "m"}
    assert stream.tell() <= 131_072


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (body(b"x" * 200_000)[:-12], KIND),
        (b"--edge--\r\n", KIND),
        (b"", KIND),
        (b"nonsense", KIND),
        (body(b"x"), "multipart/form-data"),
        (body(b"x"), "multipart/form-data; boundary=" + "b" * 300),
        (body(b"x", field="v" * (LARGEST_FIELD + 1)), KIND),
        (body(b"x", **{f"f{number}": "v" for number in range(20)}), KIND),
        (b"--edge\r\nContent-Type: x\r\n\r\nv\r\n--edge--\r\n", KIND),
        (b"--edge\r\n" + b"h" * 400_000, KIND),
    ],
    ids=[
        "cut short",
        "no file",
        "empty",
        "nonsense",
        "no boundary",
        "long boundary",
        "long field",
        "many fields",
        "no name",
        "long header",
    ],
)
def test_a_form_that_is_none_or_breaks_off_is_an_error_and_never_a_short_file(content: bytes, kind: str) -> None:
    with pytest.raises(Invalid) as caught:
        SentFile(io.BytesIO(content), kind).read()
    assert caught.value.code == "form_broken"
