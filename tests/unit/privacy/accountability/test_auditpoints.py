"""Every point of an audit names what proves it, and what it names is there; or it says in both languages why it does not apply."""

from __future__ import annotations

from app.accountability import controls
from privacy.accountability.auditpoints import points
from privacy.accountability.dossiers import PREFIXES


def test_every_point_has_evidence_or_a_reason() -> None:
    known = {one.id for one in controls.every()}
    assert [one.number for one in points()] == list(range(1, 27))
    for one in points():
        assert one.title["en"]
        assert one.title["zh"]
        assert one.law
        if one.not_applicable is not None:
            assert one.not_applicable["en"]
            assert one.not_applicable["zh"]
            continue
        assert one.controls or one.papers or one.acts or one.parts
        assert set(one.controls) <= known, one.number
        assert set(one.papers) <= set(PREFIXES)


def test_every_control_answers_some_point() -> None:
    named = {name for one in points() for name in one.controls}
    assert {one.id for one in controls.every()} - named == {"foreign_legal", "assessment_waiting", "jobs_failed"}
