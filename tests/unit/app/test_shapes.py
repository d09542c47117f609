"""What is not declared is refused, a Boolean is a Boolean, and no message quotes what was sent."""

from __future__ import annotations

from typing import Any

import pytest
from marshmallow import Schema, ValidationError

from app import shapes
from app.errors import path_of

SECRET = "13800138000"
SOURCE: dict[str, Any] = {"name": "web", "kind": "segment"}
CONSENT: dict[str, Any] = {"identifier": {"type": "phone", "value": SECRET}, "purpose": "analytics.statistics", "state": "granted"}
WHY = {"purpose": "service.fulfilment", "reason": "asked to"}

USE_ASKED = {"identifier": CONSENT["identifier"], "purpose": "analytics.statistics"}
NOTICE = {
    "version": "2026-06",
    "items": {"en": {"who": "The shop"}, "zh": {"who": "本店"}},
    "uses": {"analytics.statistics": {"categories": ["orders"], "methods": ["counting"]}},
}
GOOD: dict[type[Schema], dict[str, Any]] = {
    shapes.SourceIn: SOURCE,
    shapes.SourceChangeIn: {"origins": ["https://shop.example"], "categories": {"C4": "analytics.statistics"}, "requests_per_second": 0},
    shapes.RotationIn: {},
    shapes.KeyIn: {"key": "key_0123456789ab"},
    shapes.ClientIn: {"public_key": "PEM"},
    shapes.ClientEndIn: {"client": "cli_" + "0" * 24},
    shapes.SetupCodeIn: {"code": "c" * 43},
    shapes.TokenIn: {},
    shapes.UserIn: {"email": "ana@shop.example", "role": "marketer"},
    shapes.NewLinkIn: {"without_second_step": True},
    shapes.PageIn: {"cursor": "c"},
    shapes.LiveIn: {"type": "track", "outcome": "quarantined", "q": "latte"},
    shapes.ConsentLogIn: {
        "purpose": "analytics.statistics",
        "state": "granted",
        "since": "2026-06-01",
        "case": "cas_" + "A" * 16,
        "limit": 500,
    },
    shapes.AtIn: {"at": "2026-06-15T12:30"},
    shapes.RevealIn: {**WHY, "ref": "0" * 32},
    shapes.DecisionIn: {"purpose": "analytics.statistics", "state": "withdrawn", "collection": "phone"},
    shapes.JobsIn: {"kind": "flush", "state": "failed", "limit": 200},
    shapes.CubeIn: {"measure": "visits", "by": ["store"], "from": "2026-05", "to": "2026-06"},
    shapes.ReleasesIn: {"cursor": "rel_" + "0" * 32},
    shapes.ShareIn: {"team": "east", "percent": 40},
    shapes.ShareConfirmIn: {"share": 1},
    shapes.TeamMemberIn: {"account": "usr_1", "team": ""},
    shapes.GrowthIn: {"old": 7},
    shapes.CosignatureIn: {"note": "a note"},
    shapes.PackIn: {"scope": "period", "since": "2026-06-01", "until": "2026-06-30", "contents": ["policies"]},
    shapes.PurposeIn: {"purpose": "marketing.channel.fax", "names": {"en": "Fax", "zh": "传真"}, "grounds": {"CN": "consent"}},
    shapes.UseIn: {"categories": ["orders"], "methods": ["counting"]},
    shapes.NoticeIn: NOTICE,
    shapes.EndingIn: {"days": 7},
    shapes.WhoIn: CONSENT["identifier"],
    shapes.UseAskedIn: USE_ASKED,
    shapes.DecisionsIn: {"decisions": [USE_ASKED]},
    shapes.RequestsIn: {"tab": "mine", "kind": "access"},
    shapes.RequestIn: {"right": "access", "identifier": CONSENT["identifier"], "reason": "asks what is held"},
    shapes.RequestActIn: {"act": "gather"},
    shapes.ReportIn: {"kind": "rfm", "from": "2026-05", "to": "2026-06", "by": ["channel"], "where": ["channel=pos"]},
    shapes.IdentifierIn: CONSENT["identifier"],
    shapes.GuardianIn: {"relation": "mother", "identifier": CONSENT["identifier"]},
    shapes.ConsentIn: CONSENT,
    shapes.ConsentsIn: {"consents": [CONSENT]},
    shapes.ReplayIn: {"source": "web"},
    shapes.DaysIn: {"from": "2026-06-01"},
    shapes.HeldIn: {"source": "web", "rule": "bad_time", "path": "timestamp"},
    shapes.ImportIn: {"source": "pos", "format": "csv", "size": 7, "sha256": "0" * 64},
    shapes.MappingIn: {"mapping": "record = 'member'"},
    shapes.TrialIn: {},
    shapes.GuessIn: {},
    shapes.WhyIn: WHY,
    shapes.LookupIn: {**WHY, "identifier": CONSENT["identifier"]},
    shapes.CaseIn: {**WHY, "handle": "h"},
    shapes.UnmergeIn: {**WHY, "handle": "h", "merge": "m"},
    shapes.ProposalIn: {**WHY, "proposal": "p"},
}

