"""Segments: the list, the builder with its sentence, one segment with its size, its versions and what is kept of it.

Promise: rules, names and released numbers; what is exact is for officers and logged. The builder works without a script: every button sends the
whole form back. A size is bought by a button that names its price, and by nothing else.
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, flash, g, redirect, request
from flask.typing import ResponseReturnValue

from app import errors, reaching, segments, targeting
from app.console import gate, ruleform, shell
from app.console.languages import N_, _, current, number
from app.console.lists import Column, Empty, Listing, csv_of
from app.console.segment_words import CHANNELS, OUTCOMES, REASONS, USES, group_words, label, refusal, value
from app.guard import services
from app.reaching import Wanted
from privacy.errors import Invalid, PiyingError

blueprint = Blueprint("segments_pages", __name__)

LARGEST = 262_144
COLUMNS = (
    Column("name", N_("Name"), "verbatim", href="page"),
    Column("said", N_("Who is meant"), "verbatim"),
    Column("size", N_("Size, 95 %% sure")),
    Column("kept", N_("Audiences kept"), "number"),
    Column("use_word", N_("Use")),
    Column("who", N_("Written by"), "verbatim"),
    Column("at", N_("Changed"), "instant"),
)
FILE = tuple(Column(name, name) for name in ("id", "version", "name", "purpose", "use", "review", "rule", "digest", "by", "at"))


@blueprint.get("/segments")
@gate.page("segment.read")
def page() -> ResponseReturnValue:
    """Every segment as it stands."""
    rows = [_row(one) for one in targeting.listing(services())]
    empty = Empty(_("No segment yet"), _("A segment says in a rule who is meant. Marketers begin with one of three examples."))
    if "segment.edit" in g.caller.permissions:
        empty = Empty(empty.title, empty.text, "/segments/new", _("New segment"))
    listing = Listing(COLUMNS, rows, _("Segments"), total=len(rows), csv="/segments.csv", empty=empty)
    return shell.render("segments/segments.html", listing=listing)


@blueprint.get("/segments.csv")
@gate.page("segment.read")
def file() -> ResponseReturnValue:
    """The same as a file."""
    rows = [one | {"rule": json.dumps(one["rule"], ensure_ascii=False)} for one in segments.listing(services())]
    return csv_of(FILE, rows, "segments.csv")


def _row(one: dict[str, Any]) -> dict[str, Any]:
    found = one["answer"]
    size = _("%(low)s to %(high)s", low=number(found["size"]["low"]), high=number(found["size"]["high"])) if found else "–"
    word = USES[one["use"]]
    said = one["sentence"]["zh" if current().startswith("zh") else "en"]
    return one | {"page": f"/segments/{one['id']}", "said": said, "size": size, "use_word": _(word)}


# ── the builder ────────────────────────────────────────────────────────────────────────────────────────────────────────────────


@blueprint.get("/segments/new")
@gate.page("segment.edit")
def new_page() -> ResponseReturnValue:
    """An empty builder, or one of the examples."""
    example = ruleform.TEMPLATES.get(request.args.get("example", ""))
    return _builder(
        (example and ruleform.of(segments.said(example)["rule"])) or ruleform.Form(), _kept({}), as_json=request.args.get("as") == "json"
    )


@blueprint.post("/segments/new")
@gate.act("segment.edit", limit=LARGEST)
def build() -> ResponseReturnValue:
    """One of the builder's buttons; the last one writes the segment down."""
    return _built("")


@blueprint.get("/segments/<segment_id>/change")
@gate.page("segment.edit")
def change_page(segment_id: str) -> ResponseReturnValue:
    """The builder with the segment as it stands."""
    one = segments.one(services(), segment_id)
    form = ruleform.of(one["rule"])
    kept = _kept(one) | {"json": _written(one["rule"])}
    return _builder(form or ruleform.Form(), kept, segment=segment_id, as_json=form is None or request.args.get("as") == "json")


@blueprint.post("/segments/<segment_id>/change")
@gate.act("segment.edit", limit=LARGEST)
def rebuild(segment_id: str) -> ResponseReturnValue:
    """One of the builder's buttons; the last one writes the next version."""
    return _built(segment_id)


@blueprint.post("/segments/sentence")
@gate.act("segment.edit", limit=LARGEST)
def sentence() -> ResponseReturnValue:
    """The sentence of a form that is being filled in; nothing is kept."""
    rule = ruleform.rule(ruleform.read(request.form))
    return shell.render("segments/said.html", **_said(rule))


def _built(segment: str) -> ResponseReturnValue:
    """What a button of the builder does."""
    sent, step = request.form, request.form.get("do", "say")
    kept, as_json = _kept(sent), "json" in sent
    form = ruleform.read(sent)
    try:
        rule = _read_json(sent["json"]) if as_json else ruleform.rule(form)
        if step == "save":
            return _save(segment, kept, rule)
        if step == "json" and rule is not None:
            return _builder(form, kept | {"json": _written(segments.said(rule)["rule"])}, segment=segment, as_json=True)
        if as_json and step == "rows":
            return _builder(_rows_of(rule), kept, segment=segment)
    except PiyingError as error:
        kept = kept | {"json": sent.get("json", "")[:LARGEST]}
        return _builder(form, kept, errors.status_of(error), refusal(error), segment=segment, as_json=as_json)
    kept = kept | {"json": sent.get("json", "")[:LARGEST]}
    return _builder(ruleform.stepped(form, step, sent), kept, segment=segment, as_json=as_json)


