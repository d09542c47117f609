"""The words of the pages about requests: rights, steps, clocks, methods, reasons, acts, what is wrong.

Promise: a code is translated here; a code without words shows as it is. Never a value that anybody typed.
"""

from __future__ import annotations

from typing import Any

from app.console.languages import N_, _
from app.console.words import explanation
from app.errors import status_of
from privacy.errors import PiyingError

RIGHTS = {
    "access": N_("Access"),
    "copy": N_("Copy"),
    "portability": N_("Portability"),
    "correction": N_("Correction"),
    "deletion": N_("Deletion"),
    "restriction": N_("Restriction"),
    "objection": N_("Objection to automated decisions"),
    "withdrawal": N_("Withdrawal of consent"),
    "explanation": N_("Explanation of an automated decision"),
}
LANGUAGES = {"zh": N_("Chinese"), "en": N_("English")}
REGIMES = {"pipl": "PIPL", "gdpr": "GDPR"}
STEPS = {
    "received": N_("Received"),
    "identity": N_("Identity"),
    "collect": N_("Collect"),
    "review": N_("Review"),
    "decide": N_("Decide"),
    "deliver": N_("Deliver"),
    "closed": N_("Closed"),
}
CHANNELS = {
    "phone": N_("By telephone"),
    "letter": N_("By letter"),
    "email": N_("By e-mail"),
    "store": N_("In a shop"),
    "form": N_("On a form"),
    "api": N_("By a program"),
    "public_page": N_("On the public page"),
}
METHODS = {
    "code": N_("A code that we sent came back"),
    "signed_in": N_("Signed in to their account"),
    "in_person": N_("Came in person"),
    "document_seen": N_("A document was seen, nothing of it was kept"),
    "known_channel": N_("Wrote from an address that we know"),
}
KIN = {
    "relation": {
        "spouse": N_("Spouse"),
        "child": N_("Child"),
        "parent": N_("Parent"),
        "sibling": N_("Brother or sister"),
        "grandparent": N_("Grandparent"),
        "grandchild": N_("Grandchild"),
    },
    "death": {
        "certificate_seen": N_("A certificate was seen"),
        "register_seen": N_("The cancelled household register was seen"),
        "court_seen": N_("A court's declaration was seen"),
    },
    "kinship": {
        "household_register_seen": N_("The household register was seen"),
        "certificate_seen": N_("A certificate was seen"),
        "notary_seen": N_("A notary's deed was seen"),
    },
    "wishes": {
        "none_known": N_("Nothing else is known"),
        "agreed": N_("The person agreed to it"),
        "refused": N_("The person wanted it otherwise"),
    },
}
"""What is noted of a relative who asks for somebody who died (PIPL 49)."""
OUTCOMES = {"fulfilled": N_("Fulfil"), "partly": N_("Fulfil in part"), "refused": N_("Refuse")}
REASONS = {
    "identity_unproven": N_("Identity was not proven"),
    "nothing_held": N_("Nothing is held of this person"),
    "law_keeps_it": N_("A law obliges us to keep it"),
    "others_rights": N_("It would disclose somebody else"),
    "excessive": N_("Asked again and again without a new occasion"),
    "not_this_right": N_("The law does not give this right here"),
    "not_a_relative": N_("Death or kinship was not shown"),
    "deceased_wishes": N_("The person arranged otherwise while alive"),
}
CLOSINGS = {
    "done": N_("It was delivered"),
    "taken_back": N_("The person took it back"),
    "duplicate": N_("It is answered under another number"),
    **REASONS,
}
LONGER = {
    "many_requests": N_("Many requests at the same time"),
    "complex": N_("Gathering everything takes longer"),
    "waiting_for_others": N_("Others who hold data for us have to answer"),
}
GROUNDS = {
    "third_party": N_("Somebody else's information"),
    "trade_secret": N_("A trade secret"),
    "security": N_("It would weaken security"),
}
LETTERS = {
    "received": N_("We received it"),
    "identity": N_("Please prove who you are"),
    "longer": N_("We need more time"),
    "answer": N_("Our answer"),
}
ACTS = {
    "open": N_("Opened"),
    "assign": N_("Assigned"),
    "identity_asked": N_("Asked for proof of identity"),
    "identity_proven": N_("Identity proven"),
    "identity_failed": N_("Identity not proven"),
    "kin_checked": N_("Saw the papers of a relative"),
    "gathered": N_("Looked into every store"),
    "redacted": N_("Chose what is withheld"),
    "reviewed": N_("Looked through it"),
    "decided": N_("Decided"),
    "approved": N_("Second person agreed"),
    "sent_back": N_("Second person sent it back"),
    "lengthened": N_("Lengthened the deadline"),
    "comment": N_("Commented"),
    "letter": N_("Handed out a letter"),
    "corrected": N_("Corrected a value"),
    "delivered": N_("Delivered"),
    "closed": N_("Closed"),
}
BASES = {
    "at_once": N_("It holds at once (PIPL 15, 24)"),
    "pipl_practice_30_days": N_("PIPL 45 to 50 say in time; practice is thirty days"),
    "pipl_15_working_days": N_("PIPL 46, 47; fifteen working days by the rules for apps"),
    "gdpr_12_3_one_month": N_("GDPR 12(3): one month, two more with notice"),
}
FLAGS = {"restricted": N_("Use restricted"), "objected": N_("Objects to automated decisions")}
_WRONG = {
    "reason_missing": N_("Choose a reason: nothing is refused or closed without one."),
    "reason_identifies": N_("The words seem to name somebody, or are too many."),
    "words_missing": N_("Write something."),
    "identity_unproven": N_("Identity has to be proven first."),
    "own_decision": N_("Nobody approves their own decision. A second person has to."),
    "kinship_unproven": N_("Note first which papers of the death and of the kinship were seen."),
    "kin_incomplete": N_("Say who the relative is, which papers were seen and what the person wished."),
    "deceased_wishes": N_("The person arranged otherwise while alive, and that comes first: refuse it for that reason."),
    "right_not_of_deceased": N_("For somebody who died a relative asks for access, a copy, correction or deletion."),
    "minor_not_approved": N_("The person is under eighteen: open a case and ask for another officer's approval first."),
    "request_step": N_("The request does not stand at this step. Open the page again."),
    "request_changed": N_("Somebody else acted on it meanwhile. Look again."),
    "request_closed": N_("The request is closed."),
    "lengthened_before": N_("The deadline was lengthened before; it can be once."),
    "not_lengthened": N_("This right holds at once: there is no longer period."),
    "deadline_over": N_("The deadline is over."),
    "not_delivered": N_("Deliver it before you close it."),
    "not_corrected": N_("Correct a value first."),
    "method_unknown": N_("Choose how identity was proven."),
    "ground_unknown": N_("Choose why it is withheld."),
    "outcome_unknown": N_("Choose what is decided."),
    "purpose_unknown": N_("A withdrawal names the purposes it is about."),
    "bad_day": N_("Choose a day that is over, at most a year ago."),
    "identifier_taken": N_("This value belongs to somebody else."),
    "identifier_erased": N_("This value belonged to somebody who was erased."),
    "identifier_unknown": N_("Choose one of the identifiers."),
    "bad_identifier": N_("This is no identifier of the chosen kind. Type it again."),
    "account_unknown": N_("Choose somebody who works on requests."),
    "confirmation": N_("Type the number of the request to confirm."),
    "right_unknown": N_("Choose what is asked for."),
    "channel_unknown": N_("Choose how it came in."),
}


def words_of_requests() -> dict[str, Any]:
    """What the templates of these pages need besides their own context."""
    tables = {
        "RIGHTS": RIGHTS, "LANGUAGES": LANGUAGES, "REGIMES": REGIMES, "STEPS": STEPS, "CHANNELS": CHANNELS, "METHODS": METHODS, "OUTCOMES": OUTCOMES,
        "REASONS": REASONS, "CLOSINGS": CLOSINGS, "LONGER": LONGER, "GROUNDS": GROUNDS, "LETTERS": LETTERS, "ACTS": ACTS,
        "BASES": BASES, "FLAGS": FLAGS, "KIN": KIN,
    }  # fmt: skip
    return tables | {
        "words": lambda some: [(key, _(word)) for key, word in some.items()],
        "say": lambda some, key: _(some[key]) if key in some else key,
    }


def told(error: PiyingError) -> str:
    """What is wrong, in the reader's language."""
    return _(_WRONG[error.code]) if error.code in _WRONG else explanation(status_of(error), error.code).text
