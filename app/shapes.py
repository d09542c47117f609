"""Marshmallow shapes of the management API's envelopes and resources. Fields of rows are checked by the dictionary, not here.

Promise: an unknown member is refused; a Boolean is a JSON Boolean; messages name fields, the error table keeps values out.
"""

from __future__ import annotations

from typing import Any

from marshmallow import RAISE, Schema, ValidationError, fields, validate

from privacy.vocabulary import SOURCE_KINDS, ConsentSignals, ConsentState, FormRule, IdentifierType, OnNoConsent, Regime, Right, Step


class Strict(Schema):
    """The base of all: what is not declared is refused."""

    class Meta:
        unknown = RAISE


class StrictBoolean(fields.Boolean):
    """Only true and false; not 1, "on" or "true"."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> bool:
        if not isinstance(value, bool):
            raise ValidationError("not a Boolean")
        return value


class SourceIn(Strict):
    name = fields.String(required=True, validate=validate.Regexp(r"^[a-z0-9][a-z0-9_-]{0,39}$"))
    kind = fields.String(required=True, validate=validate.OneOf(SOURCE_KINDS))
    public = StrictBoolean(load_default=False)
    purposes = fields.List(
        fields.String(validate=validate.Length(1, 64)), load_default=None, allow_none=True, validate=validate.Length(max=32)
    )
    on_no_consent = fields.String(load_default="refuse", validate=validate.OneOf([one.value for one in OnNoConsent]))
    namespace = fields.String(load_default="", validate=validate.Length(max=64))
    categories = fields.Dict(
        keys=fields.String(validate=validate.Length(1, 64)), values=fields.String(validate=validate.Length(1, 64)), load_default=dict
    )
    consent_signals = fields.String(load_default="deny_only", validate=validate.OneOf([one.value for one in ConsentSignals]))
    origins = fields.List(fields.String(validate=validate.Length(1, 200)), load_default=list, validate=validate.Length(max=32))
    root_paths = StrictBoolean(load_default=False)
    requests_per_second = fields.Integer(strict=True, load_default=None, allow_none=True, validate=validate.Range(1, 100_000))


class SourceChangeIn(Strict):
    """What may be changed; what is absent stays. A rate of 0 is the deployment's own."""

    categories = fields.Dict(keys=fields.String(validate=validate.Length(1, 64)), values=fields.String(validate=validate.Length(1, 64)))
    origins = fields.List(fields.String(validate=validate.Length(1, 200)), validate=validate.Length(max=32))
    root_paths = StrictBoolean()
    requests_per_second = fields.Integer(strict=True, validate=validate.Range(0, 100_000))


class RotationIn(Strict):
    overlap_hours = fields.Integer(strict=True, load_default=24, validate=validate.Range(0, 720))


class KeyIn(Strict):
    key = fields.String(required=True, validate=validate.Regexp(r"^key_[0-9a-f]{12}$"))


class ClientIn(Strict):
    public_key = fields.String(required=True, validate=validate.Length(1, 4096))


class ClientEndIn(Strict):
    client = fields.String(required=True, validate=validate.Regexp(r"^cli_[0-9a-f]{24}$"))


class LiveIn(Strict):
    type = fields.String(load_default=None, validate=validate.Length(1, 40))
    outcome = fields.String(load_default=None, validate=validate.OneOf(["well_formed", "quarantined"]))
    q = fields.String(load_default=None, validate=validate.Length(1, 40))


class SetupCodeIn(Strict):
    code = fields.String(required=True, validate=validate.Length(20, 100))


class UserIn(Strict):
    email = fields.String(required=True, validate=validate.Length(3, 320))
    role = fields.String(required=True, validate=validate.Length(1, 20))


class NewLinkIn(Strict):
    without_second_step = StrictBoolean(load_default=False)


class TokenIn(Strict):
    name = fields.String(load_default="", validate=validate.Length(max=60))
    scopes = fields.List(
        fields.String(validate=validate.Length(1, 40)), load_default=None, allow_none=True, validate=validate.Length(max=40)
    )


class ReportIn(Strict):
    kind = fields.String(required=True, validate=validate.Length(1, 40))
    from_ = fields.String(data_key="from", load_default=None, allow_none=True, validate=validate.Regexp(r"^\d{4}-\d{2}$"))
    to = fields.String(load_default=None, allow_none=True, validate=validate.Regexp(r"^\d{4}-\d{2}$"))
    by = fields.List(fields.String(validate=validate.Length(1, 40)), load_default=list, validate=validate.Length(max=3))
    where = fields.List(fields.String(validate=validate.Length(1, 200)), load_default=list, validate=validate.Length(max=16))
    measures = fields.List(fields.String(validate=validate.Length(1, 40)), load_default=list, validate=validate.Length(max=8))
    price = fields.Integer(strict=True, load_default=None, allow_none=True, validate=validate.Range(1, 250_000_000))


