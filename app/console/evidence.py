"""Evidence: packs that an outsider verifies without us, asked for by scope, made by a job, kept sealed for two weeks, handed out and counted.

Promise: a person is named by a case, never typed here; asking and every download are entries; a pack that is sent in to be verified is kept
nowhere. The verifier and the witness are handed out as they are, one file each. Learns handles, digests and counts.
"""

from __future__ import annotations

from datetime import date

from flask import Blueprint, Response, g, redirect, request
from flask.typing import ResponseReturnValue

from app import cases, errors, evidence, reading
from app.console import gate, shell
from app.console.languages import N_, _, current
from app.console.lists import Column, Empty, Listing
from app.console.words import explanation
from app.guard import services
from privacy.errors import Invalid, NotFound, PiyingError

blueprint = Blueprint("evidence_pages", __name__)

SCOPES = (("period", N_("A period")), ("subject", N_("A person, by a case")), ("request", N_("A request")), ("whole", N_("The whole log")))
REDACTIONS = (
    ("commitments", N_("Commitments: when and of which kind, closed")),
    ("hashes", N_("Hashes: neither times nor kinds")),
)
CONTENTS = (
    ("policies", N_("Purposes, grounds and notices in force")),
    ("receipts", N_("Receipts of the person (closed)")),
    ("budget", N_("What releases took from the privacy budget")),
)
LANGUAGES = (("en", "English"), ("zh", "简体中文"))
WORDS = dict(SCOPES)
COLUMNS = (
    Column("pack", N_("Pack"), "code", href="page"),
    Column("scope_word", N_("Scope")),
    Column("created_at", N_("Asked for"), "instant"),
    Column("who", N_("By")),
    Column("state", N_("State"), "badge"),
    Column("size", N_("Bytes"), "number"),
    Column("sha256_short", N_("SHA-256"), "code"),
    Column("expires_at", N_("Until"), "instant"),
    Column("downloads", N_("Downloads"), "number"),
)
REASONS = {
    "form": N_("This is not a pack, or not a whole one."),
    "manifest": N_("The manifest is not the one that was signed."),
    "manifest_signature": N_("The manifest is not signed with a key of this log."),
    "files": N_("Files are missing, added or packed otherwise."),
    "file_changed": N_("A file was changed after it was signed."),
    "checkpoint_missing": N_("No signed head vouches for the entries."),
    "checkpoint_root": N_("The entries are not those of a signed head."),
    "checkpoint_signature": N_("A signed head carries a signature that is not of this log."),
    "scope_closed": N_("Entries of the scope were kept back."),
    "scope_exceeded": N_("Entries were opened that are not of the scope."),
    "erasure_unrecorded": N_("Contents are missing and no entry records their erasure."),
}
TOOLS = ("verify.py", "witness.py")


@blueprint.get("/evidence")
@gate.page("log.bundle")
def packs() -> ResponseReturnValue:
    """The packs that were asked for, the check of one, the tools for outsiders."""
    return _list()


@blueprint.get("/evidence/new")
@gate.page("log.bundle")
def new() -> ResponseReturnValue:
    """The form of a pack."""
    return _form(request.args.get("case", ""))


@blueprint.post("/evidence/new")
@gate.act("log.bundle")
def ask() -> ResponseReturnValue:
    """Queues a pack."""
    try:
        pack = evidence.ask(services(), _asked(), caller=g.caller)
    except PiyingError as error:
        return _form(request.form.get("case", ""), errors.status_of(error), error)
    return redirect(f"/evidence/{pack}", 303)


@blueprint.get("/evidence/<pack_id>")
@gate.page("log.bundle")
def pack(pack_id: str) -> ResponseReturnValue:
    """One pack: its making, its digest and signer, its downloads."""
    return shell.render("evidence/pack.html", one=_one(pack_id))


@blueprint.get("/evidence/<pack_id>/progress")
@gate.page("log.bundle", quiet=True)
def progress(pack_id: str) -> ResponseReturnValue:
    """How far its making is."""
    return shell.render("evidence/progress.html", one=_one(pack_id))


