"""What a test of pages looks at in a browser: faults of access, blocked scripts and styles, width, words, the focus, paper, what is kept."""

from __future__ import annotations

import re
import unicodedata
from typing import Any

from axe_playwright_python.base import AXE_FILE_PATH
from babel.support import NullTranslations
from playwright.sync_api import ConsoleMessage, Page, Request, Response

WIDE, NARROW, HEIGHT = 1280, 320, 800
TAGS = ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"]
PSEUDO = "en_XA"

COLLECT = """
window.__blocked = [];
document.addEventListener("securitypolicyviolation", (event) => window.__blocked.push(event.violatedDirective + " " + event.blockedURI));
"""
"""Runs before every page: what the page's policy blocked."""

_TEXTS = """() => {
  const skipped = "script, style, code, pre, kbd, time, svg, [translate=no], .machine, td.k-text, td.k-list, .crumbs [aria-current], "
    + "option[value]:not([value=''])";
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
  const named = document.querySelector("h1[translate=no]");
  return found.concat(named ? document.title.replace(named.textContent.trim(), "") : document.title).filter(Boolean);
}"""

_WIDE = """() => {
  const most = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= most) return [];
  const inside = (element) => { for (let one = element.parentElement; one; one = one.parentElement)
    if (getComputedStyle(one).overflowX !== "visible" && one !== document.documentElement && one !== document.body) return true; return false; };
  const found = [...document.body.querySelectorAll("*")].filter((one) => one.getBoundingClientRect().right > most + 1 && !inside(one))
    .map((one) => one.tagName + "." + one.className + " " + Math.round(one.getBoundingClientRect().right));
  return found.length ? found : ["something inside a region that scrolls: " + document.documentElement.scrollWidth];
}"""

_CLIPPED = """() => [...document.body.querySelectorAll("*")].filter((one) => {
  if (![...one.childNodes].some((child) => child.nodeType === 3 && child.textContent.trim())) return false;
  const style = getComputedStyle(one), box = one.getBoundingClientRect();
  if (box.width <= 1 || one.closest(".visually-hidden, option, select, textarea, svg")) return false;
  const cut = (way) => style[way] === "hidden" || style[way] === "clip";
  return cut("overflowX") && one.scrollWidth > one.clientWidth + 1 || cut("overflowY") && one.scrollHeight > one.clientHeight + 1;
}).map((one) => one.tagName + "." + one.className + ": " + one.textContent.trim().slice(0, 60))"""

_FOCUSED = """(one) => {
  const wrong = [], style = getComputedStyle(one);
  const name = one.tagName + "." + one.className + " " + (one.getAttribute("aria-label") || one.textContent).trim().slice(0, 40);
  const labels = one.labels ? [...one.labels] : [];
  if (style.outlineStyle === "none" || parseFloat(style.outlineWidth) < 2) wrong.push("shows no focus: " + name);
  const places = [[0.5, 0.5], [0.1, 0.5], [0.9, 0.5], [0.5, 0.1], [0.5, 0.9]];
  const uncovered = [...one.getClientRects()].some((box) => places.some(([across, down]) => {
    const top = document.elementFromPoint(box.left + box.width * across, box.top + box.height * down);
    return top && (one.contains(top) || labels.some((label) => label.contains(top)));
  }));
  if (!uncovered) wrong.push("covered: " + name);
  return wrong;
}"""

_EACH_FOCUS = """() => {
  const look = FOCUSED, wrong = [];
  const takes = "a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex]";
  for (const one of document.querySelectorAll(takes)) {
    if (one.disabled || one.tabIndex < 0 || one.closest("dialog:not([open])")) continue;
    if (!one.checkVisibility({ visibilityProperty: true }) || one.closest(".visually-hidden")) continue;
    if (one.tabIndex > 0) wrong.push("out of turn: " + one.outerHTML.slice(0, 80));
    one.focus();
    if (document.activeElement === one) wrong.push(...look(one)); else wrong.push("takes no focus: " + one.outerHTML.slice(0, 80));
  }
  return wrong;
}""".replace("FOCUSED", _FOCUSED)

_READABLE = """() => {
  const found = {}, upgraded = "[data-copy], [data-drawn], [data-opens], [data-pause], [hidden], dialog, noscript";
  for (const kind of ["h1", "h2", "h3", "table", "th[scope=col]", "a", "form", "select", "input:not([type=hidden])", "dt", "li", "figure"])
    found[kind] = [...document.querySelectorAll("main " + kind)].filter((one) => one.checkVisibility() && !one.closest(upgraded)).length;
  return found;
}"""

