"""Held items, the dictionary, imports of files. Of rows their places and rules, never a value."""

from __future__ import annotations

from marshmallow import fields

from app.answers.parts import flag, many, moment, numbers, real, text, whole
from app.shapes import Strict


class HeldOut(Strict):
    id = text()
    source = text()
    position = whole(none=True)
    path = text()
    rule = text()
    created_at = moment()
    expires_at = moment()


class HeldCountOut(Strict):
    source = text()
    path = text()
    rule = text()
    number = whole()
    first_ends = moment()


class ReplayOut(Strict):
    replayed = whole()
    stored = whole()
    duplicate = whole()
    quarantined = whole()
    refused = whole()
    reasons = numbers()


class FieldOut(Strict):
    record = text()
    field = text()
    type = text()
    unit = text(none=True)
    class_ = fields.String(required=True, data_key="class", attribute="class")
    category = text(none=True)
    purposes = many(fields.String())
    becomes = many(fields.String())
    meaning = text()
    meaning_zh = text()
    people = flag()


class PurposeOut(Strict):
    purpose = text()
    grounds = fields.Dict(keys=fields.String(), values=fields.String(), required=True)
    analytic = flag()
    separate = flag()
    validity_days = whole(none=True)
    names = fields.Dict(keys=fields.String(), values=fields.String(), required=True)


class ProgressOut(Strict):
    done = whole()
    total = whole(none=True)


class ImportCountsOut(Strict):
    received = whole()
    stored = whole()
    duplicate = whole()
    quarantined = whole()
    refused = whole()
    reasons = numbers()
    dropped_fields = numbers()


class ImportOut(Strict):
    import_ = fields.String(required=True, data_key="import", attribute="import")
    source = text()
    state = text()
    format = text()
    name = text(none=True, description="what the sender calls the file; what looks like somebody's number is left out")
    record = text(none=True, description="the kind of records, as the mapping says")
    size = whole(none=True)
    offset = whole(description="where an upload goes on")
    mapping = flag()
    progress = fields.Nested(ProgressOut, required=True, allow_none=True)
    counts = fields.Nested(ImportCountsOut, required=True, allow_none=True)
    error_code = text(none=True)
    created_by = text()
    created_at = moment()
    finished_at = moment(none=True)
    undo_until = moment(none=True)


class MappingOut(Strict):
    mapping = text(none=True)


class UndoOut(Strict):
    import_ = fields.String(required=True, data_key="import", attribute="import")
    state = text()
    job = text()


class FaultOut(Strict):
    row = whole()
    path = text()
    rule = text()


class TrialOut(Strict):
    received = whole()
    valid = whole()
    malformed = whole()
    rules = numbers()
    errors = many(FaultOut)
    dropped_fields = numbers()
    complete = flag()


class RecordGuessOut(Strict):
    record = text()
    score = real()


class ColumnOut(Strict):
    column = text()
    type = text()
    format = text(none=True)
    zone_needed = flag()
    filled = real()
    distinct = whole()
    sampled = whole()
    shapes = many(fields.String())
    class_ = fields.String(required=True, allow_none=True, data_key="class", attribute="class")
    field = text(none=True)
    identifier = text(none=True)
    becomes = many(fields.String())
    confidence = real()
    reasons = many(fields.String())


class GuessOut(Strict):
    record = text()
    records = many(RecordGuessOut)
    mapping = text()
    complete = flag()
    missing = many(fields.String())
    columns = many(ColumnOut)
    rows = whole()
    whole_file = flag()
