"""Jobs, health, settings, budgets, reports, the access log."""

from __future__ import annotations

from marshmallow import fields

from app.answers.parts import flag, many, moment, numbers, real, text, whole
from app.shapes import Strict


class JobOut(Strict):
    """Without the right to see exact numbers `done`, `total` and `counts` are null: steps, not rows."""

    id = text()
    kind = text()
    state = text(enum=["queued", "running", "done", "failed", "cancelled"])
    done = whole(none=True)
    total = whole(none=True)
    counts = fields.Dict(keys=fields.String(), values=fields.Raw(), required=True, allow_none=True)
    release = text(none=True, description="of a report that is answered")
    cancellable = flag()
    error_code = text(none=True)
    attempt = whole()
    created_by = text()
    created_at = moment()
    finished_at = moment(none=True)


class CheckOut(Strict):
    name = text()
    ok = flag()
    detail = text()


class ScheduleOut(Strict):
    kind = text()
    every_seconds = whole()
    next_at = moment()
    last_done_at = moment(none=True)


class KeyVersionsOut(Strict):
    kind = text()
    versions = whole()
    newest = whole()
    newest_at = moment()


class HealthOut(Strict):
    ok = flag()
    checks = many(CheckOut)
    schedule = many(ScheduleOut)
    keys = many(KeyVersionsOut)
    inbox_age = whole(description="seconds that the oldest batch has waited")
    inbox_limit = whole()
    disk_free = whole(description="MiB")
    disk_limit = whole()


class SettingOut(Strict):
    key = text()
    value = text(none=True, description="null: hidden")
    default = text()
    origin = text(enum=["default", "file", "environment"])
    unit = text()
    reason = text()


class MonthOut(Strict):
    month = whole()
    cap_nano = whole()
    spent_nano = whole()
    left_nano = whole()
    epsilon_spent = real()
    epsilon_cap = real()


class BudgetOut(Strict):
    items = many(MonthOut)
    delta = real()
    epsilon = fields.Dict(keys=fields.String(), values=fields.Float(allow_none=True), required=True)


class CostOut(Strict):
    rho_nano = whole()
    epsilon = real()
    delta = real()


class TeamMonthOut(Strict):
    month = whole()
    most_nano = whole()
    spent_nano = whole()
    left_nano = whole()


class TeamShareOut(Strict):
    """A team's share in thousandths of the question slice; the team without a name is everybody else."""

    team = text()
    permille = whole()
    months = many(TeamMonthOut)


class ShareWaitingOut(Strict):
    share = whole()
    team = text()
    permille = whole()
    proposed_by = text()
    proposed_at = moment()


class TeamPersonOut(Strict):
    user = text()
    email = text()
    team = text()


class TeamsOut(Strict):
    items = many(TeamShareOut)
    waiting = many(ShareWaitingOut)
    people = many(TeamPersonOut)


class ShareMadeOut(Strict):
    share = whole()


class QuoteOut(Strict):
    kind = text()
    months = many(fields.Integer())
    cost = fields.Nested(CostOut, required=True)
    margins = fields.Dict(keys=fields.String(), values=fields.Float(), required=True)
    left = numbers()
    team_left = numbers()
    affordable = flag()
    release = text(none=True)
    free = many(fields.String())


class AskedOut(Strict):
    """The job that answers; or none, where the months' cubes hold the answer: `free` says where it is read."""

    job = text(none=True)
    release = text(none=True)
    free = many(fields.String())
    cost = fields.Nested(CostOut, required=True)


class MeasureOut(Strict):
    name = text()
    unit = whole()


class QuestionOut(Strict):
    version = whole()
    purpose = text()
    by = many(fields.String())
    where = many(fields.List(fields.Raw()))
    measures = many(MeasureOut)
    clip = real(none=True)


class WindowOut(Strict):
    from_ = fields.String(required=True, data_key="from", attribute="from", metadata={"format": "date"})
    to = text(format="date")


class SpentOut(Strict):
    before = whole()
    after = whole()