def _rows_of(rule: Any) -> ruleform.Form:
    found = ruleform.of(segments.said(rule)["rule"])
    if found is None:
        raise Invalid("the rule needs more than two levels", code="segment_only_json", field="rule")
    return found


def _save(segment: str, kept: dict[str, str], rule: Any) -> ResponseReturnValue:
    body = {"name": kept["name"], "rule": rule, "use": kept["use"], "review": kept["review"], "purpose": "marketing.profiling"}
    if segment:
        seen = int(kept["version"]) if kept["version"].isdigit() else 0
        made = segments.change(services(), segment, body, seen=seen, actor=g.caller.account_id)
    else:
        made = segments.add(services(), body, actor=g.caller.account_id)
    flash(_("Saved."), "good")
    return redirect(f"/segments/{made['id']}", 303)


def _builder(
    form: ruleform.Form,
    kept: dict[str, str],
    status: int = 200,
    wrong: dict[str, str] | None = None,
    *,
    segment: str = "",
    as_json: bool = False,
) -> ResponseReturnValue:
    rule = None
    if as_json:
        try:
            rule = _read_json(kept.get("json", "")) if kept.get("json") else None
        except PiyingError:
            rule = None
    return shell.render(
        "segments/builder.html", status, form=form, kept=kept, wrong=wrong or {}, segment=segment, as_json=as_json, ruleform=ruleform, label=label,
        value=value, groups_of=group_words(), uses=[(key, _(word)) for key, word in USES.items()], others=targeting.others(services()),
        **_said(rule if as_json else ruleform.rule(form)),
    )  # fmt: skip


def _said(rule: Any) -> dict[str, Any]:
    """The sentence of a rule, or what is wrong with it."""
    if rule is None:
        return {"said": None, "unsaid": {}}
    try:
        return {"said": segments.said(rule)["sentence"], "unsaid": {}}
    except PiyingError as error:
        return {"said": None, "unsaid": refusal(error)}


def _kept(sent: Any) -> dict[str, str]:
    return {
        name: str(sent.get(name, default))[:200] for name, default in (("name", ""), ("use", "marketing"), ("review", ""), ("version", ""))
    }


def _read_json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise Invalid("the text is no JSON", code="invalid_json", field="rule") from None


def _written(rule: Any) -> str:
    return json.dumps(rule, ensure_ascii=False, indent=2)


# ── one segment ────────────────────────────────────────────────────────────────────────────────────────────────────────────────


@blueprint.get("/segments/<segment_id>")
@gate.page("segment.read")
def one(segment_id: str) -> ResponseReturnValue:
    """A segment, its size and whom it reaches, its versions."""
    return _one(_wanted(segment_id, request.args))


@blueprint.post("/segments/<segment_id>/reach")
@gate.act("segment.edit")
def buy(segment_id: str) -> ResponseReturnValue:
    """Buys a size; the page shows it when it is there."""
    wanted = _wanted(segment_id, request.form)
    asked = reaching.ask_later(services(), wanted, asked_by=g.caller.account_id)
    flash(_("The question is paid once. Its answer is here in a moment, and stays."), "info" if asked["job"] else "good")
    there = {"channel": wanted.channel, "recipient": wanted.recipient, "asked": "1"}
    return redirect(f"/segments/{segment_id}?" + urlencode({name: word for name, word in there.items() if word}), 303)


@blueprint.get("/segments/<segment_id>/reach")
@gate.page("segment.read", quiet=True)
def progress(segment_id: str) -> ResponseReturnValue:
    """The part of the page that waits for an answer."""
    found = reaching.look(services(), _wanted(segment_id, request.args), asked_by=g.caller.account_id)
    return shell.render("segments/waits.html", there=found["answer"] is not None)


@blueprint.post("/segments/<segment_id>/reasons")
@gate.act("segment.exact")
def reasons(segment_id: str) -> ResponseReturnValue:
    """Whole numbers, for an officer; the look is an entry of the access log."""
    wanted = _wanted(segment_id, request.form)
    return _one(wanted, reaching.exact(services(), wanted, actor=g.caller.account_id))


def _one(wanted: Wanted, exact: dict[str, Any] | None = None) -> ResponseReturnValue:
    told = targeting.page(services(), wanted, asked_by=g.caller.account_id)
    channels = [(key, _(word)) for key, word in CHANNELS.items()]
    return shell.render(
        "segments/segment.html", **told, exact=exact, asked=request.args.get("asked") == "1", channels=channels, OUTCOMES=OUTCOMES,
        REASONS=REASONS, USES=USES, written=_written(told["one"]["rule"]), refusal=refusal,
    )  # fmt: skip


def _wanted(segment: str, words: Any) -> Wanted:
    version = words.get("version", "")
    return Wanted(
        segment,
        int(version) if version.isdigit() and len(version) < 7 else None,
        words.get("channel", "")[:20],
        words.get("recipient", "")[:80],
    )
