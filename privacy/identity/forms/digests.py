"""Digests of a column in the one dress that recipients know: lower-case hexadecimal, unsalted, of the value's UTF-8 bytes.

Promise: null stays null and the empty text is refused, because the digest of nothing is a value that everybody shares and would join
strangers. An unsalted digest of a telephone number hides nothing from whoever tries all of them (attack 20); it is the recipients' form, not
a protection, and what has it is still personal information (PIPL 4, 73). Pure.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any, Final

import numpy as np
import pyarrow as pa

SHA256: Final = "sha256"
SHA512: Final = "sha512"
MD5: Final = "md5"

_MAKES: Final[Mapping[str, Callable[[bytes], Any]]] = {
    SHA256: hashlib.sha256,
    SHA512: hashlib.sha512,
    MD5: lambda data: hashlib.md5(data, usedforsecurity=False),
}
_BYTES: Final = {SHA256: 32, SHA512: 64, MD5: 16}


def digest(name: str, values: pa.StringArray) -> pa.StringArray:
    """The digest of every value; raises ValueError for an empty one.

    The hash itself runs a value at a time (no library has one for columns); everything around it, the hexadecimal digits included, is done
    for the whole column at once.
    """
    make = _MAKES[name]
    present = values.drop_null()
    raw = [value.as_buffer().to_pybytes() for value in present] if len(present) < 8 else _cut(present)
    if b"" in raw:
        raise ValueError("an empty value has no digest")
    digits = b"".join([make(value).digest() for value in raw]).hex().encode()
    width = _BYTES[name] * 2
    lengths = np.where(np.asarray(values.is_valid().to_numpy(zero_copy_only=False), bool), width, 0)
    offsets = np.concatenate(([0], np.cumsum(lengths))).astype(np.int64)
    validity = None if not values.null_count else pa.array(lengths > 0).buffers()[1]
    made = pa.Array.from_buffers(pa.large_string(), len(values), [validity, pa.py_buffer(offsets), pa.py_buffer(digits)])
    return made.cast(pa.string())


def _cut(values: pa.StringArray) -> list[bytes]:
    """The values' bytes, cut out of the column's one buffer."""
    bounds = np.frombuffer(values.buffers()[1], np.int32)[values.offset : values.offset + len(values) + 1].tolist()
    data = values.buffers()[2]
    held = b"" if data is None else data.to_pybytes()
    return [held[start:end] for start, end in pairwise(bounds)]
