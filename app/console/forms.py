"""A form with a file, read as it comes: the small fields first, then the file's bytes for whoever stores them.

Promise: nothing of the form is ever put on a disk here, and no more than a block of it is in memory. What stands before the file is known
before a byte of the file is read; what stands behind it is not looked at. A file that breaks off is an error, never a short file.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import IO, Any

from flask import Request
from werkzeug.exceptions import HTTPException
from werkzeug.http import parse_options_header
from werkzeug.sansio.multipart import Data, Field, File, MultipartDecoder, NeedData

from privacy.errors import Invalid

STEP = 65_536
"""Bytes read at once."""
MOST_FIELDS = 16
LARGEST_FIELD = 65_536


class SentFile(io.RawIOBase):
    """A form whose fields were read and whose file is read from now on."""

    def __init__(self, stream: IO[bytes], content_type: str) -> None:
        options = parse_options_header(content_type)[1]
        boundary = options.get("boundary", "")
        if not boundary or len(boundary) > 200 or not boundary.isascii():
            raise _broken()
        self._decoder = MultipartDecoder(boundary.encode(), max_form_memory_size=4 * STEP, max_parts=MOST_FIELDS)
        self._stream = stream
        self._events = self._read()
        self._rest = b""
        self._ended = False
        self.fields: dict[str, str] = {}
        self.filename = self._to_the_file()

    def _read(self) -> Iterator[Any]:
        while True:
            try:
                event = self._decoder.next_event()
            except (ValueError, UnicodeDecodeError, HTTPException):
                raise _broken() from None
            if not isinstance(event, NeedData):
                yield event
                continue
            block = self._stream.read(STEP)
            if not block:
                raise _broken()
            try:
                self._decoder.receive_data(block)
            except HTTPException:
                raise _broken() from None

    def _to_the_file(self) -> str:
        """Reads the fields; stops where the file begins."""
        name, value = "", b""
        for event in self._events:
            if isinstance(event, File):
                return event.filename
            if isinstance(event, Field):
                name, value = event.name or "", b""
            if isinstance(event, Data):
                value += event.data
                if len(value) > LARGEST_FIELD:
                    raise _broken()
                if not event.more_data:
                    self.fields[name] = value.decode("utf-8", "replace")
        raise _broken()

    def readable(self) -> bool:
        return True

    def readinto(self, target: Any) -> int:
        while not self._rest and not self._ended:
            event = next(self._events)
            if isinstance(event, Data):
                self._rest, self._ended = event.data, not event.more_data
        given = self._rest[: len(target)]
        target[: len(given)] = given
        self._rest = self._rest[len(given) :]
        return len(given)


def of(request: Request, most: int) -> SentFile:
    """The form with a file of a request that may have `most` bytes; raises Invalid (413) above it."""
    request.max_content_length = most
    if request.mimetype != "multipart/form-data" or not request.content_length:
        raise _broken()
    if request.content_length > most:
        raise Invalid("the file is larger than a form takes", code="too_large", field="file")
    return SentFile(request.stream, request.headers.get("Content-Type", ""))


def _broken() -> Invalid:
    return Invalid("the form is not whole, or holds no file", code="form_broken", field="file")
