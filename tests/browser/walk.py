"""What a test of pages looks at in a browser: faults of access, blocked scripts and styles, width, words that nobody translated."""

from __future__ import annotations

import re
import unicodedata
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from babel.support import NullTranslations
from playwright.sync_api import Page

TAGS = ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"]
PSEUDO = "en_XA"

COLLECT = """
window.__blocked = [];
document.addEventListener("securitypolicyviolation", (event) => window.__blocked.push(event.violatedDirective + " " + event.blockedURI));
"""
"""Runs before every page: what the page's policy blocked."""

_TEXTS = """() => {
  const skipped = "script, style, code, pre, kbd, time, svg, [translate=no], .machine, td.k-text, td.k-list, option[value]:not([value=''])";
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const parent = walker.currentNode.parentElement;
    if (parent && !parent.closest(skipped)) found.push(walker.currentNode.textContent.trim());
  }
  for (const element of document.querySelectorAll("[placeholder], [aria-label], [alt], [title]:not(time)")) {
    if (!element.closest("[translate=no]"))
      for (const name of ["placeholder", "aria-label", "alt", "title"]) found.push((element.getAttribute(name) || "").trim());
  }
  return found.concat(document.title).filter(Boolean);
}"""

_WIDE = """() => {
  const most = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= most) return [];
  const inside = (element) => { for (let one = element.parentElement; one; one = one.parentElement)
    if (getComputedStyle(one).overflowX !== "visible" && one !== document.documentElement && one !== document.body) return true; return false; };
  return [...document.body.querySelectorAll("*")].filter((one) => one.getBoundingClientRect().right > most + 1 && !inside(one))
    .map((one) => one.tagName + "." + one.className + " " + Math.round(one.getBoundingClientRect().right));
}"""


class Pseudo(NullTranslations):
    """A language for tests: every sentence in brackets and accents, longer than it was, its placeholders whole."""

    def gettext(self, message: str) -> str:
        return pseudo(message)

    def ngettext(self, msgid1: str, msgid2: str, num: int) -> str:
        return pseudo(msgid1 if num == 1 else msgid2)

    ugettext = gettext
    ungettext = ngettext


def pseudo(message: str) -> str:
    """A sentence as the test's language says it."""
    parts = re.split(r"(%\(\w+\)[sd]|%%)", message)
    return "⟦" + "".join(part if place % 2 else _accented(part) for place, part in enumerate(parts)) + "⟧"


def _accented(text: str) -> str:
    return "".join(unicodedata.normalize("NFC", sign + "\u0301") if sign in "aeiouAEIOU" else sign for sign in text)


def axe_violations(page: Page) -> list[str]:
    """What axe finds against WCAG 2.2 AA: rule and place."""
    found: dict[str, Any] = Axe().run(page, options={"runOnly": {"type": "tag", "values": TAGS}, "resultTypes": ["violations"]}).response
    return [f"{one['id']}: {node['target']} {node.get('failureSummary', '')}" for one in found["violations"] for node in one["nodes"]]


def csp_violations(page: Page) -> list[str]:
    """What the page's policy blocked since it was opened."""
    blocked: list[str] = page.evaluate("window.__blocked")
    return blocked


def overflow(page: Page) -> list[str]:
    """What sticks out of the page sideways; tables in their own scrolling region do not count."""
    wide: list[str] = page.evaluate(_WIDE)
    return wide


def untranslated(page: Page) -> list[str]:
    """Texts in the test's language that came from no catalogue."""
    left = []
    for text in page.evaluate(_TEXTS):
        rest = text
        while (shorter := re.sub(r"⟦[^⟦⟧]*⟧", "", rest)) != rest:
            rest = shorter
        if re.search(r"[^\W\d_]{2,}", rest):
            left.append(text)
    return left
