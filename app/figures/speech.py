"""How figures speak: whole sentences through gettext, numbers, money, months and days in the reader's language.

Promise: pure; every sentence a reader sees is one message with named places, so that translators may turn it round.
It must never learn a number that no release or public fact holds: it formats what it is given.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

from babel import Locale, UnknownLocaleError, dates, lists, numbers

Say = Callable[..., str]

MONEY = frozenset({"sales", "cost", "spent_difference", "worth"})
"""Measures in minor units of the currency."""
SHARES = frozenset({"share", "left", "removal", "roi", "sample_share", "rate_difference", "interaction", "level"})
"""Measures that are shares of one."""


@dataclass(frozen=True, slots=True)
class Speech:
    """One language: `gettext(sentence, **places)` and `ngettext(one, many, number, **places)`, as flask-babel gives them."""

    locale: str
    gettext: Say
    ngettext: Say
    currency: str = "CNY"

    @property
    def known(self) -> Locale:
        """The locale for numbers and dates; a language that Babel does not know counts as English."""
        try:
            return Locale.parse(self.locale)
        except (ValueError, UnknownLocaleError):
            return Locale("en")

    @property
    def chinese(self) -> bool:
        return self.known.language == "zh"

    def number(self, value: float) -> str:
        """A number with its thousands set apart, without a fraction unless it is below ten."""
        whole = value if value != int(value) and abs(value) < 10 else round(value)
        return numbers.format_decimal(whole, format="#,##0.##", locale=self.known)

    def share(self, value: float) -> str:
        """A share of one as per cent, with one decimal below ten per cent."""
        return numbers.format_percent(value, format="#,##0%" if abs(value) >= 0.1 or not value else "#,##0.0%", locale=self.known)

    def money(self, minor: float) -> str:
        """An amount in minor units, in whole major units of the deployment's currency."""
        return numbers.format_currency(
            self.major(minor), self.currency, format="¤#,##0", locale=self.known, currency_digits=False, decimal_quantization=True
        )

    def fine_money(self, minor: float) -> str:
        """An amount in minor units with the currency's own digits: what one order is worth."""
        return numbers.format_currency(self.major(minor), self.currency, locale=self.known)

    def major(self, minor: float) -> float:
        """An amount in minor units as major units: 100 fen are one yuan, a yen is a yen."""
        return float(minor / 10 ** numbers.get_currency_precision(self.currency))

    def amount(self, value: float, measure: str) -> str:
        """A released number in its measure's own unit."""
        if measure in SHARES:
            return numbers.format_percent(value, format="#,##0.#%", locale=self.known)
        return self.money(value) if measure in MONEY else self.number(value)

    def scale(self, measure: str) -> float:
        """By how much a number is multiplied in a figure: money is drawn in major units, shares in hundredths."""
        return self.major(1) if measure in MONEY else 100.0 if measure in SHARES else 1.0

    def month(self, month: int) -> str:
        """202610 as "Oct 2026" or 2026年10月."""
        return dates.format_skeleton("yMMM", date(month // 100, month % 100, 1), locale=self.known)

    def day(self, day: date) -> str:
        return dates.format_date(day, format="medium", locale=self.known)

    def together(self, names: Sequence[str]) -> str:
        """Several names in one place of a sentence."""
        return str(lists.format_list(list(names), style="unit", locale=self.known)) if len(names) > 1 else "".join(names)


def step_of(margin: float) -> float:
    """The round number, at most half a margin, to which numbers are rounded: no digit pretends to more than is known."""
    if margin <= 0:
        return 1.0
    exponent = math.floor(math.log10(margin / 2))
    lead = margin / 2 / 10.0**exponent
    return float((5 if lead >= 5 else 2 if lead >= 2 else 1) * 10.0**exponent)


def outward(low: float, high: float) -> tuple[float, float]:
    """Bounds rounded away from each other, so that a shown interval never promises more than the true one; negative ends stay."""
    step = step_of((high - low) / 2)
    return math.floor(low / step + 1e-9) * step, math.ceil(high / step - 1e-9) * step


def nearest(value: float, margin: float) -> float:
    """A value rounded to the step of its margin."""
    step = step_of(margin)
    return round(value / step) * step


def upward(margin: float) -> float:
    """A margin rounded up to two digits."""
    if margin <= 0:
        return 0.0
    step = 10.0 ** (math.floor(math.log10(margin)) - 1)
    return math.ceil(margin / step - 1e-9) * step
