"""Sources, their keys, counts and quality."""

from __future__ import annotations

from marshmallow import fields

from app.answers.parts import flag, many, moment, numbers, real, text, whole
from app.shapes import Strict


class KeyOut(Strict):
    key = text()
    state = text(enum=["live", "ending"])
    created_at = moment()
    ends_at = moment(none=True)


class SourceOut(Strict):
    source = text()
    name = text()
    kind = text()
    public = flag()
    purposes = many(fields.String())
    on_no_consent = text()
    consent_signals = text()
    disabled = flag()
    categories = fields.Dict(keys=fields.String(), values=fields.String(), required=True)
    origins = many(fields.String())
    warnings = many(fields.String())
    root_paths = flag()
    requests_per_second = whole(none=True)
    keys = many(KeyOut)
    clients = many(fields.String())


class SourceMadeOut(Strict):
    source = text()
    name = text()
    kind = text()
    write_key = text(description="shown this once")
    warnings = many(fields.String())


class RotatedOut(Strict):
    source = text()
    write_key = text(description="shown this once")
    old_keys_end_at = moment()


class KeyEndedOut(Strict):
    source = text()
    key = text()
    ended = flag()


class ClientMadeOut(Strict):
    source = text()
    client = text()
    audience = text()


class ClientEndedOut(Strict):
    source = text()
    client = text()
    ended = flag()


class DisabledOut(Strict):
    source = text()
    disabled = flag()


class TestedOut(Strict):
    source = text()
    received = whole()
    quarantined = whole()


class LiveOpenedOut(Strict):
    source = text()
    ends_at = moment()


class LiveRowOut(Strict):
    minute = moment()
    record = text(none=True)
    outcome = text(enum=["well_formed", "quarantined"])
    columns = fields.Dict(keys=fields.String(), values=fields.String(), required=True)
    identifiers = many(fields.String())
    path = text(none=True)
    rule = text(none=True)


class LiveOut(Strict):
    items = many(LiveRowOut)
    ends_at = moment()


class LiveEndedOut(Strict):
    source = text()
    ended = flag()


class CountOut(Strict):
    day = text(format="date")
    verdict = text()
    reason = text(none=True)
    number = whole()


class FieldQualityOut(Strict):
    field = text()
    present = whole()
    valid = whole()
    kept = whole()
    completeness_before = real(none=True)
    validity_before = real(none=True)
    completeness_after = real(none=True)


class RecordQualityOut(Strict):
    record = text()
    rows = whole()
    well_formed = whole()
    stored = whole()
    fields_ = fields.List(fields.Nested(FieldQualityOut), required=True, data_key="fields", attribute="fields")


class DayQualityOut(Strict):
    day = text(format="date")
    items = numbers(none=True)
    reasons = numbers()
    lateness = numbers(none=True)
    last_event = moment(none=True)
    last_received = moment(none=True)
    records = many(RecordQualityOut)
    dropped_fields = numbers()


class FreshnessOut(Strict):
    last_event = moment(none=True)
    last_received = moment(none=True)
    lateness = numbers()


class QualityOut(Strict):
    source = text()
    name = text()
    from_ = fields.String(required=True, data_key="from", attribute="from", metadata={"format": "date"})
    to = text(format="date")
    days = many(DayQualityOut)
    records = many(RecordQualityOut)
    freshness = fields.Nested(FreshnessOut, required=True)


class FileFailedOut(Strict):
    file = text()
    code = text()


class PullOut(Strict):
    source = text()
    name = text()
    kind = text()
    every = whole()
    paused = flag()
    next_at = moment()
    last_at = moment(none=True)
    counts = numbers()
    failures = whole()
    error_code = text(none=True)
    files_failed = many(FileFailedOut)
