"""The console's words for codes: roles, states, what an error means and what to do about it.

Promise: a code is translated here and nowhere else; a code without words gets those of its status. Never a value that anybody sent.
"""

from __future__ import annotations

from typing import NamedTuple

from app.console.languages import N_, _

ROLES = {
    "integrator": N_("Integrator"),
    "marketer": N_("Marketer"),
    "officer": N_("Privacy officer"),
    "administrator": N_("Administrator"),
}


class State(NamedTuple):
    """How a state is shown: word, icon, and tone (good, bad, warn, info, quiet)."""

    label: str
    icon: str
    tone: str


STATES = {
    "granted": State(N_("Granted"), "check-circle", "good"),
    "withdrawn": State(N_("Withdrawn"), "x-circle", "bad"),
    "denied": State(N_("Denied"), "dash-circle", "bad"),
    "expired": State(N_("Expired"), "clock", "quiet"),
    "pending": State(N_("Pending"), "hourglass-split", "info"),
    "overdue": State(N_("Overdue"), "exclamation-triangle", "bad"),
    "objected": State(N_("Objected"), "slash-circle", "bad"),
    "queued": State(N_("Queued"), "hourglass", "quiet"),
    "running": State(N_("Running"), "arrow-repeat", "info"),
    "done": State(N_("Done"), "check-circle", "good"),
    "failed": State(N_("Failed"), "exclamation-triangle", "bad"),
    "cancelled": State(N_("Cancelled"), "slash-circle", "quiet"),
    "making": State(N_("Being made"), "arrow-repeat", "info"),
    "ready": State(N_("Ready"), "check-circle", "good"),
    "over": State(N_("Over"), "clock", "quiet"),
    "office_hours": State(N_("Outside office hours"), "moon", "warn"),
    "volume": State(N_("Far more than usual"), "graph-up-arrow", "warn"),
    "uploading": State(N_("Being sent"), "upload", "info"),
    "uploaded": State(N_("Waits for you"), "hourglass-split", "info"),
    "undoing": State(N_("Being taken back"), "arrow-counterclockwise", "info"),
    "undone": State(N_("Taken back"), "arrow-counterclockwise", "quiet"),
    "unknown": State(N_("Not known"), "question-circle", "quiet"),
    "forbidden": State(N_("Forbidden"), "slash-circle", "bad"),
    "consent": State(N_("Consent"), "check2-circle", "info"),
    "stored": State(N_("Stored"), "check-circle", "good"),
    "duplicate": State(N_("Duplicate"), "files", "quiet"),
    "quarantined": State(N_("Quarantined"), "shield-exclamation", "warn"),
    "refused": State(N_("Refused"), "slash-circle", "bad"),
    "well_formed": State(N_("Well formed"), "check-circle", "good"),
    "active": State(N_("Active"), "check-circle", "good"),
    "disabled": State(N_("Disabled"), "slash-circle", "quiet"),
    "revoked": State(N_("Revoked"), "x-circle", "quiet"),
    "current": State(N_("Up to date"), "check-circle", "good"),
    "audience_waiting": State(N_("Being found"), "hourglass-split", "info"),
    "audience_fresh": State(N_("Fresh"), "check-circle", "good"),
    "audience_late": State(N_("Late"), "exclamation-triangle", "warn"),
    "audience_failed": State(N_("Could not be found"), "exclamation-triangle", "bad"),
    "audience_ended": State(N_("Over"), "clock", "quiet"),
    "export_requested": State(N_("Waits for a second person"), "hourglass-split", "warn"),
    "export_approved": State(N_("Approved, not released"), "check2-circle", "info"),
    "export_released": State(N_("Released to the recipient"), "check-circle", "good"),
    "export_rejected": State(N_("Rejected"), "x-circle", "bad"),
    "export_cancelled": State(N_("Taken back"), "slash-circle", "quiet"),
    "export_expired": State(N_("Over"), "clock", "quiet"),
    "export_revoked": State(N_("Called back"), "x-circle", "bad"),
    "heat_low": State(N_("Low"), "thermometer-low", "good"),
    "heat_medium": State(N_("Medium"), "thermometer-half", "warn"),
    "heat_high": State(N_("High"), "thermometer-high", "bad"),
    "late": State(N_("Late"), "exclamation-triangle", "warn"),
    "silent": State(N_("Nothing yet"), "hourglass", "quiet"),
    "client_key": State(N_("Client"), "globe2", "info"),
    "server_key": State(N_("Server"), "hdd-stack", "quiet"),
    "live": State(N_("Works"), "check-circle", "good"),
    "ending": State(N_("Ending"), "hourglass-split", "warn"),
    "yes": State(N_("Yes"), "check-circle", "good"),
    "no": State(N_("No"), "dash-circle", "quiet"),
    "ok": State(N_("In order"), "check-circle", "good"),
    "direct_identifier": State(N_("Direct identifier"), "person-x", "bad"),
    "quasi_identifier": State(N_("Quasi-identifier"), "person-bounding-box", "warn"),
    "sensitive": State(N_("Sensitive"), "shield-lock", "bad"),
    "behavioural": State(N_("Behavioural"), "activity", "info"),
    "non_personal": State(N_("Not personal"), "box", "quiet"),
    "erased": State(N_("Erased"), "eraser", "quiet"),
    "evidence_kept": State(N_("Kept"), "file-earmark-check", "good"),
    "evidence_none": State(N_("None"), "dash-circle", "quiet"),
    "check_good": State(N_("Holds"), "check-circle", "good"),
    "check_bad": State(N_("Fails"), "exclamation-triangle", "bad"),
    "check_open": State(N_("Nothing to compare"), "dash-circle", "quiet"),
    "fault": State(N_("Fault"), "exclamation-triangle", "bad"),
    "unasked": State(N_("Never asked"), "question-circle", "quiet"),
    "no_consent_needed": State(N_("Rests on another ground"), "bank", "quiet"),
    "person_known": State(N_("Found"), "person-check", "good"),
    "person_unknown": State(N_("Nobody found"), "person-x", "quiet"),
    "person_erased": State(N_("Erased"), "person-slash", "quiet"),
    "flag_restricted": State(N_("Use restricted"), "lock", "warn"),
    "flag_objected": State(N_("Objects to automated decisions"), "hand-thumbs-down", "warn"),
    "approval_asked": State(N_("Waits for an answer"), "hourglass-split", "info"),
    "approval_approved": State(N_("Approved"), "check-circle", "good"),
    "approval_refused": State(N_("Refused"), "x-circle", "bad"),
    "approval_over": State(N_("Over"), "clock", "quiet"),
    "step_received": State(N_("Received"), "inbox", "info"),
    "step_identity": State(N_("Identity"), "hourglass-split", "warn"),
    "step_collect": State(N_("Collect"), "collection", "info"),
    "step_review": State(N_("Review"), "search", "info"),
    "step_decide": State(N_("Decide"), "question-circle", "warn"),
    "step_deliver": State(N_("Deliver"), "send", "info"),
    "step_closed": State(N_("Closed"), "check-circle", "quiet"),
    "identity_proven": State(N_("Proven"), "person-check", "good"),
    "identity_open": State(N_("Not proven"), "person-exclamation", "warn"),
    "clock_running": State(N_("In time"), "clock", "good"),
    "clock_near": State(N_("Due soon"), "clock-history", "warn"),
    "clock_paused": State(N_("Stands still"), "pause-circle", "info"),
    "clock_late": State(N_("Overdue"), "exclamation-triangle", "bad"),
    "clock_stopped": State(N_("Ended"), "dash-circle", "quiet"),
    "from_default": State(N_("Built in"), "box", "quiet"),
    "from_file": State(N_("piying.toml"), "file-earmark-text", "info"),
    "from_environment": State(N_("Environment"), "terminal", "info"),
    "delivery_queued": State(N_("Queued"), "hourglass", "quiet"),
    "delivery_sending": State(N_("On its way"), "arrow-repeat", "info"),
    "delivery_waiting": State(N_("Waits to be tried or taken"), "hourglass-split", "info"),
    "delivery_acknowledged": State(N_("Acknowledged"), "check-circle", "good"),
    "delivery_dead": State(N_("Dead letter"), "exclamation-triangle", "bad"),
    "delivery_open": State(N_("Open"), "check-circle", "good"),
    "delivery_paused": State(N_("Left alone until"), "pause-circle", "warn"),
    "delivery_blocked": State(N_("Nothing is added"), "exclamation-triangle", "bad"),
    "recipient_proposed": State(N_("Proposed"), "hourglass-split", "info"),
    "recipient_active": State(N_("Active"), "check-circle", "good"),
    "recipient_suspended": State(N_("Suspended"), "pause-circle", "warn"),
    "recipient_ended": State(N_("Over"), "slash-circle", "quiet"),
    "agreement_good": State(N_("In force"), "check-circle", "good"),
    "agreement_bad": State(N_("Not in force"), "x-circle", "bad"),
    "agreement_not_yet": State(N_("Not yet"), "hourglass", "info"),
    "agreement_current": State(N_("In force"), "check-circle", "good"),
    "agreement_ending": State(N_("Ends soon"), "hourglass-split", "warn"),
    "agreement_over": State(N_("Over"), "x-circle", "bad"),
    "agreement_closed": State(N_("Over, and certified"), "file-earmark-check", "quiet"),
    "assessment_draft": State(N_("Draft"), "pencil", "info"),
    "assessment_approved": State(N_("Approved"), "check-circle", "good"),
    "assessment_withdrawn": State(N_("Out of force"), "x-circle", "quiet"),
    "assessment_review_due": State(N_("Review is overdue"), "exclamation-triangle", "bad"),
    "incident_open": State(N_("Open"), "exclamation-octagon", "bad"),
    "incident_contained": State(N_("Contained"), "shield-check", "warn"),
    "incident_closed": State(N_("Closed"), "check-circle", "quiet"),
    "telling_running": State(N_("Runs"), "hourglass-split", "warn"),
    "telling_late": State(N_("Late"), "exclamation-triangle", "bad"),
    "telling_done": State(N_("Told"), "check-circle", "good"),
    "control_ok": State(N_("In order"), "check-circle", "good"),
    "control_attention": State(N_("Wants a look"), "exclamation-circle", "warn"),
    "control_broken": State(N_("Broken"), "exclamation-triangle", "bad"),
    "abroad": State(N_("Abroad"), "globe2", "info"),
}
"""State → how its badge looks. Pages add theirs by a line here."""


