"""The words of exports in the reader's language: states, forms, columns, what stands in the way of a list, what is refused and why.

Promise: public words only.
"""

from __future__ import annotations

from collections.abc import Mapping

from app.console.languages import N_, _
from app.console.segment_words import CHANNELS
from app.console.segment_words import REASONS as OF_SEGMENTS
from privacy.errors import PiyingError

STATES = (
    ("requested", N_("Waits for a second person")),
    ("approved", N_("Approved, not released")),
    ("released", N_("Released to the recipient")),
    ("rejected", N_("Rejected")),
    ("cancelled", N_("Taken back")),
    ("expired", N_("Over")),
    ("revoked", N_("Called back")),
)
FORMS = {
    "sms": N_("Text messages, sealed list"),
    "email": N_("E-mail, sealed list"),
    "wechat": N_("WeChat, sealed list"),
    "google": N_("Google Customer Match"),
    "meta": N_("Meta Custom Audiences"),
    "tiktok": N_("TikTok"),
    "linkedin": N_("LinkedIn"),
    "x": N_("X"),
    "damopan": N_("Alimama DMP, telephones"),
    "databank": N_("Alibaba Databank, telephones"),
    "ocean_engine": N_("Ocean Engine, telephones"),
    "tencent_ads": N_("Tencent Ads, telephones"),
    "pseudonymous": N_("A partner's table of pseudonyms"),
}
FIELDS = {
    "phone": N_("Telephone"),
    "email": N_("E-mail address"),
    "openid": N_("WeChat OpenID"),
    "unionid": N_("WeChat UnionID"),
    "sex": N_("Sex"),
    "age_band": N_("Age band"),
    "occupation": N_("Occupation"),
    "region": N_("Region"),
    "city_tier": N_("City tier"),
    "tier": N_("Membership tier"),
    "recency_band": N_("Recency band"),
    "frequency_band": N_("Frequency band"),
    "value_band": N_("Value band"),
    "stage": N_("Stage"),
}
HEAT = {"low": N_("Columns tell little"), "medium": N_("People could be found by them"), "high": N_("Identifiers")}
FLAGS = {
    "sensitive": N_("Sensitive columns"),
    "abroad": N_("Goes abroad"),
    "large": N_("A large list"),
    "first": N_("First list for this recipient"),
}
BEFORE = {
    "segment": N_("Segment"),
    "purpose": N_("Purpose"),
    "use": N_("Use"),
    "channel": N_("Channel"),
    "form": N_("Form"),
    "fields": N_("Columns"),
    "days": N_("Good for so many days"),
}
STEPS = (
    ("requested", N_("List asked for")),
    ("approved", N_("Approved")),
    ("released", N_("Released to the recipient")),
    ("taken", N_("File taken")),
)
_FUNNEL = (
    (
        N_("No consent"),
        (
            "purpose_consent_missing",
            "recipient_consent_missing",
            "crossborder_consent_missing",
            "sensitive_consent_missing",
            "channel_consent_missing",
        ),
    ),
    (N_("Restricted, objecting, too young, not known"), ("unknown_person", "minor", "age_unknown", "restricted", "objected")),
    (N_("Suppressed, or written to often enough"), ("suppressed", "frequency_capped")),
    (N_("Held back"), ("not_in_form", "too_few_alike")),
)
REASONS = OF_SEGMENTS | {
    "not_in_form": N_("No row of this form: no such address, or they could be found in the table"),
    "too_few_alike": N_("Held back so that two lists set nobody apart"),
}
_REFUSED = {
    "export_justification": N_("Say in a sentence what it is for."),
    "export_expiry": N_("A list is good for one to ninety days."),
    "export_channel": N_("Choose a channel from the list."),
    "export_ground": N_("Lists of people leave on separate consent alone."),
    "export_fields": N_("The form has no use for one of these columns, or none is chosen."),
    "export_reason": N_("Say why."),
    "export_act": N_("Choose what is to be done."),
    "trace_file": N_("The file is no CSV in UTF-8 with at most 500 columns."),
    "trace_too_large": N_("A sample has at most five million values."),
    "too_large": N_("A sample has at most 64 MiB."),
    "purpose_not_of_segment": N_("A segment leaves for the purpose that it was made for."),
    "use_not_of_segment": N_("A segment leaves for the use that it was made for."),
    "pricing_use": N_("A list of people is no ground for a price."),
    "recipient_not_active": N_("The recipient is not active."),
    "recipient_purpose": N_("The recipient is not registered for this channel or purpose."),
    "column_not_agreed": N_("A column is outside what was agreed with the recipient: that needs a new agreement and new consent."),
    "mechanism_missing": N_("A recipient abroad needs a mechanism of transfer first."),
    "form_abroad": N_("This form belongs to a recipient abroad."),
    "recipient_key_missing": N_("The recipient has no key that lists could be sealed for."),
    "own_request": N_("Nobody decides about what they asked for themselves."),
    "export_state": N_("It stands otherwise by now: look at it again."),
    "export_approval_over": N_("Its time is over. Ask again."),
    "export_too_small": N_("There are, or may be, too few people."),
    "export_difference_too_small": N_("It differs, or may differ, by too few people from another list of this recipient."),
    "export_definition_changed": N_("The segment was changed since. Ask again."),
    "export_empty": N_("Nobody may leave."),
    "export_meanwhile": N_("Another list went to this recipient at this moment. Try again."),
    "count_pending": N_("The numbers are being made. Try again in a moment."),
    "budget_exhausted": N_("The months that the rule looks at have not enough left of their budget."),
    "reidentification_risk": N_("People could be found in this table."),
    "not_anonymisable": N_("People could be found in this table."),
    "suppression_overdue": N_("The recipient has not confirmed a removal in time. Nothing is added there."),
    "export_gone": N_("The file is gone: its time is over or it was called back."),
}
__all__ = ["BEFORE", "CHANNELS", "FIELDS", "FLAGS", "FORMS", "HEAT", "REASONS", "STATES", "STEPS", "funnel", "refusal", "word"]


def word(words: Mapping[str, str], name: str) -> str:
    """A word in the reader's language; a name that has none stays."""
    return _(words[name]) if name in words else name


def funnel(people: int, exclusions: Mapping[str, int]) -> list[tuple[str, int, list[tuple[str, int]]]]:
    """From everybody who is meant to those who leave: what is taken away step by step, each step with its reasons."""
    steps = []
    for name, reasons in _FUNNEL:
        parts = [(word(REASONS, reason), exclusions[reason]) for reason in reasons if exclusions.get(reason)]
        steps.append((_(name), sum(number for _word, number in parts), parts))
    return [(_("Everybody who is meant"), people + sum(exclusions.values()), []), *steps, (_("Would leave now"), people, [])]


def refusal(error: PiyingError) -> str:
    """What is wrong, in a sentence."""
    return _(_REFUSED[error.code]) if error.code in _REFUSED else _("The papers do not allow it today: %(code)s.", code=error.code)
