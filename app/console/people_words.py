"""The words of the pages about people: types of identifiers, purposes of a look, rules of links, legal grounds, what is wrong.

Promise: a code is translated here; a code without words shows as it is. Never a value that anybody typed.
"""

from __future__ import annotations

from typing import Any

from app.console.languages import N_, _, current
from app.console.request_words import ACTS
from app.console.words import explanation
from app.errors import status_of
from privacy.errors import PiyingError

TYPES = {
    "phone": N_("Telephone"),
    "email": N_("E-mail"),
    "member_card": N_("Member card"),
    "national_id": N_("National ID"),
    "unionid": N_("WeChat unionid"),
    "openid": N_("WeChat openid"),
    "customer_no": N_("Customer number"),
    "cookie": N_("Browser cookie"),
    "device": N_("Device"),
}
PURPOSES = {
    "rights_request": N_("A request of the person"),
    "consent_evidence": N_("Evidence of consent"),
    "complaint": N_("A complaint"),
    "data_quality": N_("Quality of the data"),
    "incident": N_("An incident"),
    "legal_order": N_("An order by law"),
}
RULES = {
    "same_record": N_("stood in one record"),
    "alias": N_("a source said they are one"),
    "late_identification": N_("signed in later"),
    "manual": N_("an officer's word"),
}
REFUSED = {
    "over_limit": N_("more of this type than a person may have"),
    "kept_apart": N_("an officer keeps them apart"),
}
GROUNDS = {
    "consent": N_("Consent"),
    "separate_consent": N_("Separate consent"),
    "contract": N_("Contract"),
    "legal_duty": N_("Legal duty"),
    "public_health": N_("Public health"),
    "public_interest": N_("Public interest"),
    "published": N_("Made public by the person"),
    "other_law": N_("Other law"),
    "legitimate_interest": N_("Legitimate interest"),
}
RELATIONS = {"mother": N_("Mother"), "father": N_("Father"), "guardian": N_("Another guardian")}
COLLECTIONS = {
    "paper": N_("On paper"),
    "phone": N_("By telephone"),
    "form": N_("On a form on a screen"),
    "app": N_("In the app"),
    "mini_program": N_("In the mini-program"),
}
_STAFF = {
    "person.show": N_("Looked up"),
    "person.reveal": N_("Revealed one identifier"),
    "person.reasons": N_("Looked why identifiers are linked"),
    "person.unmerge": N_("Undid a merge"),
    "person.proposal": N_("Compared with somebody else"),
    "case.open": N_("Opened a case"),
    "case.view": N_("Looked into the case"),
    "consent.record": N_("Recorded an act of consent"),
    "minor.ask": N_("Asked to look at a minor's data"),
    "request.open": N_("Opened a request of this person"),
    "request.view": N_("Looked into a request"),
    "request.gather": N_("Began to look into every store"),
    "request.package": N_("Asked for the package"),
    "request.package_made": N_("Made the package"),
    "request.package_taken": N_("Took the package"),
    "erasure.plan": N_("Looked what an erasure would remove"),
    "erasure.begin": N_("Began an erasure"),
    "erasure.certify": N_("Certified an erasure"),
    "erasure.welcome": N_("Wrote down that a new relationship begins"),
    "log.read": N_("Read the log about this person"),
    "log.extract": N_("Took the log about this person as a file"),
}
_WRONG = {
    "identifier_type": N_("Choose what kind of identifier it is."),
    "bad_identifier": N_("This is no identifier of the chosen kind. Type it again."),
    "lookup_purpose": N_("Choose a purpose."),
    "reason_missing": N_("Say the reason in three to five hundred characters."),
    "reason_identifies": N_("The reason seems to name somebody. Say it without a name or a number."),
    "too_many_lookups": N_("Sixty look-ups and reveals an hour is the limit of an account. Wait a little."),
    "identifier_unknown": N_("Choose one of the identifiers."),
    "case_empty": N_("Nobody was found by this look-up, so there is nothing to do here."),
    "bad_instant": N_("Choose a moment that is over."),
    "consent_state_unknown": N_("Choose what the person said."),
    "purpose_unknown": N_("Choose a purpose."),
    "notice_unknown": N_("Choose a notice of the list."),
    "consent_preticked": N_("A box that was ticked beforehand is no consent. Record nothing, or a refusal."),
    "default_state_missing": N_("Separate consent on a screen counts only if its box was empty. Say how it was."),
    "guardian_missing": N_("A guardian decides for a child under fourteen. Say who it was."),
    "guardian_invalid": N_("Say who the guardian is, by one identifier of the chosen kind."),
    "merge_over_limit": N_("The two together would have more identifiers than one person may."),
    "person_changed": N_("The person changed meanwhile. Look again."),
}


def words_of_people() -> dict[str, Any]:
    """What the templates of these pages need besides their own context."""
    return {
        "TYPES": TYPES,
        "PURPOSES": PURPOSES,
        "RULES": RULES,
        "REFUSED": REFUSED,
        "GROUNDS": GROUNDS,
        "COLLECTIONS": COLLECTIONS,
        "RELATIONS": RELATIONS,
        "tongue": "zh" if current().startswith("zh") else "en",
        "act_of_staff": act_of_staff,
        "words": lambda some: [(key, _(word)) for key, word in some.items()],
    }


def told(error: PiyingError) -> str:
    """What is wrong, in the reader's language."""
    return _(_WRONG[error.code]) if error.code in _WRONG else explanation(status_of(error), error.code).text


def act_of_staff(action: str) -> str:
    """What somebody of the staff did."""
    if action in _STAFF:
        return _(_STAFF[action])
    of_request = ACTS.get(action.removeprefix("request."))
    return _("Request: %(act)s", act=_(of_request)) if of_request and action.startswith("request.") else action
