"""Forms of papers of accountability: labels, hints and choices of their fields, what a form sent, what is wrong with it.

Promise: a form shows every field that the paper has, in the order in which it is declared, and keeps what was typed when something is wrong.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from werkzeug.datastructures import MultiDict

from app.accountability import history
from app.console.languages import N_, _
from app.guard import services
from privacy.errors import Invalid, PiyingError

LABELS = {
    "recipient": N_("Recipient"),
    "key": N_("Short name"),
    "name_en": N_("Name in English"),
    "name_zh": N_("Name in Chinese"),
    "contact": N_("Contact"),
    "country": N_("Country"),
    "kind": N_("What it is to us"),
    "purposes": N_("Purposes"),
    "method": N_("How data reaches it and what is done with them"),
    "categories": N_("Kinds of data"),
    "mechanism": N_("Mechanism for transfers abroad"),
    "mechanism_reference": N_("Reference of the mechanism"),
    "sealing_key": N_("Public key that lists are sealed for"),
    "foreign_approval": N_("Approval of a disclosure to a foreign authority"),
    "starts": N_("First day"),
    "ends": N_("Last day"),
    "measures": N_("Measures of protection: lawful, effective, proportionate to the risk"),
    "sub_processors": N_("Further processors that were agreed to"),
    "reference": N_("Reference of the agreement"),
    "outcome": N_("What became of the data"),
    "on": N_("On which day"),
    "statement": N_("What the recipient certifies"),
    "title": N_("Title"),
    "kinds": N_("What has to be assessed"),
    "scope": N_("What it covers"),
    "lawfulness": N_("Purpose and method: lawful, legitimate, necessary"),
    "impact": N_("Effect on people's rights and interests, and risks to security"),
    "conclusion": N_("Conclusion"),
    "review_by": N_("To be reviewed by"),
    "what": N_("What happened"),
    "discovered_at": N_("Discovered"),
    "began_at": N_("Began"),
    "ended_at": N_("Ended"),
    "level": N_("Level"),
    "harm": N_("Harm to people"),
    "network": N_("An incident of network security"),
    "critical": N_("Of a critical information infrastructure"),
    "regimes": N_("Whose law applies"),
    "cause": N_("Cause"),
    "taken": N_("What was done about it"),
    "advice": N_("What people can do themselves"),
}
HINTS = {
    "key": N_("Small letters, digits and dashes; names the purpose share.<short name>, and stays."),
    "country": N_("Two letters, such as CN or SG. Hong Kong, Macao and Taiwan count as abroad."),
    "purposes": N_("One a line, such as marketing.channel.sms."),
    "categories": N_("One a line, such as phone or email."),
    "mechanism": N_("For recipients abroad (PIPL 38)."),
    "sealing_key": N_("X25519 (base64 or age1…) or RSA of 3,072 bits or more (PEM)."),
    "foreign_approval": N_("Only with the purpose foreign_legal_request (PIPL 41)."),
    "sub_processors": N_("One a line."),
    "scope": N_("One a line: purpose:marketing.profiling, recipient:lantern-sms, or source:web."),
    "regimes": N_("Clocks follow from it."),
    "contact": N_("Of the company, not of a customer."),
}
CHOICES = {
    "processor": N_("Entrusted processor (PIPL 21)"),
    "independent": N_("Processor of its own (PIPL 23)"),
    "joint": N_("Joint processor (PIPL 20)"),
    "none": N_("None"),
    "exempt": N_("Exempt by number"),
    "standard_contract": N_("Standard contract"),
    "certification": N_("Certification"),
    "security_assessment": N_("Security assessment"),
    "returned": N_("Returned"),
    "deleted": N_("Deleted"),
    "returned_and_deleted": N_("Returned, and copies deleted"),
    "sensitive": N_("Sensitive data"),
    "automated": N_("Automated decisions"),
    "entrusting": N_("Entrusting a processor"),
    "sharing": N_("Providing to others"),
    "publishing": N_("Publishing"),
    "crossborder": N_("Transfer abroad"),
    "proceed": N_("May proceed"),
    "proceed_with_measures": N_("May proceed with the measures"),
    "do_not_proceed": N_("Must not proceed"),
    "general": N_("General"),
    "larger": N_("Larger"),
    "major": N_("Major"),
    "extraordinary": N_("Extraordinary"),
    "unlikely": N_("Unlikely"),
    "possible": N_("Possible"),
    "high": N_("Likely and serious"),
    "CN": N_("China (PIPL)"),
    "EU": N_("European Union (GDPR)"),
}
WRONG = {
    "dossier_field_missing": N_("This field is needed."),
    "dossier_fixed": N_("This was given once and stays."),
    "recipient_exists": N_("A recipient of this short name exists."),
    "recipient_step": N_("The recipient cannot go from this status to that one."),
    "recipient_ended": N_("The recipient is ended."),
    "sealing_key_invalid": N_("This is no public key that lists can be sealed for."),
    "foreign_legal_request": N_("Nothing goes to a foreign authority without an approval (PIPL 41)."),
    "mechanism_missing": N_("A recipient abroad needs a mechanism (PIPL 38)."),
    "assessment_missing": N_("An approved impact assessment has to cover it first (PIPL 55)."),
    "agreement_missing": N_("There is no agreement with it yet."),
    "agreement_not_yet": N_("Its agreement has not begun."),
    "agreement_expired": N_("Its agreement is over."),
    "agreement_ended": N_("Its agreement was ended."),
    "agreement_other_purpose": N_("Its agreement is about other purposes."),
    "agreement_other_category": N_("Its agreement is about other kinds of data."),
    "agreement_running": N_("The agreement still runs; a certificate comes at its end."),
    "agreement_over": N_("The agreement is over already."),
    "agreement_closed": N_("The agreement is certified and closed."),
    "own_proposal": N_("Nobody approves what they wrote themselves: another officer has to."),
    "assessment_not_draft": N_("Only a draft can be approved."),
    "incident_reason_missing": N_("A clock was not answered: say why it may be closed all the same."),
    "incident_notified": N_("This notification is written down already."),
    "changed_meanwhile": N_("Somebody changed it meanwhile: this is how it stands now."),
    "identifier_type": N_("There is no such kind of identifier."),
    "affected_list": N_("A list has from one to a million lines."),
    "column_unknown": N_("The dictionary has no such column."),
    "bad_instant": N_("This is no point in time."),
}


def items(kind: str, kept: Mapping[str, Any], errors: Mapping[str, str]) -> list[dict[str, Any]]:
    """The fields of a form, ready to be shown. `kept` is the paper, or what was typed."""
    shown = []
    for one in services().paper_fields(kind):
        value = kept.get(one.name)
        hint = HINTS.get(one.name, "")
        shown.append(
            {
                "name": one.name,
                "kind": one.kind,
                "label": _(LABELS[one.name]),
                "hint": _(hint) if hint else "",
                "value": _as_typed(one.kind, value),
                "chosen": value if isinstance(value, list) else [],
                "choices": [(choice, _(CHOICES[choice])) for choice in one.choices],
                "required": one.required,
                "fixed": one.fixed and kept.get("version") is not None,
                "error": errors.get(one.name, ""),
            }
        )
    return shown


def _as_typed(kind: str, value: Any) -> Any:
    if kind in ("words", "many"):
        return "\n".join(value) if isinstance(value, list) else value or ""
    if kind == "instant" and value:
        return datetime.fromisoformat(value).astimezone(services().settings.time_zone).strftime("%Y-%m-%dT%H:%M")
    return "" if value is None else value


def sent(kind: str, form: MultiDict[str, str], *, change: bool = False) -> dict[str, Any]:
    """What a form says, as the paper takes it. Of a change the fields that stay are left out."""
    told: dict[str, Any] = {}
    for one in services().paper_fields(kind):
        if change and one.fixed:
            continue
        value = form.get(one.name, "").strip()
        if one.kind == "many":
            told[one.name] = form.getlist(one.name)
        elif one.kind == "words":
            told[one.name] = [word for word in re.split(r"[\s,;，；]+" if one.pattern else r"[\n;；]+", value) if word.strip()]
        elif one.kind == "flag":
            told[one.name] = value == "1"
        elif one.kind == "instant" and value:
            told[one.name] = _local(value)
        else:
            told[one.name] = value
    return told


def _local(value: str) -> str:
    """A moment as a browser sends it, which is the controller's; anything else stays as it is and is refused as what it is."""
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return value
    return (moment if moment.tzinfo else moment.replace(tzinfo=services().settings.time_zone)).isoformat()


