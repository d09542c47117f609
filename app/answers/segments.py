"""Segments and stored audiences in answers. No answer to a marketer holds a true number of people."""

from __future__ import annotations

from marshmallow import fields

from app.answers.papers import PaperOut
from app.answers.parts import flag, many, moment, numbers, real, text, whole
from app.shapes import Strict

USES = ("marketing", "pricing", "terms")
KINDS = ("static", "continuous")


class SentenceOut(Strict):
    en = text()
    zh = text()


class SaidOut(Strict):
    rule = fields.Dict(required=True, metadata={"description": "in its canonical form"})
    digest = text()
    sentence = fields.Nested(SentenceOut, required=True)


class SegmentOut(PaperOut, SaidOut):
    name = text()
    purpose = text()
    use = text(enum=list(USES))
    review = text(description="the assessment that allows a use for prices or terms; empty: none")


class SegmentVersionOut(SegmentOut):
    """One of the versions of a segment."""


class ReachPriceOut(Strict):
    rho_nano = whole()
    epsilon = real()
    delta = real()


class RangeOut(Strict):
    value = whole()
    low = whole()
    high = whole()


class OutcomeOut(RangeOut):
    outcome = text(enum=["reachable", "no_channel_consent", "no_recipient_consent", "frequency_cap"])


class ReachAnswerOut(Strict):
    release = text()
    as_of = whole(description="YYYYMM: the closed month as of whose end it is told")
    answered_at = moment()
    size = fields.Nested(RangeOut, required=True)
    outcomes = many(OutcomeOut)


class ReachOut(Strict):
    segment = text()
    version = whole()
    channel = text()
    recipient = text()
    months = many(fields.Integer())
    margin = whole(description="95 %, of one number")
    cost = fields.Nested(ReachPriceOut, required=True)
    affordable = flag()
    answer = fields.Nested(ReachAnswerOut, required=True, allow_none=True, metadata={"description": "null: not bought yet"})


class ReachAskedOut(Strict):
    job = text(none=True)
    release = text(none=True)
    cost = fields.Nested(ReachPriceOut, required=True)


class SegmentReasonsOut(Strict):
    segment = text()
    version = whole()
    channel = text()
    recipient = text()
    people = whole()
    reachable = whole()
    exclusions = numbers()
    at = moment()


class AudienceOut(Strict):
    id = text()
    name = text()
    segment = text()
    version = whole(description="of the segment")
    kind = text(enum=list(KINDS))
    hours = whole(description="how often a continuous one is made again")
    state = text(enum=["active", "ended"])
    by = text()
    code = text(description="why the last attempt failed; empty: it did not")
    made_at = moment()
    until = moment()
    refreshed_at = moment(none=True)
    ended_at = moment(none=True)
    fresh = text(enum=["waiting", "fresh", "late", "failed", "ended"])
    next_at = moment(none=True)


class WholeAudienceOut(AudienceOut):
    segment_name = text()
    sentence = fields.Nested(SentenceOut, required=True)


class AudienceCountOut(Strict):
    audience = text()
    people = whole()
    at = moment()


class AudienceQueuedOut(Strict):
    job = text()


class StepOut(Strict):
    place = text(description="1 is the whole definition, 1.2 the second part of it")
    kind = text(enum=["all", "any", "profile", "joined", "cells", "rfm", "stage", "amount", "segment"])
    sentence = fields.Nested(SentenceOut, required=True)
    holds = flag()
    saw = fields.Dict(keys=fields.String(), required=True, metadata={"description": "the person's own values"})
    words = fields.Nested(SentenceOut, required=True, metadata={"description": "the same in words; empty for a group"})


class WhyOut(Strict):
    segment = text()
    version = whole()
    name = text()
    sentence = fields.Nested(SentenceOut, required=True)
    digest = text()
    purpose = text()
    use = text()
    at = moment()
    asked = flag()
    inside = flag()
    model = text(none=True, description="version of the public edges of bands and stages, if the rule rests on them")
    policy = text(none=True)
    audience = text(none=True)
    stood = fields.Boolean(required=True, allow_none=True, metadata={"description": "whether the audience has a row about the person"})
    steps = many(StepOut)


class PlacedOut(Strict):
    audience = text()
    name = text()
    segment = text()
    version = whole()
    sentence = fields.Nested(SentenceOut, required=True)
    since = moment()
    until = moment(none=True)
    times = whole()


class ExplanationOut(Strict):
    audiences = many(PlacedOut)
    why = fields.Nested(WhyOut, required=True, allow_none=True)