WRONG: list[tuple[type[Schema], dict[str, Any], str]] = [
    (shapes.SourceIn, {"kind": "segment"}, "name"),
    (shapes.SourceIn, {**SOURCE, "name": "Web Shop"}, "name"),
    (shapes.SourceIn, {**SOURCE, "kind": "fax"}, "kind"),
    (shapes.SourceIn, {**SOURCE, "public": "true"}, "public"),
    (shapes.SourceIn, {**SOURCE, "public": 1}, "public"),
    (shapes.SourceIn, {**SOURCE, "purposes": ["p"] * 33}, "purposes"),
    (shapes.SourceIn, {**SOURCE, "on_no_consent": "store"}, "on_no_consent"),
    (shapes.SourceIn, {**SOURCE, "consent_signals": "believe"}, "consent_signals"),
    (shapes.SourceIn, {**SOURCE, "namespace": "n" * 65}, "namespace"),
    (shapes.SourceIn, {**SOURCE, "categories": {"C4": ""}}, "categories.C4.value"),
    (shapes.SourceIn, {**SOURCE, "requests_per_second": 0}, "requests_per_second"),
    (shapes.SourceIn, {**SOURCE, "root_paths": "yes"}, "root_paths"),
    (shapes.SourceChangeIn, {"public": True}, "public"),
    (shapes.SourceChangeIn, {"origins": ["https://shop.example"] * 33}, "origins"),
    (shapes.SourceChangeIn, {"requests_per_second": "7"}, "requests_per_second"),
    (shapes.RotationIn, {"overlap_hours": 721}, "overlap_hours"),
    (shapes.KeyIn, {"key": "wk_abc"}, "key"),
    (shapes.ClientIn, {"public_key": ""}, "public_key"),
    (shapes.ClientEndIn, {"client": "usr_1"}, "client"),
    (shapes.SetupCodeIn, {"code": "short"}, "code"),
    (shapes.TokenIn, {"scopes": [""]}, "scopes[0]"),
    (shapes.UserIn, {"email": "ana@shop.example"}, "role"),
    (shapes.NewLinkIn, {"without_second_step": "yes"}, "without_second_step"),
    (shapes.PageIn, {"cursor": ""}, "cursor"),
    (shapes.LiveIn, {"outcome": "refused"}, "outcome"),
    (shapes.ConsentLogIn, {"case": "13800138000"}, "case"),
    (shapes.AtIn, {"at": "now"}, "at"),
    (shapes.RevealIn, {**WHY, "ref": "13800138000"}, "ref"),
    (shapes.DecisionIn, {"purpose": "analytics.statistics", "state": "granted", "collection": "telepathy"}, "collection"),
    (shapes.JobsIn, {"state": "lost"}, "state"),
    (shapes.CubeIn, {"measure": "visits", "by": ["a", "b", "c", "d", "e"]}, "by"),
    (shapes.ReleasesIn, {"limit": 501}, "limit"),
    (shapes.ShareIn, {"team": "east", "percent": 101}, "percent"),
    (shapes.ShareConfirmIn, {"share": 0}, "share"),
    (shapes.TeamMemberIn, {"account": "", "team": "east"}, "account"),
    (shapes.GrowthIn, {"old": -1}, "old"),
    (shapes.CosignatureIn, {"note": ""}, "note"),
    (shapes.PackIn, {"scope": "everything"}, "scope"),
    (shapes.PackIn, {"scope": "whole", "contents": ["names"]}, "contents[0]"),
    (shapes.PurposeIn, {"purpose": "x.y", "names": {"fr": "Fax"}, "grounds": {"CN": "consent"}}, "names.fr.key"),
    (shapes.UseIn, {"categories": [], "methods": ["counting"]}, "categories"),
    (shapes.NoticeIn, {**NOTICE, "uses": {}}, "uses"),
    (shapes.EndingIn, {"days": 0}, "days"),
    (shapes.WhoIn, {"type": "fingerprint", "value": "x"}, "type"),
    (shapes.UseAskedIn, {**USE_ASKED, "purpose": ""}, "purpose"),
    (shapes.DecisionsIn, {"decisions": []}, "decisions"),
    (shapes.RequestsIn, {"tab": "yours"}, "tab"),
    (shapes.RequestIn, {"right": "pardon", "identifier": CONSENT["identifier"], "reason": "x"}, "right"),
    (shapes.RequestActIn, {"act": ""}, "act"),
    (shapes.ReportIn, {"kind": "rfm", "from": "May 2026"}, "from"),
    (shapes.ReportIn, {"kind": "rfm", "by": ["a", "b", "c", "d"]}, "by"),
    (shapes.IdentifierIn, {"type": "fingerprint", "value": "x"}, "type"),
    (shapes.IdentifierIn, {"type": "phone", "value": ""}, "value"),
    (shapes.ConsentIn, {**CONSENT, "state": "maybe"}, "state"),
    (shapes.ConsentIn, {**CONSENT, "at": "2026-06-15T04:30:00"}, "at"),
    (shapes.ConsentIn, {**CONSENT, "default_state": "ticked"}, "default_state"),
    (shapes.ConsentIn, {**CONSENT, "collection": "telepathy"}, "collection"),
    (shapes.ConsentsIn, {"consents": []}, "consents"),
    (shapes.ConsentsIn, {"consents": [CONSENT] * 1001}, "consents"),
    (shapes.ConsentsIn, {"consents": [{**CONSENT, "identifier": {"type": "phone"}}]}, "consents[0].identifier.value"),
    (shapes.ReplayIn, {"source": ""}, "source"),
    (shapes.ReplayIn, {"source": "web", "rule": "no_such_rule"}, "rule"),
    (shapes.DaysIn, {"from": "yesterday"}, "from"),
    (shapes.HeldIn, {"limit": 1001}, "limit"),
    (shapes.HeldIn, {"cursor": 2**63}, "cursor"),
    (shapes.ImportIn, {"source": "pos", "format": "csv", "size": 0, "sha256": "0" * 64}, "size"),
    (shapes.ImportIn, {"source": "pos", "format": "csv", "size": 7, "sha256": "0" * 63}, "sha256"),
    (shapes.MappingIn, {"mapping": ""}, "mapping"),
    (shapes.TrialIn, {"mapping": "x" * 65_537}, "mapping"),
    (shapes.GuessIn, {"record": ""}, "record"),
    (shapes.WhyIn, {**WHY, "reason": ""}, "reason"),
    (shapes.LookupIn, {**WHY, "identifier": {"type": "phone"}}, "identifier.value"),
    (shapes.CaseIn, {**WHY, "handle": ""}, "handle"),
    (shapes.UnmergeIn, {**WHY, "handle": "h"}, "merge"),
    (shapes.ProposalIn, WHY, "proposal"),
]