def moment(value: str) -> datetime:
    """A moment of a form; raises Invalid."""
    try:
        return datetime.fromisoformat(_local(value))
    except ValueError:
        raise Invalid("an instant is written in ISO 8601", code="bad_instant", field="at") from None


def local_now() -> str:
    """This moment in the controller's zone, as a field of a form takes it."""
    return str(_as_typed("instant", services().clock().isoformat()))


def seen(form: MultiDict[str, str]) -> int | None:
    """The version that the form was made from."""
    text = form.get("version", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 9 else None


def wrong(error: PiyingError) -> str:
    """What is wrong, in the reader's language."""
    return _(WRONG[error.code]) if error.code in WRONG else _("What stands here breaks the field's form.")


def said(code: str) -> str:
    """What a code of a paper means; empty for one that means nothing is wrong."""
    return _(WRONG[code]) if code in WRONG else ""


def word(choice: str) -> str:
    """A choice in the reader's language."""
    return _(CHOICES[choice]) if choice in CHOICES else choice


def label(name: str) -> str:
    """A field in the reader's language."""
    return _(LABELS[name]) if name in LABELS else name


def changes(versions: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """A paper's history as pages show it."""
    told = []
    for one in history.of(services(), versions):
        names = ", ".join(label(name) for name in one["changed"] if name in LABELS)
        what = (
            _("Version %(number)s: %(fields)s", number=one["version"], fields=names)
            if names
            else _("Version %(number)s", number=one["version"])
        )
        told.append({"at": one["at"], "who": one["who"], "what": what})
    return told
