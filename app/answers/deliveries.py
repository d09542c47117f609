"""What is told of deliveries: parts, removals, the board. Ids, counts, states, codes and digests; nobody is in them."""

from __future__ import annotations

from marshmallow import fields

from app.answers.parts import flag, many, moment, numbers, text, whole
from app.shapes import Strict


class DeliveryOut(Strict):
    id = text()
    recipient = text()
    batch = text(description="the export, or the removal")
    part = whole()
    action = text(enum=["add", "remove"])
    state = text(enum=["queued", "sending", "waiting", "acknowledged", "dead"])
    attempts = whole()
    retry_at = moment(none=True)
    queued_at = moment()
    first_sent_at = moment(none=True)
    acknowledged_at = moment(none=True)
    code = text(description="how the last attempt ended")
    rows = whole(none=True)
    sha256 = text(none=True)


class RemovalOut(Strict):
    id = text()
    recipient = text()
    people = whole()
    reasons = numbers()
    since = moment()
    made_at = moment()
    acknowledged_at = moment(none=True)
    longest_seconds = whole(none=True, description="from the first no to the acknowledgement")
    total_seconds = whole(none=True)
    manifest = text(description="canonical JSON; the signature is over these bytes")
    signature = text(description="Ed25519, hexadecimal")


class PauseOut(Strict):
    until = moment()
    failures = whole()
    code = text()


class TakenOutOut(Strict):
    open = whole(description="people who wait to be taken out")
    oldest = moment(none=True)
    oldest_seconds = whole(none=True)
    removals = whole(description="removals that were acknowledged")
    removed = whole(description="people in them")
    latency_longest = whole(none=True, description="seconds from the no to the acknowledgement")
    latency_mean = whole(none=True)


class BoardLineOut(Strict):
    recipient = text()
    key = text()
    name_en = text()
    name_zh = text()
    way = text(enum=["download", "folder", "push", ""])
    parts = numbers(description="by state")
    pause = fields.Nested(PauseOut, required=True, allow_none=True)
    removals = fields.Nested(TakenOutOut, required=True)
    overdue = whole(description="people whose removal is not acknowledged in time")
    blocked = flag()


class BoardOut(Strict):
    items = many(BoardLineOut)
    acknowledge_hours = whole()


class ReplayedOut(Strict):
    replayed = whole()