_ON_PAPER = """() => [...document.querySelectorAll("header.top, nav, form.filters, .find, .languages, .menu, .skip, .page-actions, .paging, dialog")]
  .filter((one) => one.checkVisibility() && one.getBoundingClientRect().height > 0).map((one) => one.tagName + "." + one.className)"""

_KEPT = """async () => ({
  local: { ...localStorage }, session: { ...sessionStorage }, cookies: document.cookie,
  databases: await indexedDB.databases(), caches: await caches.keys(),
  workers: (await navigator.serviceWorker.getRegistrations()).length,
})"""


class Watch:
    """What a tab's browser says and asks for."""

    def __init__(self, tab: Page, address: str) -> None:
        self._own = address
        self.begin()
        tab.on("console", self._heard)
        tab.on("pageerror", lambda error: self.faults.append(f"the script failed: {error}"))
        tab.on("request", self._asked)
        tab.on("response", self._answered)

    def begin(self) -> None:
        """Forgets what was noticed so far."""
        self.faults: list[str] = []
        """Errors on the console, requests to strangers, and answers that a browser may keep though they are no files of ours."""

    def _heard(self, message: ConsoleMessage) -> None:
        """An error, but for the one that only repeats the status of the page itself."""
        if message.type == "error" and not message.text.startswith("Failed to load resource: the server responded with a status of 4"):
            self.faults.append(message.text)

    def _asked(self, request: Request) -> None:
        if not request.url.startswith((self._own + "/", "data:")):
            self.faults.append(f"asked a stranger: {request.url}")

    def _answered(self, response: Response) -> None:
        path = response.url.removeprefix(self._own)
        if (
            response.headers.get("cache-control") != "no-store"
            and not ("static/" in path and "v=" in path)
            and not path.startswith("data:")
        ):
            self.faults.append(f"may be kept: {path}")


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
    """Every second vowel twice, since many languages need a quarter more."""
    vowels, found = 0, []
    for sign in text:
        if sign in "aeiouAEIOU":
            vowels += 1
            found.append(unicodedata.normalize("NFC", sign + "\u0301") * (1 + vowels % 2))
        else:
            found.append(sign)
    return "".join(found)


def axe_violations(page: Page) -> list[str]:
    """What axe finds against WCAG 2.2 AA: rule and place."""
    if page.evaluate("typeof axe") == "undefined":
        page.evaluate(AXE_FILE_PATH.read_text(encoding="utf-8"))
    options = {
        "runOnly": {"type": "tag", "values": TAGS},
        "resultTypes": ["violations"],
        "preload": False,
    }  # our sheets ask for no orientation
    found: list[dict[str, Any]] = page.evaluate("async (options) => (await axe.run(options)).violations", options)
    return [f"{one['id']}: {node['target']} {node.get('failureSummary', '')}" for one in found for node in one["nodes"]]


def wear(page: Page, theme: str, width: int) -> None:
    """Shows the page by day or by night, and as wide as said, without asking for it again."""
    page.evaluate("theme => { document.documentElement.dataset.bsTheme = theme; }", theme)
    page.set_viewport_size({"width": width, "height": HEIGHT})


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
        rest = re.sub(r"⟦[^⟦⟧]*\Z|\A[^⟦⟧]*⟧", "", rest)  # a moment or a number in an element of its own cuts its sentence in two
        rest = re.sub(r"\d [KMGT]iB\b", "", rest)  # a unit is the same in every language
        if re.search(r"[^\W\d_]{2,}", rest):
            left.append(text)
    return left


def clipped(page: Page) -> list[str]:
    """Texts of which a part is cut off."""
    cut: list[str] = page.evaluate(_CLIPPED)
    return cut


def at_focus(page: Page) -> list[str]:
    """What is wrong with the stop of the keyboard where it is now: not shown, or covered by something."""
    wrong: list[str] = page.evaluate(f"({_FOCUSED})(document.activeElement)")
    return wrong


def every_focus(page: Page) -> list[str]:
    """What is wrong with any stop of the keyboard on the page."""
    page.keyboard.press("Tab")  # from here on the browser shows the focus
    wrong: list[str] = page.evaluate(_EACH_FOCUS)
    return wrong


def readable(page: Page) -> dict[str, int]:
    """How much of everything that is read there is in a page's content, without what a script adds for comfort."""
    found: dict[str, int] = page.evaluate(_READABLE)
    return found


def printed(page: Page) -> list[str]:
    """What is on the paper and leads nowhere there."""
    shown: list[str] = page.evaluate(_ON_PAPER)
    return shown


def kept(page: Page) -> dict[str, Any]:
    """What scripts could find in the browser's stores."""
    found: dict[str, Any] = page.evaluate(_KEPT)
    return found