class Said(NamedTuple):
    """What an error page says."""

    title: str
    text: str


_BY_STATUS = {
    400: Said(N_("The request could not be read"), N_("Go back, check what you entered and send it again.")),
    401: Said(N_("You are not signed in"), N_("Sign in and open the page again.")),
    403: Said(N_("Your role does not open this page"), N_("If you need it for your work, ask an administrator.")),
    404: Said(N_("There is no such page"), N_("It may have ended, or the address is incomplete.")),
    405: Said(N_("This address does not take that"), N_("Use the buttons of the page itself.")),
    409: Said(N_("It changed meanwhile, or does not fit"), N_("Open the page again: it shows how things stand now.")),
    410: Said(N_("It is gone"), N_("Its time is over. Ask for it to be made again.")),
    412: Said(N_("Somebody changed it meanwhile"), N_("Open the page again: it shows how things stand now.")),
    413: Said(N_("That is too large"), N_("Send a smaller file, or use an import.")),
    422: Said(N_("Something in it breaks a rule"), N_("Go back, correct the field and send it again.")),
    429: Said(N_("Too many attempts"), N_("Wait a minute, then try again.")),
    500: Said(N_("Something failed here"), N_("Nothing was saved. If it happens again, give the request number to your operator.")),
    503: Said(N_("Piying is not ready"), N_("Please try again in a moment.")),
}

