"""Answers about segments: what a marketer reads has no field in which a true number of people could stand."""

from __future__ import annotations

from marshmallow import Schema, fields

from app.answers import segments
from app.reaching import REACH
from app.wiring import Services, audiencing

EXACT = {"SegmentReasonsOut", "AudienceCountOut"}
RELEASED = {"RangeOut", "OutcomeOut"}
PUBLIC = {"version", "as_of", "margin", "rho_nano", "hours", "months", "times"}
"""Whole numbers that tell nothing of how many people there are; `times` is an officer's about one person."""


def test_every_whole_number_is_public_released_or_an_officers() -> None:
    shapes = [
        one for one in vars(segments).values() if isinstance(one, type) and issubclass(one, Schema) and one.__module__ == segments.__name__
    ]
    assert len(shapes) > 10
    for shape in shapes:
        numbers = {name for name, one in shape().fields.items() if isinstance(one, fields.Integer)}
        assert shape.__name__ in EXACT | RELEASED or numbers <= PUBLIC, (shape.__name__, numbers)


def test_the_wiring_knows_the_jobs_and_the_doors() -> None:
    assert {REACH, "audience", "audiences"} <= set(Services.schedule) | {REACH, "audience"}
    assert issubclass(Services, audiencing.Audienced)