class CubeIn(Strict):
    """Which table of stored releases: a measure, its groupings, filters on these, whole months."""

    measure = fields.String(required=True, validate=validate.Length(1, 40))
    by = fields.List(fields.String(validate=validate.Length(1, 40)), load_default=list, validate=validate.Length(max=4))
    where = fields.List(fields.String(validate=validate.Length(1, 1000)), load_default=list, validate=validate.Length(max=4))
    from_ = fields.String(data_key="from", load_default=None, validate=validate.Regexp(r"^\d{4}-\d{2}\Z"))
    to = fields.String(load_default=None, validate=validate.Regexp(r"^\d{4}-\d{2}\Z"))


class ShareIn(Strict):
    """A team's share of every month's question slice."""

    team = fields.String(required=True, validate=validate.Length(1, 40))
    percent = fields.Integer(required=True, strict=True, validate=validate.Range(0, 100))


class ShareConfirmIn(Strict):
    share = fields.Integer(required=True, strict=True, validate=validate.Range(1, 10**18 - 1))


class TeamMemberIn(Strict):
    account = fields.String(required=True, validate=validate.Length(1, 40))
    team = fields.String(required=True, validate=validate.Length(0, 40))


class ReleasesIn(Strict):
    cursor = fields.String(load_default=None, validate=validate.Regexp(r"^rel_[0-9a-f]{32}\Z"))
    limit = fields.Integer(load_default=100, validate=validate.Range(1, 500))


class IdentifierIn(Strict):
    type = fields.String(required=True, validate=validate.OneOf([one.value for one in IdentifierType]))
    value = fields.String(required=True, validate=validate.Length(1, 256))


class GuardianIn(Strict):
    """Who decided for a child under fourteen; what names them becomes a keyed mark."""

    relation = fields.String(required=True, validate=validate.OneOf(["mother", "father", "guardian"]))
    identifier = fields.Nested(IdentifierIn, required=True)


class ConsentIn(Strict):
    identifier = fields.Nested(IdentifierIn, required=True)
    purpose = fields.String(required=True, validate=validate.Length(1, 64))
    state = fields.String(required=True, validate=validate.OneOf([one.value for one in ConsentState]))
    at = fields.AwareDateTime(load_default=None, allow_none=True)
    notice = fields.String(load_default=None, allow_none=True, validate=validate.Length(max=128))
    guardian = fields.Nested(GuardianIn, load_default=None, allow_none=True)
    separate_for = fields.List(fields.String(validate=validate.Length(1, 64)), load_default=list, validate=validate.Length(max=8))
    default_state = fields.String(load_default="unchecked", validate=validate.OneOf(["unchecked", "checked"]))
    artefact = fields.String(load_default=None, allow_none=True, validate=validate.Regexp(r"^[0-9a-f]{64}\Z"))
    collection = fields.String(load_default="api", validate=validate.OneOf(["api", "form", "paper", "phone", "app", "mini_program"]))
    language = fields.String(load_default=None, allow_none=True, validate=validate.Regexp(r"^[a-z]{2}(-[A-Za-z]{2,8})?\Z"))


class ConsentsIn(Strict):
    consents = fields.List(fields.Nested(ConsentIn), required=True, validate=validate.Length(1, 1000))


class DaysIn(Strict):
    from_ = fields.Date(data_key="from", load_default=None)
    to = fields.Date(load_default=None)


class PageIn(Strict):
    cursor = fields.String(load_default=None, validate=validate.Length(1, 100))


class GrowthIn(Strict):
    old = fields.Integer(load_default=0, validate=validate.Range(0, 2**62))


class CosignatureIn(Strict):
    note = fields.String(required=True, validate=validate.Length(1, 8_192))


class PackIn(Strict):
    scope = fields.String(required=True, validate=validate.OneOf(["whole", "period", "subject", "request"]))
    case = fields.String(load_default="", validate=validate.Length(max=64))
    request = fields.String(load_default="", validate=validate.Length(max=80))
    since = fields.Date(load_default=None, allow_none=True)
    until = fields.Date(load_default=None, allow_none=True)
    redaction = fields.String(load_default="commitments", validate=validate.OneOf(["commitments", "hashes"]))
    contents = fields.List(fields.String(validate=validate.OneOf(["receipts", "policies", "budget"])), load_default=list)
    language = fields.String(load_default="en", validate=validate.OneOf(["en", "zh"]))
    size = fields.Integer(strict=True, load_default=None, allow_none=True, validate=validate.Range(0, 2**62))