@blueprint.get("/evidence/<pack_id>/pack.zip")
@gate.page("log.bundle")
def download(pack_id: str) -> ResponseReturnValue:
    """The pack; every download is an entry."""
    return _zip(evidence.download(services(), pack_id, caller=g.caller), f"{pack_id}.zip", "application/zip")


@blueprint.post("/evidence/checks")
@gate.upload("log.bundle")
def check() -> ResponseReturnValue:
    """Verifies a pack that somebody sends in, by its manifest and our keys alone."""
    try:
        told = evidence.verify(services(), g.sent, caller=g.caller)
    except PiyingError as error:
        return _list(errors.status_of(error), explanation(errors.status_of(error), error.code).title)
    why = REASONS.get(told["reason"] or "", N_("An entry or its place in the tree was changed."))
    scope = told.get("scope") or {}
    return shell.render("evidence/checked.html", told=told, why=_(why), scope=_(WORDS.get(str(scope.get("kind")), N_("A period"))))


@blueprint.get("/evidence/tools/<tool_name>")
@gate.page("log.bundle")
def tool(tool_name: str) -> ResponseReturnValue:
    """The verifier and the witness, each the one file that an outsider runs."""
    if tool_name not in TOOLS:
        raise NotFound("there is no such tool", code="tool_unknown")
    return _zip(services().tool(tool_name), tool_name, "text/x-python")


def _list(status: int = 200, wrong: str = "") -> Response:
    rows = [_told(one) for one in evidence.packs(services())]
    empty = Empty(
        _("No pack yet"),
        _("A pack is a part of the access log that an outsider verifies without us: of a period, a person or a request."),
        "/evidence/new",
        _("Make a pack"),
    )
    listing = Listing(COLUMNS, rows, _("Packs of evidence"), total=len(rows), empty=empty)
    keys = services().oversight.verifier_keys()
    return shell.render(
        "evidence/evidence.html",
        status,
        listing=listing,
        keys=keys,
        wrong={"file": wrong} if wrong else {},
        most=evidence.LARGEST_UPLOAD,
        tools=TOOLS,
    )


def _form(case: str, status: int = 200, error: PiyingError | None = None) -> Response:
    sent = request.form
    wrong = {} if error is None else {error.field or "scope": explanation(status, error.code).title}
    mine = [(one["case"], one["case"]) for one in cases.mine(services(), actor=g.caller.account_id) if one["state"] == "known"]
    return shell.render(
        "evidence/new.html", status, sent=sent, wrong=wrong, case=case, mine=mine, scopes=_chosen(SCOPES), redactions=_chosen(REDACTIONS),
        contents=_chosen(CONTENTS), tongues=LANGUAGES, tongue="zh" if current().startswith("zh") else "en",
    )  # fmt: skip


def _asked() -> evidence.Asked:
    form = request.form
    return evidence.Asked(
        scope=form.get("scope", ""), case=form.get("case", "").strip(), request=form.get("request", "").strip(),
        since=_day("since"), until=_day("until"), redaction=form.get("redaction", "commitments"),
        contents=frozenset(form.getlist("contents")), language=form.get("language", "en"),
    )  # fmt: skip


def _day(name: str) -> date | None:
    try:
        return date.fromisoformat(request.form[name]) if request.form.get(name) else None
    except ValueError:
        raise Invalid("a day is written as year, month, day", code="bad_filter", field=name) from None


def _chosen(words: tuple[tuple[str, str], ...]) -> list[tuple[str, str]]:
    return [(key, _(word)) for key, word in words]


def _one(pack_id: str) -> dict[str, object]:
    return _told(evidence.one(services(), pack_id))


def _told(one: dict[str, object]) -> dict[str, object]:
    names = dict(reading.actors(services(), g.caller))
    return one | {
        "page": f"/evidence/{one['pack']}",
        "scope_word": _(WORDS[str(one["scope"])]),
        "who": names.get(str(one["created_by"]), one["created_by"]),
        "sha256_short": str(one["sha256"])[:16] if one["sha256"] else None,
    }


def _zip(content: object, name: str, kind: str) -> Response:
    answer = Response(content, mimetype=kind)  # type: ignore[arg-type]
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer
