"""Somebody who opens everything: follows every link of every page that a role is shown, without a browser.

Promise: what can be reached by clicking is reached, and nothing leads to another site; of one page with many choices in its address only
the first few are opened.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

from pypdf import PdfReader
from werkzeug.test import TestResponse

from tests.house import Browser

ALIKE = 6
"""How many addresses of one path are opened."""
SHOWN = {"a": "href", "link": "href", "img": "src", "script": "src"}


@dataclass(frozen=True, slots=True)
class Opened:
    """What an address answered, and the page on which it stood."""

    address: str
    on: str
    status: int
    kind: str
    text: str


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        held = {name: value or "" for name, value in attrs}
        self.found += [held[name] for name in (SHOWN.get(tag), "data-poll", "data-spec", "data-vega") if name in held]
        self.found += [part.split()[0] for part in held.get("srcset", "").split(",") if part.strip()]
        if tag == "form" and held.get("method", "get").lower() == "get":
            self.found.append(held.get("action", ""))


def links(page: str, address: str) -> Iterator[str]:
    """The addresses that a page leads to or shows, without what stands behind #; raises AssertionError where one is another site's."""
    reader = _Links()
    reader.feed(page)
    for found in reader.found:
        parts = urlsplit(urljoin(address, found))
        assert (parts.scheme, parts.netloc) == ("", ""), f"{address} leads to another site: {found}"
        yield parts.path + (f"?{parts.query}" if parts.query else "")


def read(answer: TestResponse) -> str:
    """What somebody reads in an answer: the text of a PDF is what stands on its sheets."""
    if answer.mimetype == "application/pdf":
        return "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(answer.get_data())).pages)
    if answer.mimetype == "application/zip":
        with zipfile.ZipFile(io.BytesIO(answer.get_data())) as archive:
            return "\n".join(archive.read(name).decode() for name in archive.namelist())
    return answer.get_data(as_text=True)


def crawl(browser: Browser, starts: Iterable[str] = ("/",)) -> list[Opened]:
    """Everything that can be reached from the first pages."""
    waiting = deque((start, "") for start in starts)
    seen, alike, opened = {start for start, _ in waiting}, Counter[str](), []
    while waiting:
        address, on = waiting.popleft()
        path = re.sub(r"[a-z]{3}_\w{12,}", "…", address.partition("?")[0])
        alike[path] += 1
        if alike[path] > ALIKE or "/static/" in path:
            continue
        with browser.get(address, headers={"Accept": "text/html,*/*;q=0.8"}) as answer:
            found = Opened(address, on, answer.status_code, answer.mimetype, read(answer))
        opened.append(found)
        more = [answer.headers["Location"]] if found.status in (301, 302, 303) else []
        if found.kind == "text/html":
            more += links(found.text, address)
        for one in more:
            if one not in seen:
                seen.add(one)
                waiting.append((one, address))
    return opened
