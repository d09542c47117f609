"""Papers of accountability: recipients, agreements, assessments, incidents; the register, transfers abroad, controls and packs."""

from __future__ import annotations

from marshmallow import fields

from app.answers.parts import flag, many, moment, numbers, real, text, whole
from app.shapes import Strict


class PaperOut(Strict):
    """What every paper says of itself."""

    id = text()
    version = whole(description="what a change names in If-Match")
    by = text()
    at = moment()


class RecipientOut(PaperOut):
    key = text()
    name_en = text()
    name_zh = text()
    contact = text()
    country = text(description="ISO 3166-1, two letters")
    kind = text(enum=["processor", "independent", "joint"])
    purposes = many(fields.String())
    method = text()
    categories = many(fields.String())
    mechanism = text()
    mechanism_reference = text()
    sealing_key = text(description="the public key that lists are sealed for; empty: none")
    sealing_algorithm = text()
    sealing_fingerprint = text()
    foreign_approval = text()
    status = text(enum=["proposed", "active", "suspended", "ended"])
    consent_since = moment(none=True)
    consents_needed = many(fields.String())


class CertificateOut(Strict):
    outcome = text()
    on = text(format="date")
    statement = text()


class AgreementOut(PaperOut):
    recipient = text()
    starts = text(format="date")
    ends = text(format="date")
    purposes = many(fields.String())
    method = text()
    categories = many(fields.String())
    measures = text()
    sub_processors = many(fields.String())
    reference = text()
    ended_on = text(none=True, format="date")
    certificate = fields.Nested(CertificateOut, required=True, allow_none=True)
    state = text(enum=["not_yet", "current", "ending", "over", "closed"])


class AssessmentOut(PaperOut):
    title = text()
    kinds = many(fields.String())
    scope = many(fields.String())
    lawfulness = text()
    impact = text()
    measures = text()
    conclusion = text()
    review_by = text(format="date")
    state = text(enum=["draft", "approved", "withdrawn"])
    approved_by = text()
    approved_at = moment(none=True)
    standing = text(enum=["draft", "approved", "withdrawn", "review_due"])


class ClockOut(Strict):
    clock = text()
    whom = text()
    law = text()
    due = moment()
    done_at = moment(none=True)
    state = text(enum=["running", "late", "done"])


class AffectedOut(Strict):
    by = text(enum=["identifiers", "hashes", "column", "time"])
    asked = fields.Dict(keys=fields.String(), values=fields.String(), required=True)
    counts = numbers()
    at = moment()
    actor = text()


class IncidentOut(PaperOut):
    title = text()
    what = text()
    discovered_at = moment()
    began_at = moment(none=True)
    ended_at = moment(none=True)
    level = text()
    harm = text()
    network = flag()
    critical = flag()
    regimes = many(fields.String())
    categories = many(fields.String())
    cause = text()
    taken = text()
    advice = text()
    state = text(enum=["open", "contained", "closed"])
    notified = fields.Dict(keys=fields.String(), values=fields.String(), required=True)
    affected = many(AffectedOut)
    reason = text()
    clocks = many(ClockOut)


class LettersOut(Strict):
    en = text()
    zh = text()


class ThresholdOut(Strict):
    route = text()
    people = whole()
    sensitive = flag()
    share = real()


class TransfersOut(Strict):
    year = whole()
    people = whole(description="distinct people whose data went abroad since 1 January")
    sensitive = whole()
    before = whole(description="of the year before")
    route = text(enum=["exempt", "standard_contract", "security_assessment"])
    forecast = whole()
    forecast_sensitive = whole()
    share = real(none=True, description="of the nearest threshold")
    law = text()
    thresholds = many(ThresholdOut)


class ActivityOut(Strict):
    purpose = text()
    name_en = text()
    name_zh = text()
    ground = text()
    law = text()
    separate = flag()
    sources = many(fields.String())
    categories = many(fields.String())
    sensitive_fields = many(fields.String())
    recipients = many(fields.String())
    countries = many(fields.String())
    kept = text()
    notices = many(fields.String())
    assessments = many(fields.String())


class ControlOut(Strict):
    id = text()
    law = text()
    question = text()
    question_zh = text()
    state = text(enum=["ok", "attention", "broken"])
    count = whole()
    link = text()


class AuditPackOut(Strict):
    pack = text(description="names the range of the log: first-size")
    at = moment()
    by = text()
    size = whole()


class AuditPackMadeOut(Strict):
    pack = text()
    size = whole()
    at = moment()
