"""The points of a compliance audit (个人信息保护合规审计管理办法, in force since 2025-05-01, and the guideline in its annex), each with its evidence.

Promise: every point names what proves it or says why it does not apply here; none is silently empty. The order and the articles are those of the
guideline as remembered [M], in our own words; a lawyer confirms them.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files


@dataclass(frozen=True, slots=True)
class Point:
    """`controls` are checks of ours, `papers` kinds of dossier, `acts` beginnings of names of acts in the log, `parts` of the register."""

    number: int
    title: Mapping[str, str]
    law: str
    controls: Sequence[str] = ()
    papers: Sequence[str] = ()
    acts: Sequence[str] = ()
    parts: Sequence[str] = ()
    not_applicable: Mapping[str, str] | None = None


@cache
def points() -> tuple[Point, ...]:
    """Every point in its order."""
    listed = tomllib.loads((files("privacy.accountability") / "points.toml").read_text("utf-8"))["point"]
    return tuple(
        Point(
            number=one["number"],
            title={"en": one["en"], "zh": one["zh"]},
            law=one["law"],
            controls=tuple(one.get("controls", ())),
            papers=tuple(one.get("papers", ())),
            acts=tuple(one.get("acts", ())),
            parts=tuple(one.get("parts", ())),
            not_applicable={"en": one["not_en"], "zh": one["not_zh"]} if "not_en" in one else None,
        )
        for one in listed
    )
