"""The languages of the console: which one a reader gets, its sentences, and how it writes numbers, days and money.

Promise: catalogues are text (`translations/<language>/<part>.po`), merged when the program starts; what is fuzzy or missing shows in
English. The reader's own setting counts before the cookie, the cookie before what the browser says. Must never learn who a customer is.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any, cast

from babel import Locale
from babel import dates as babel_dates
from babel import numbers as babel_numbers
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations
from flask import Flask, current_app, g, has_request_context, request
from flask_babel import Babel, Domain, gettext, ngettext
from markupsafe import Markup

from app.guard import services

__all__ = ["LANGUAGES", "N_", "_", "catalogue", "current", "day", "instant", "money", "month", "ngettext", "number", "register", "share"]

LANGUAGES = {"en": "English", "zh_Hans_CN": "简体中文"}
"""Catalogue → its name in its own words."""

TAGS = {"en": "en", "zh_Hans_CN": "zh-Hans-CN"}
"""Catalogue → what `<html lang>` says."""

COOKIE = "piying_language"
FOLDER = Path(__file__).parent / "translations"

_ = gettext


def N_(message: str) -> str:
    """Marks a sentence that is translated where it is shown."""
    return message


@cache
def catalogue(language: str, folder: Path = FOLDER) -> NullTranslations:
    """All sentences of a language, out of every part's file."""
    merged = NullTranslations()
    for path in sorted((folder / language).glob("*.po")):
        with path.open("rb") as file:
            sentences = read_po(file, locale=language)
        compiled = BytesIO()
        write_mo(compiled, sentences)
        compiled.seek(0)
        part = Translations(compiled)
        if isinstance(merged, Translations):
            merged.merge(part)
        else:
            merged = part
    return merged


class Catalogues(Domain):  # type: ignore[misc]  # flask_babel carries no types
    """The sentences of every language, in memory; a test may put a language of its own beside them."""

    def __init__(self) -> None:
        super().__init__(domain="messages")
        self.known: dict[str, NullTranslations] = {language: catalogue(language) for language in LANGUAGES}

    def get_translations(self) -> NullTranslations:
        return self.known[current()]


def register(app: Flask) -> None:
    """Gives the application its languages and the filters that write numbers and times."""
    babel = Babel()
    babel.init_app(app, default_locale="en", locale_selector=lambda: str(locale()))
    babel.domain_instance = Catalogues()
    app.jinja_env.filters.update(day=day, month=month, instant=instant, number=number, money=money, share=share, bytes=size)


# ── which language ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def current() -> str:
    """The catalogue of this request: the account's setting, else the cookie, else what the browser prefers, else English."""
    if not has_request_context():
        return "en"
    caller = g.get("caller")
    key = caller.account_id if caller else ""
    found = g.setdefault("languages", {})
    if key not in found:
        found[key] = _chosen(key)
    return str(found[key])


def forget() -> None:
    """Chooses again: the language was changed in this request."""
    g.pop("languages", None)


def known() -> dict[str, NullTranslations]:
    """The catalogues of this application."""
    return cast(Catalogues, current_app.extensions["babel"].instance.domain_instance).known


def _chosen(account_id: str) -> str:
    mine = _setting(account_id) if account_id else ""
    for choice in (mine, request.cookies.get(COOKIE, "")):
        if choice in known():
            return choice
    return preferred(tag for tag, _quality in request.accept_languages)


def _setting(account_id: str) -> str:
    from app import choices

    return choices.of(services(), account_id).language


def preferred(tags: Iterable[str]) -> str:
    """The first language of a browser's list that we speak."""
    for tag in tags:
        family = tag.lower().replace("_", "-").split("-")[0]
        if family in ("zh", "en"):
            return "zh_Hans_CN" if family == "zh" else "en"
    return "en"


def locale() -> Locale:
    """How the reader's language writes numbers and days."""
    language = current()
    return Locale.parse(language if language in LANGUAGES else "en")


# ── numbers, days, money ───────────────────────────────────────────────────────────────────────────────────────────────────────


def day(value: date | datetime | str | None) -> str:
    """A day in words: 22 November 2026, 2026年11月22日."""
    if not value:
        return "–"
    moment = _local(value)
    return babel_dates.format_date(moment, "long" if locale().language == "zh" else "d MMMM y", locale=locale())


def month(value: int | str) -> str:
    """A data month (202611 or 2026-11) in words."""
    text = str(value).replace("-", "")
    first = date(int(text[:4]), int(text[4:6]), 1)
    return babel_dates.format_date(first, "y年M月" if locale().language == "zh" else "MMMM y", locale=locale())


def instant(value: datetime | str | None) -> Markup:
    """A moment in the deployment's own time, with UTC behind it."""
    if not value:
        return Markup("–")
    moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    utc = moment.astimezone(UTC)
    local = _local(moment)
    return Markup('<time datetime="{}" title="{} UTC">{}</time>').format(
        utc.strftime("%Y-%m-%dT%H:%M:%SZ"), utc.strftime("%Y-%m-%d %H:%M:%S"), local.strftime("%Y-%m-%d %H:%M")
    )


def number(value: float | None, places: int = 0) -> str:
    """A count with its thousands apart."""
    if value is None:
        return "–"
    pattern = "#,##0" + ("." + "0" * places if places else "")
    return babel_numbers.format_decimal(value, pattern, locale=locale())


def span(seconds: float | None) -> str:
    """A time that something took, in the unit that it is read in."""
    if seconds is None:
        return "–"
    for least, unit, said in ((172_800, 86_400, N_("%(n)s d")), (7_200, 3_600, N_("%(n)s h")), (120, 60, N_("%(n)s min"))):
        if seconds >= least:
            return _(said, n=number(seconds / unit, 1))
    return _("%(n)s s", n=number(seconds))


def money(minor: int | None, currency: str | None = None) -> str:
    """An amount in minor units as people write it."""
    if minor is None:
        return "–"
    unit = currency or services().settings.currency
    places = babel_numbers.get_currency_precision(unit)
    return babel_numbers.format_currency(minor / 10**places, unit, locale=locale())


def share(value: float | None, places: int = 1) -> str:
    """A part of one in per cent."""
    if value is None:
        return "–"
    return babel_numbers.format_percent(value, "#,##0." + "0" * places + "%" if places else "#,##0%", locale=locale())


def size(value: int | None) -> str:
    """Bytes in the nearest unit."""
    if value is None:
        return "–"
    amount, unit = float(value), "B"
    for unit in ("B", "KiB", "MiB", "GiB", "TiB"):
        if amount < 1024 or unit == "TiB":
            break
        amount /= 1024
    return f"{number(amount, 0 if unit == 'B' else 1)} {unit}"


def _local(value: Any) -> Any:
    """The value's day or moment in the deployment's zone."""
    if isinstance(value, str):
        value = datetime.fromisoformat(value) if "T" in value or " " in value else date.fromisoformat(value)
    return value.astimezone(services().settings.time_zone) if isinstance(value, datetime) else value
