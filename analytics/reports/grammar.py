"""What may be asked, as a form needs it: each kind's groupings, filters with their public values, measures and prices.

Promise: words of the plans, of the dictionary and of tables without people; nothing here reads a row about anybody or costs anything.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from analytics.reports.base import House, Report

if TYPE_CHECKING:
    from analytics.lake.reader import LakeReader

MOST_VALUES = 200
"""Values of one filter that a form offers; of more it asks for the words themselves."""


def described(kind: Report) -> dict[str, Any]:
    """One kind of report, out of its plan alone."""
    one = kind.most_groupings == 1
    return {
        "kind": kind.kind,
        "measures": [measure.name for measure in kind.measures],
        "choices": list(kind.choices),
        "usual": [measure.name for measure in kind.chosen(())],
        "by": list(kind.by),
        "own": {name: list(values) for name, values in kind.own.items()},
        "groups": [*(name for name in kind.by if one or name not in kind.own), *kind.groups],
        "filters": list(dict.fromkeys([*kind.offered, *kind.parameters])),
        "parameters": [
            {"name": name, "usual": parameter.default, "choices": list(parameter.choices)} for name, parameter in kind.parameters.items()
        ],
        "one_month": kind.needs_close,
        "one_grouping": one,
        "price": kind.rho_nano,
        "prices": list(kind.prices),
    }


def values(kind: Report, reader: LakeReader, house: House) -> dict[str, list[str]]:
    """What each filter of a kind may be set to. An empty list means: not known beforehand, to be named by whoever asks."""
    found = {name: list(kind.values(reader, name, house)) for name in kind.offered}
    found |= {name: list(parameter.choices) for name, parameter in kind.parameters.items()}
    return {name: offered if len(offered) <= MOST_VALUES else [] for name, offered in found.items()}