@pytest.mark.parametrize("shape", GOOD, ids=lambda shape: shape.__name__)
def test_what_is_well_formed_passes_and_an_unknown_member_does_not(shape: type[Schema]) -> None:
    assert shape().load(GOOD[shape])
    with pytest.raises(ValidationError):
        shape().load({**GOOD[shape], "extra": 1})


def paths(messages: Any, path: tuple[str | int, ...] = ()) -> list[str]:
    if not isinstance(messages, dict):
        return [path_of(path)]
    return [one for name, inner in messages.items() for one in paths(inner, (*path, name))]


@pytest.mark.parametrize(("shape", "body", "field"), WRONG)
def test_what_breaks_a_rule_is_named_by_its_field(shape: type[Schema], body: dict[str, Any], field: str) -> None:
    with pytest.raises(ValidationError) as wrong:
        shape().load(body)
    assert paths(wrong.value.messages) == [field]


def test_every_shape_is_tried() -> None:
    known = {one for one in vars(shapes).values() if isinstance(one, type) and issubclass(one, Schema)}
    assert known - {Schema, shapes.Strict} == set(GOOD)


def test_a_report_asks_for_the_last_closed_month_unless_told() -> None:
    told = shapes.ReportIn().load({"kind": "rfm"})
    assert (told["from_"], told["to"], told["by"], told["where"]) == (None, None, [], [])