class DerivedOut(Strict):
    """What follows from the released rows: a sum, a mean, a row's share, a slope, a quantile, the threshold of keys; null where it cannot be told."""

    what = text(enum=["total", "mean", "share", "slope", "quantile", "threshold"])
    measure = text()
    of = fields.Dict(keys=fields.String(), values=fields.String(), required=True)
    value = real(none=True)
    low = real(none=True)
    high = real(none=True)
    way = text(none=True, enum=["rising", "falling", "open"])
    share = real(none=True)


class ReleaseOut(Strict):
    kind = text()
    release = text()
    question = fields.Nested(QuestionOut, required=True)
    window = fields.Nested(WindowOut, required=True)
    rows = many(fields.Dict(keys=fields.String(), values=fields.Raw(allow_none=True)))
    derived = many(DerivedOut)
    hidden_share = real(none=True)
    months = many(fields.Integer())
    cost = fields.Nested(CostOut, required=True)
    budget = fields.Dict(keys=fields.String(), values=fields.Nested(SpentOut), required=True)
    cached = flag()


class ReleaseLineOut(Strict):
    """One answer in the list of everything that was released; no number of it."""

    id = text()
    kind = text()
    months = many(fields.Integer())
    by = many(fields.String())
    where = many(fields.List(fields.Raw()))
    measures = many(fields.String())
    rho_nano = whole()
    cells = whole()
    released_at = moment()


class CubeOut(Strict):
    """A table out of stored releases."""

    kind = text()
    measure = text()
    by = many(fields.String())
    where = many(fields.List(fields.String()))
    rows = many(fields.Dict(keys=fields.String(), values=fields.Raw(allow_none=True)))
    derived = many(DerivedOut)
    months = many(fields.Integer())
    releases = many(fields.String())
    hidden_share = real(none=True)
    cost = fields.Nested(CostOut, required=True)


class CubeTableOut(Strict):
    measure = text()
    by = many(fields.String())
    months = many(fields.Integer())


class CubesOut(Strict):
    kind = text()
    items = many(CubeTableOut)
    months = many(fields.Integer())
    cost = fields.Nested(CostOut, required=True)


class FactOut(Strict):
    fact = text()
    unit = text(enum=["share", "ratio", "monthly_ratio"])
    value = real()
    low = real()
    high = real()
    months = many(fields.Integer())
    releases = many(fields.String())


class FactsOut(Strict):
    """Seven numbers about the last twelve months, each between margins that hold inside its fact."""

    kind = text()
    rows = many(FactOut)
    missing = many(fields.String())
    months = many(fields.Integer())
    releases = many(fields.String())
    hidden_share = real(none=True)
    cost = fields.Nested(CostOut, required=True)


class BesideOut(Strict):
    name = text(enum=["share_of_lines"])
    value = real()
    low = real()
    high = real()


class FindingOut(Strict):
    """A group, what it is compared with, how often that it is, and at least how many times as far from it."""

    rank = whole()
    scan = text(enum=["share", "order_value", "weekday", "mix", "growth"])
    measure = text()
    by = many(fields.String())
    group = fields.Dict(keys=fields.String(), values=fields.List(fields.String()), required=True)
    against = fields.Dict(keys=fields.String(), values=fields.List(fields.String()), required=True)
    unit = text(enum=["share", "ratio", "monthly_ratio"])
    value = real()
    low = real()
    high = real()
    reference = real()
    times = real()
    months = many(fields.Integer())
    releases = many(fields.String())
    beside = fields.Nested(BesideOut, required=True, allow_none=True)


class DiagnosisOut(Strict):
    """What stands out, the largest first; all intervals of all comparisons hold together with 95 %."""

    kind = text()
    rows = many(FindingOut)
    compared = whole()
    months = many(fields.Integer())
    releases = many(fields.String())
    hidden_share = real(none=True)
    cost = fields.Nested(CostOut, required=True)


class EntryOut(Strict):
    seq = whole()
    at = fields.AwareDateTime(required=True)
    kind = text()
    actor = text()
    action = text()
    result = text(none=True)
    facts = fields.Dict(keys=fields.String(), values=fields.Raw(allow_none=True), required=True, allow_none=True)
    erased_at = fields.AwareDateTime(required=True, allow_none=True)


class VerifiedOut(Strict):
    ok = flag()
    size = whole()
    root = text(none=True)
    first_bad = whole(none=True)
    reason = text(none=True)
    checkpoints = whole()
    signed_size = whole()