_BY_CODE = {
    "csrf_failed": Said(N_("The form is too old"), N_("Open the page again and repeat it: your work elsewhere is safe.")),
    "keys_locked": Said(N_("The keys are locked"), N_("Nothing is read or written until the operator unlocks them with piying doctor.")),
    "budget_exhausted": Said(N_("The privacy budget of these months is used up"), N_("It never refreshes. Stored releases stay readable.")),
    "ledger_behind": Said(
        N_("The store is older than its ledger"),
        N_("A backup was restored that forgets spent budget. Nothing is served until a newer one is."),
    ),
    "erasures_behind": Said(
        N_("A store is older than an erasure"),
        N_("Somebody who was erased would be there again. Nothing is served until the erasure is repeated: piying restore --replay."),
    ),
    "restore_unfinished": Said(
        N_("A backup was restored and its erasures are not repeated yet"), N_("Nothing is served until they are: piying restore --replay.")
    ),
    "erasure_incomplete": Said(
        N_("Something of the person was found again"), N_("There is no certificate. The worker erases it once more and looks again.")
    ),
    "erasure_not_done": Said(N_("The erasure is not over yet"), N_("Its certificate is made when every store was looked at again.")),
    "team_budget_exhausted": Said(
        N_("Your team's share of these months is used up"), N_("It never refreshes. Stored releases stay readable.")
    ),
    "pdf_not_installed": Said(
        N_("Reports on paper are not installed here"),
        N_("An operator adds them with the extra pdf. The page prints as well, and its numbers are in the CSV."),
    ),
    "assessment_missing": Said(
        N_("An approved impact assessment has to cover it first"),
        N_("An officer drafts it under Impact assessments, another one approves it."),
    ),
    "minor_not_approved": Said(
        N_("This is a minor's data"),
        N_("Another officer has to approve it first: open a case about the person and ask there."),
    ),
    "own_approval": Said(N_("Nobody approves what they asked for themselves"), N_("Another officer has to.")),
    "not_responsible": Said(
        N_("Others are named as responsible for minors"), N_("The setting privacy.minors_approvers names who answers.")
    ),
    "package_gone": Said(
        N_("The package is gone"), N_("A package opens for fourteen days and ten downloads. If the request is open, make it again.")
    ),
    "own_proposal": Said(N_("Nobody confirms their own proposal"), N_("Another officer has to.")),
    "shares_over": Said(N_("The shares are more than the whole"), N_("All teams together get at most the whole question slice.")),
    "identifier_in_address": Said(
        N_("This looks like somebody's number or address"),
        N_("Addresses stand in histories and logs, so they carry no identifier. Privacy officers look people up under People."),
    ),
    "bad_filter": Said(N_("This filter has no such value"), N_("Clear the filters and choose again.")),
    "source_disabled": Said(N_("The source is disabled"), N_("An integrator can look at it under Sources.")),
    "source_untested": Said(N_("This kind of source has no test event"), N_("Import a file, or send with its own client.")),
    "mapping_invalid": Said(N_("The mapping cannot be read"), N_("The place that is wrong stands beside it; correct it and try again.")),
    "purpose_unknown": Said(N_("The mapping names a purpose that is not registered"), N_("Look the purposes up in the dictionary.")),
    "column_missing": Said(N_("The file lacks a column that the mapping names"), N_("Correct the mapping, or send the right file.")),
    "file_kind_unknown": Said(N_("This kind of file is not read"), N_("Send CSV, TSV or JSON Lines (each also as .gz), or Parquet.")),
    "file_empty": Said(N_("The file is empty"), N_("Choose the file again and send it.")),
    "form_broken": Said(N_("The file did not come whole"), N_("Choose the file again and send it.")),
    "upload_damaged": Said(N_("The file did not come whole"), N_("Choose the file again and send it.")),
    "too_many_uploads": Said(N_("Too many files wait"), N_("Finish or call off one of them first.")),
    "import_not_ready": Said(N_("The import is not at this step"), N_("Open the page again: it shows how things stand now.")),
    "import_unknown": Said(N_("There is no such import"), N_("It may be of a source that is not yours.")),
    "import_in_use": Said(N_("Something that stays has read its rows"), N_("A closed month or a published number stands on them.")),
    "too_late_to_undo": Said(N_("The time to take it back is over"), N_("An import can be taken back for 24 hours after its end.")),
    "errors_gone": Said(N_("The error file is gone"), N_("It was kept for seven days.")),
    "job_not_cancellable": Said(N_("This job cannot be cancelled any more"), N_("Open the page again: it shows how things stand now.")),
    "token_missing": Said(N_("You are not signed in"), N_("Sign in and open the page again.")),
}


def explanation(status: int, code: str) -> Said:
    """What to say about an error, in the reader's language."""
    said = _BY_CODE.get("keys_locked" if code.startswith("keys_") else code) or _BY_STATUS.get(status) or _BY_STATUS[500]
    return Said(_(said.title), _(said.text))
