"""The words of segments and audiences in the reader's language: what a row asks, what stands in the way of whom, what is refused and why.

Promise: public words only.
"""

from __future__ import annotations

from analytics.segments.sentence import named
from app.console import charts
from app.console.languages import N_, _, current
from app.figures import cells
from privacy.errors import PiyingError

USES = {"marketing": N_("Marketing"), "pricing": N_("Prices"), "terms": N_("Terms")}
CHANNELS = {
    "": N_("Any, or none"),
    "sms": N_("Text message"),
    "email": N_("E-mail"),
    "push": N_("Push message"),
    "wechat": N_("WeChat"),
    "phone": N_("Telephone"),
}
OUTCOMES = {
    "reachable": N_("Reachable"),
    "no_channel_consent": N_("No consent to the channel"),
    "no_recipient_consent": N_("No separate consent to the recipient"),
    "frequency_cap": N_("Written to often enough lately"),
}
REASONS = {
    "unknown_person": N_("Not known any more"),
    "minor": N_("Under 18"),
    "age_unknown": N_("Told no age, and the rule speaks of the young"),
    "restricted": N_("Use is restricted"),
    "objected": N_("Objects to automated decisions"),
    "suppressed": N_("On the list of those who get nothing"),
    "purpose_consent_missing": N_("Withdrew profiling for marketing"),
    "recipient_consent_missing": N_("No separate consent to the recipient"),
    "crossborder_consent_missing": N_("No separate consent to the transfer abroad"),
    "sensitive_consent_missing": N_("No separate consent to sensitive data"),
    "channel_consent_missing": N_("No consent to the channel"),
    "frequency_capped": N_("Written to often enough lately"),
}
KINDS = {"static": N_("The people of one moment"), "continuous": N_("Found again and again")}
_GROUPS = {
    "person": N_("About the person"),
    "customer": N_("About the customer"),
    "behaviour": N_("What they did"),
    "segments": N_("Other segments"),
}
_REFUSED = {
    "segment_name": N_("Give it a name of at most 120 characters."),
    "segment_purpose": N_("A segment is made for profiling in marketing and for nothing else."),
    "segment_use_refused": N_(
        "A use for prices or terms needs an assessment of its fairness that is approved and in force. Name it, or choose marketing."
    ),
    "segment_lineage": N_("A segment keeps the use for which it was made. Write another one."),
    "segment_sensitive": N_("This product, category or brand tells something sensitive about people. It cannot be part of a segment."),
    "segment_only_json": N_("This rule has more levels than rows can show. Change it as JSON."),
    "segment_unknown": N_("It speaks of a segment, or of a version, that is not there."),
    "segment_word": N_("A row has a word that is not in its list."),
    "segment_range": N_("A number or a date is out of its range."),
    "segment_form": N_("A row is not filled in yet."),
    "segment_too_large": N_("A list is empty or too long."),
    "invalid_json": N_("The text is no JSON."),
    "changed_meanwhile": N_("Somebody changed it since. Open it again."),
    "period_open": N_("A size is told as of a closed month, and none is closed yet."),
    "budget_exhausted": N_("The months that the rule looks at have not enough left of their budget."),
    "audience_name": N_("Give it a name of at most 120 characters."),
    "audience_kind": N_("Choose how it is kept."),
    "audience_range": N_("Hours lie between 1 and 168, days between 1 and 365."),
    "audience_static": N_("The people of one moment are found once. Keep another audience."),
    "audience_ended": N_("It has ended."),
}


def refusal(error: PiyingError | str) -> dict[str, str]:
    """What is wrong, by the field of the form at which it shows."""
    code, field = (error, "rule") if isinstance(error, str) else (error.code, error.field or "rule")
    place = {"name": "name", "use": "use", "review": "review"}.get(field, "rule")
    return {place: _(_REFUSED[code]) if code in _REFUSED else _("The rule does not fit the grammar here: %(place)s.", place=field)}


def label(what: str) -> str:
    """What a row asks, in words."""
    kind, _colon, name = what.partition(":")
    words = {
        "joined": _("Month of joining"),
        "rfm": _("Segment by recency, frequency and value"),
        "stage": _("Stage of the relationship"),
        "segment": _("Membership of another segment"),
    }
    if kind == "band":
        return _("Band of %(name)s", name=named(name, _language()))
    return words[what] if what in words else named(name or kind, _language())


def value(what: str, word: str) -> str:
    """What one value of a row is called."""
    kind, _colon, name = what.partition(":")
    if kind in ("rfm", "stage"):
        return named(word, _language())
    return cells.cell(charts.speech(), name, word) if kind == "profile" else word


def group_words() -> dict[str, str]:
    """What the groups of questions are called."""
    return {key: _(word) for key, word in _GROUPS.items()}


def _language() -> str:
    return "zh" if current().startswith("zh") else "en"