class ConsentLogIn(PageIn):
    purpose = fields.String(load_default=None, validate=validate.Length(1, 64))
    state = fields.String(load_default=None, validate=validate.OneOf([one.value for one in ConsentState]))
    method = fields.String(load_default=None, validate=validate.Length(1, 20))
    source = fields.String(load_default=None, validate=validate.Length(1, 64))
    notice = fields.String(load_default=None, validate=validate.Length(1, 64))
    since = fields.Date(load_default=None)
    until = fields.Date(load_default=None)
    case = fields.String(load_default=None, validate=validate.Regexp(r"^cas_[0-9A-Za-z_-]{8,64}\Z"))
    conflicts = fields.Boolean(load_default=False)
    limit = fields.Integer(load_default=50, validate=validate.Range(1, 500))


class JobsIn(PageIn):
    kind = fields.String(load_default=None, validate=validate.Length(1, 40))
    state = fields.String(load_default=None, validate=validate.OneOf(["queued", "running", "done", "failed", "cancelled"]))
    limit = fields.Integer(load_default=50, validate=validate.Range(1, 200))


class HeldIn(Strict):
    source = fields.String(load_default=None, validate=validate.Length(1, 64))
    rule = fields.String(load_default=None, validate=validate.OneOf([one.value for one in FormRule]))
    path = fields.String(load_default=None, validate=validate.Length(0, 400))
    cursor = fields.Integer(load_default=0, validate=validate.Range(0, 2**63 - 1))
    limit = fields.Integer(load_default=100, validate=validate.Range(1, 1000))


class ReplayIn(Strict):
    source = fields.String(required=True, validate=validate.Length(1, 64))
    rule = fields.String(load_default=None, allow_none=True, validate=validate.OneOf([one.value for one in FormRule]))
    path = fields.String(load_default=None, allow_none=True, validate=validate.Length(0, 400))
    mapping = fields.String(load_default=None, allow_none=True, validate=validate.Length(1, 65_536))


class ImportIn(Strict):
    source = fields.String(required=True, validate=validate.Length(1, 64))
    format = fields.String(required=True, validate=validate.Length(1, 12))
    size = fields.Integer(required=True, strict=True, validate=validate.Range(1, 1 << 40))
    sha256 = fields.String(required=True, validate=validate.Regexp(r"^[0-9a-f]{64}\Z"))
    name = fields.String(load_default="", validate=validate.Length(max=255))
    mapping = fields.String(load_default=None, allow_none=True, validate=validate.Length(1, 65_536))


class MappingIn(Strict):
    mapping = fields.String(required=True, validate=validate.Length(1, 65_536))


class TrialIn(Strict):
    mapping = fields.String(load_default=None, allow_none=True, validate=validate.Length(1, 65_536))


class GuessIn(Strict):
    record = fields.String(load_default=None, allow_none=True, validate=validate.Length(1, 40))


class WhyIn(Strict):
    purpose = fields.String(required=True, validate=validate.Length(1, 40))
    reason = fields.String(required=True, validate=validate.Length(1, 500))


class LookupIn(WhyIn):
    identifier = fields.Nested(IdentifierIn, required=True)
    namespace = fields.String(load_default="", validate=validate.Length(max=64))


class CaseIn(WhyIn):
    handle = fields.String(required=True, validate=validate.Length(1, 64))


class AtIn(Strict):
    at = fields.String(load_default="", validate=validate.Length(10, 40))


class RevealIn(WhyIn):
    ref = fields.String(required=True, validate=validate.Regexp(r"^[0-9a-f]{32}\Z"))


class DecisionIn(Strict):
    """A person's act as somebody of the staff heard or read it."""

    purpose = fields.String(required=True, validate=validate.Length(1, 64))
    state = fields.String(required=True, validate=validate.OneOf([one.value for one in ConsentState]))
    collection = fields.String(required=True, validate=validate.OneOf(["form", "paper", "phone", "app", "mini_program"]))
    at = fields.String(load_default=None, allow_none=True, validate=validate.Length(10, 40))
    notice = fields.String(load_default=None, allow_none=True, validate=validate.Length(max=128))
    default_state = fields.String(load_default=None, allow_none=True, validate=validate.OneOf(["unchecked", "checked"]))
    guardian = fields.Nested(GuardianIn, load_default=None, allow_none=True)


class UnmergeIn(CaseIn):
    merge = fields.String(required=True, validate=validate.Length(1, 64))


class ProposalIn(WhyIn):
    proposal = fields.String(required=True, validate=validate.Length(1, 64))


# ── purposes, notices, decisions about consent: form alone; what the law asks for is the door's ─────────────────────────────────

_WORD = validate.Length(1, 64)
_TEXT = validate.Length(0, 4_000)


