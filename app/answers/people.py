"""People as officers see them: masked, by handles that are made for the console."""

from __future__ import annotations

from marshmallow import fields

from app.answers.parts import flag, many, moment, numbers, real, text, texts, whole
from app.shapes import Strict


class MaskedOut(Strict):
    type = text()
    ref = text()
    masked = text()


class OpenCaseOut(Strict):
    case = text(description="cas_…: what addresses carry of a person, for this account alone")
    state = text(description="known, unknown, erased")
    purpose = text()
    entry = whole()
    opened_at = moment()
    until = moment()


class FoundOut(OpenCaseOut):
    handle = text(none=True)
    identifiers = many(MaskedOut)


class LookedUpOut(FoundOut):
    """`minor` says that nothing is shown until another officer approved it."""

    minor = text(none=True, description="under_14, under_18; null for everybody else")


class ApprovalOut(Strict):
    """What an officer asked for to see a minor's data, and what another one answered."""

    case = text()
    asked_by = text()
    purpose = text()
    band = text(description="under_14, under_18")
    reason = text()
    asked_at = moment()
    until = moment()
    state = text(description="asked, approved, refused, over")
    decided_by = text(none=True)
    decided_at = moment(none=True)


class UsedApprovalOut(ApprovalOut):
    looks = whole()
    asked_by_name = text()
    decided_by_name = text(none=True)


class SeenOut(MaskedOut):
    since = moment()


class SubjectOut(OpenCaseOut):
    """The case, and whose it is: masked. `reference` is what the consent log calls the person."""

    handle = text(none=True)
    reference = text(none=True)
    identifiers = many(SeenOut)
    flags = many(fields.String())


class ActOut(Strict):
    act = whole(description="the position in the ledger of consent")
    receipt = text()
    purpose = text()
    state = text()
    kind = text()
    at = moment()
    received_at = moment()
    source = text(none=True)
    source_name = text(none=True)
    by = text(none=True)
    who = text(none=True)
    collection = text(none=True)
    notice = text(none=True)


class StandingOut(Strict):
    purpose = text()
    names = texts()
    grounds = texts()
    ground = text(none=True)
    article = text(none=True)
    by_consent = flag()
    separate = flag()
    state = text(description="granted, withdrawn, denied, expired, unasked")
    since = moment(none=True)
    expires = moment(none=True)
    revised = flag()
    act = fields.Nested(ActOut, required=True, allow_none=True)


class StandingsOut(SubjectOut):
    """How every purpose stood at a moment, by what had come in by then."""

    at = moment()
    consents = many(StandingOut)


class StaffLineOut(Strict):
    entry = whole()
    at = moment()
    actor = text()
    who = text()
    action = text()
    result = text(none=True)
    purpose = text(none=True)
    reason = text(none=True)
    case = text(none=True)
    times = whole(description="looks of one account into one case on one day are one line")


class TimelineOut(SubjectOut):
    acts = many(ActOut)
    staff = many(StaffLineOut)


class HeldKindOut(Strict):
    kind = text()
    meaning = texts()
    rows = whole()
    first_month = whole()
    last_month = whole()
    ends = many(fields.String())


class HeldDayOut(Strict):
    day = text(format="date")
    rows = whole()
    kinds = numbers()


class HoldingsOut(SubjectOut):
    held = many(HeldKindOut)
    counts = numbers()
    days = many(HeldDayOut)
    more_days = whole()


class StoppedMonthOut(Strict):
    month = whole()
    number = whole()


class StoppedPurposeOut(Strict):
    purpose = text()
    state = text()
    since = moment(none=True)
    months = many(StoppedMonthOut)


class StoppedOut(SubjectOut):
    stopped = many(StoppedPurposeOut)


class RevealedOut(Strict):
    type = text()
    value = text()
    entry = whole()


class DecidedOut(Strict):
    purpose = text()
    before = text()
    after = text()
    entry = whole()
    receipt = text()


class ClosedOut(Strict):
    closed = text()


class SplitSideOut(Strict):
    members = whole()
    identifiers = many(SeenOut)


class ConsequencesOut(OpenCaseOut):
    sides = many(SplitSideOut)
    consents = whole()


class KinLinkOut(Strict):
    member = whole()
    type = text()
    ref = text()
    masked = text()
    since = moment()
    rule = text()
    source = text(none=True)
    batch = text(none=True)


class MergeOut(Strict):
    merge = text()
    members = many(fields.Integer(allow_none=True))
    rule = text()
    source = text(none=True)
    at = moment()
    undone_at = moment(none=True)


class RefusedLinkOut(Strict):
    type = text(none=True)
    rule = text()
    number = whole()
    last_at = moment()


class ReasonsOut(Strict):
    handle = text()
    links = many(KinLinkOut)
    merges = many(MergeOut)
    refused = many(RefusedLinkOut)


class SideOut(Strict):
    handle = text()
    identifiers = whole()


class UnmergedOut(Strict):
    people = many(SideOut)
    consents = whole()
    entry = whole()


class ProposalOut(Strict):
    proposal = text()
    handles = many(fields.String())
    weight = real()
    fields_ = fields.Dict(keys=fields.String(), values=fields.Raw(), required=True, data_key="fields", attribute="fields")
    source = text(none=True)
    at = moment()


class AcceptedOut(Strict):
    handle = text()
    members = whole()
    entry = whole()


class DismissedOut(Strict):
    dismissed = text()
    entry = whole()