class PurposeIn(Strict):
    purpose = fields.String(required=True, validate=_WORD)
    names = fields.Dict(keys=fields.String(validate=validate.OneOf(["en", "zh"])), values=fields.String(validate=_WORD), required=True)
    grounds = fields.Dict(keys=fields.String(validate=validate.Length(2, 2)), values=fields.String(validate=_WORD), required=True)
    separate = StrictBoolean(load_default=False)
    written = StrictBoolean(load_default=False)
    validity_days = fields.Integer(strict=True, load_default=None, allow_none=True, validate=validate.Range(1, 3_650))


class UseIn(Strict):
    categories = fields.List(fields.String(validate=_WORD), required=True, validate=validate.Length(1, 32))
    methods = fields.List(fields.String(validate=_WORD), required=True, validate=validate.Length(1, 16))


class NoticeIn(Strict):
    version = fields.String(required=True, validate=validate.Length(1, 32))
    items = fields.Dict(
        keys=fields.String(validate=validate.OneOf(["en", "zh"])),
        values=fields.Dict(keys=fields.String(validate=_WORD), values=fields.String(validate=_TEXT)),
        required=True,
    )
    uses = fields.Dict(keys=fields.String(validate=_WORD), values=fields.Nested(UseIn), required=True, validate=validate.Length(1, 64))
    anew = fields.List(fields.String(validate=_WORD), load_default=list, validate=validate.Length(max=64))


class EndingIn(Strict):
    days = fields.Integer(load_default=30, validate=validate.Range(1, 366))


class WhoIn(Strict):
    type = fields.String(required=True, validate=validate.OneOf([one.value for one in IdentifierType]))
    value = fields.String(required=True, validate=validate.Length(1, 256))


class UseAskedIn(Strict):
    identifier = fields.Nested(WhoIn, required=True)
    purpose = fields.String(required=True, validate=_WORD)
    category = fields.String(load_default=None, allow_none=True, validate=_WORD)
    method = fields.String(load_default=None, allow_none=True, validate=_WORD)


class DecisionsIn(Strict):
    decisions = fields.List(fields.Nested(UseAskedIn), required=True, validate=validate.Length(1, 100))


class RequestsIn(PageIn):
    """Which requests of people."""

    tab = fields.String(load_default="all", validate=validate.OneOf(["mine", "unassigned", "all", "closed"]))
    kind = fields.String(load_default="", validate=validate.OneOf(["", *(one.value for one in Right)]))
    regime = fields.String(load_default="", validate=validate.OneOf(["", *(one.value for one in Regime)]))
    step = fields.String(load_default="", validate=validate.OneOf(["", *(one.value for one in Step)]))


class RequestIn(Strict):
    """A request of somebody, by an identifier or by a case."""

    right = fields.String(required=True, validate=validate.OneOf([one.value for one in Right]))
    channel = fields.String(load_default="api", validate=validate.Length(1, 16))
    regime = fields.String(load_default="", validate=validate.OneOf(["", *(one.value for one in Regime)]))
    language = fields.String(load_default="zh", validate=validate.OneOf(["zh", "en"]))
    received_on = fields.Date(load_default=None, allow_none=True)
    purposes = fields.List(fields.String(validate=validate.Length(1, 64)), load_default=list, validate=validate.Length(max=32))
    identifier = fields.Nested(IdentifierIn, required=True)
    namespace = fields.String(load_default="", validate=validate.Length(max=64))
    reason = fields.String(required=True, validate=validate.Length(1, 500))
    deceased = StrictBoolean(load_default=False)


class RequestActIn(Strict):
    """One act on a request; which members it needs depends on the act."""

    act = fields.String(required=True, validate=validate.Length(1, 24))
    account = fields.String(load_default="", validate=validate.Length(max=80))
    method = fields.String(load_default="", validate=validate.Length(max=20))
    kin = fields.Dict(
        keys=fields.String(), values=fields.String(validate=validate.Length(max=24)), load_default=dict, validate=validate.Length(max=4)
    )
    passed = StrictBoolean(load_default=False)
    parts = fields.List(fields.String(validate=validate.Length(1, 80)), load_default=list, validate=validate.Length(max=100))
    ground = fields.String(load_default="", validate=validate.Length(max=20))
    outcome = fields.String(load_default="", validate=validate.Length(max=12))
    reason = fields.String(load_default="", validate=validate.Length(max=24))
    words = fields.String(load_default="", validate=validate.Length(max=2000))
    clear = StrictBoolean(load_default=False)
    type = fields.String(load_default="", validate=validate.Length(max=16))
    ref = fields.String(load_default="", validate=validate.Length(max=32))
    value = fields.String(load_default="", validate=validate.Length(max=256))
    namespace = fields.String(load_default="", validate=validate.Length(max=64))
    flag = fields.String(load_default="", validate=validate.Length(max=12))
