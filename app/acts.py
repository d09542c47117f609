"""Acts of configuration that a page, a route and a command all offer: one transaction, one call, one entry in the log.

Promise: the entry stands in the act's own transaction. Learns who acts (an account id or a command's name), never a customer.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from app import access, ownership, rates, sessions
from app.repeats import Also, nothing_more
from ingestion import oauth, registry
from ingestion.signatures import SCHEMES, SHOPIFY
from privacy.errors import Invalid, Refused
from privacy.vocabulary import ANALYTIC_PURPOSES, LogKind

if TYPE_CHECKING:
    from app.wiring import Services

WEBHOOK_PREFIX = "whs_"
MIN_SECRET, MAX_SECRET = 16, 256
KEY_OVERLAP = timedelta(hours=24)
"""How long a rotated write key still opens its source, so that senders can change over."""
LONGEST_OVERLAP = timedelta(hours=720)
"""A key that many pages carry is changed over within a month, or it was not rotated."""


def add_source(
    services: Services,
    *,
    actor: str,
    name: str,
    kind: str,
    public: bool = False,
    purposes: Sequence[str] | None = None,
    on_no_consent: str = "refuse",
    consent_signals: str = "deny_only",
    namespace: str = "",
    categories: Mapping[str, str] | None = None,
    origins: Sequence[str] = (),
    root_paths: bool = False,
    requests_per_second: int | None = None,
    also: Also = nothing_more,
) -> dict[str, Any]:
    """Registers a source; the write key in the answer is shown this once. Raises Invalid for a purpose that is not registered."""
    wanted = list(purposes or ANALYTIC_PURPOSES)
    services.assessments.check_sensitive(tuple(wanted))
    with services.begin_console() as tx:
        unknown = {*wanted, *(categories or {}).values()} - set(services.purposes(tx))
        if unknown:
            raise Invalid("a purpose of the source is not registered", code="purpose_unknown", field="purposes")
        facts, key = registry.add(
            tx,
            name,
            kind,
            public=public,
            purposes=wanted,
            on_no_consent=on_no_consent,
            consent_signals=consent_signals,
            namespace=namespace,
            consent_categories=categories,
            origins=origins,
            owns_root_paths=root_paths,
            requests_per_second=requests_per_second,
            random=secrets.token_bytes,
            now=services.clock(),
        )
        ownership.take(tx, facts.id, actor)
        rates.create(tx, facts.id, requests_per_second or services.settings.limits.requests_per_second, now=services.clock())
        services.log(tx, LogKind.CONFIG, "source.add", actor=actor, facts={"source": facts.id, "source_kind": kind, "public": int(public)})
        also(tx, {"source": facts.id})
    return {"source": facts.id, "name": name, "kind": kind, "write_key": key, "warnings": warnings(kind, public=public, origins=origins)}


def warnings(kind: str, *, public: bool, origins: Sequence[str]) -> list[str]:
    """What its owner should know about how a source is declared, as codes. A mini-program's runtime sends no origin."""
    return ["any_origin"] if public and not origins and kind != "mini_program" else []


def list_sources(services: Services) -> list[dict[str, Any]]:
    """Every source with what it declared, by name; of its keys only their names and until when they work."""
    with services.read_console() as tx:
        keys, clients = registry.keys(tx, now=services.clock()), oauth.clients(tx)
        return [_shown(one, keys, clients) for one in registry.listing(tx)]


def show_source(services: Services, source_id: str) -> tuple[dict[str, Any], str]:
    """One source, and the version that a change of it must name."""
    with services.read_console() as tx:
        one = registry.get(tx, source_id)
        return _shown(one, registry.keys(tx, now=services.clock()), oauth.clients(tx)), one.version


def _shown(one: registry.Listed, keys: Mapping[str, Sequence[registry.Key]], clients: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    return {
        "source": one.facts.id,
        "name": one.facts.name,
        "kind": one.facts.kind,
        "public": one.facts.public,
        "purposes": sorted(one.facts.purposes),
        "on_no_consent": one.facts.on_no_consent,
        "consent_signals": one.facts.consent_signals,
        "disabled": one.disabled_at is not None,
        "categories": dict(one.facts.consent_categories),
        "origins": list(one.origins),
        "warnings": warnings(one.facts.kind, public=one.facts.public, origins=one.origins),
        "root_paths": one.owns_root_paths,
        "requests_per_second": one.requests_per_second,
        "keys": [
            {
                "key": key.id,
                "state": "ending" if key.ends_at else "live",
                "created_at": key.created_at.isoformat(),
                "ends_at": key.ends_at.isoformat() if key.ends_at else None,
            }
            for key in keys.get(one.facts.id, ())
        ],
        "clients": list(clients.get(one.facts.id, ())),
    }


def change_source(
    services: Services,
    source_id: str,
    *,
    actor: str,
    seen: str | None = None,
    categories: Mapping[str, str] | None = None,
    origins: Sequence[str] | None = None,
    root_paths: bool | None = None,
    requests_per_second: int | None = None,
) -> tuple[dict[str, Any], str]:
    """Changes what is given; `seen` is the version that the caller looked at. The mapping of categories is replaced as a whole."""
    with services.begin_console() as tx:
        if set((categories or {}).values()) - set(services.purposes(tx)):
            raise Invalid("a purpose of the source is not registered", code="purpose_unknown", field="purposes")
        one = registry.change(
            tx,
            source_id,
            seen=seen,
            consent_categories=categories,
            origins=origins,
            owns_root_paths=root_paths,
            requests_per_second=requests_per_second,
        )
        facts = {"source": source_id, "categories": len(one.facts.consent_categories), "origins": len(one.origins)}
        services.log(tx, LogKind.CONFIG, "source.change", actor=actor, facts=facts | {"rate": one.requests_per_second or 0})
        return _shown(one, registry.keys(tx, now=services.clock()), oauth.clients(tx)), one.version


def rotate_source(
    services: Services, source_id: str, *, actor: str, overlap: timedelta = KEY_OVERLAP, also: Also = nothing_more
) -> dict[str, Any]:
    """A new write key, shown once; the old ones open the source until the overlap ends, which is at once if there is none."""
    if not timedelta() <= overlap <= LONGEST_OVERLAP:
        raise Invalid("an overlap is from 0 to 720 hours", code="source_invalid", field="overlap")
    now = services.clock()
    with services.begin_console() as tx:
        key = registry.rotate(tx, source_id, overlap=overlap, random=secrets.token_bytes, now=now)
        hours = int(overlap.total_seconds() // 3600)
        services.log(tx, LogKind.CONFIG, "source.rotate", actor=actor, facts={"source": source_id, "hours": hours})
        also(tx, {"source": source_id})
    return {"source": source_id, "write_key": key, "old_keys_end_at": (now + overlap).isoformat()}


def revoke_key(services: Services, source_id: str, key_id: str, *, actor: str) -> dict[str, Any]:
    """Ends one write key at once."""
    with services.begin_console() as tx:
        registry.revoke(tx, source_id, key_id, now=services.clock())
        services.log(tx, LogKind.CONFIG, "source.revoke", actor=actor, facts={"source": source_id})
    return {"source": source_id, "key": key_id, "ended": True}


def add_client(services: Services, source_id: str, public_key: str, *, actor: str, also: Also = nothing_more) -> dict[str, Any]:
    """Registers the public key that a source's client signs its assertions with."""
    checked = services.checked_public_key(public_key)
    with services.begin_console() as tx:
        client = oauth.add_client(tx, source_id, checked, random=secrets.token_bytes, now=services.clock())
        services.log(tx, LogKind.CONFIG, "source.client", actor=actor, facts={"source": source_id, "client": client})
        told = {"source": source_id, "client": client, "audience": services.base_url}
        also(tx, told)
    return told


def end_client(services: Services, source_id: str, client: str, *, actor: str) -> dict[str, Any]:
    """Refuses the client's assertions from now on."""
    with services.begin_console() as tx:
        oauth.end_client(tx, source_id, client, now=services.clock())
        services.log(tx, LogKind.CONFIG, "source.client_end", actor=actor, facts={"source": source_id, "client": client})
    return {"source": source_id, "client": client, "ended": True}


def share_secret(services: Services, name: str, *, actor: str, scheme: str = SHOPIFY, given: str | None = None) -> dict[str, Any]:
    """The secret that a webhook's sender signs with: made here and shown this once, or `given` by a shop that makes its own."""
    with services.read_console() as tx:
        source = registry.by_name(tx, name).facts
    if source.kind != "webhook":
        raise Invalid("only a source of the kind webhook has a secret", code="source_unsigned", field="source")
    if scheme not in SCHEMES:
        raise Invalid("the scheme is shopify or timestamped", code="source_invalid", field="scheme")
    if given is not None and not MIN_SECRET <= len(given) <= MAX_SECRET:
        raise Invalid("a secret has 16 to 256 characters", code="secret_too_short", field="secret")
    secret = given or WEBHOOK_PREFIX + secrets.token_urlsafe(32)
    number = services.share_secret(source.id, scheme, secret, actor=actor)
    return {"source": source.id, "scheme": scheme, "number": number} | ({} if given else {"secret": secret})


def disable_source(services: Services, source_id: str, *, actor: str) -> dict[str, Any]:
    """From now on the source's requests are refused."""
    with services.begin_console() as tx:
        registry.disable(tx, source_id, now=services.clock())
        services.log(tx, LogKind.CONFIG, "source.disable", actor=actor, facts={"source": source_id})
    return {"source": source_id, "disabled": True}


def add_user(services: Services, email: str, role: str, *, actor: str, also: Also = nothing_more) -> dict[str, Any]:
    """An account and the link that its holder opens once. The code stands behind `#`, which browsers do not send to servers."""
    with services.begin_console() as tx:
        account, code = access.add_account(tx, email, role, now=services.clock())
        services.log(tx, LogKind.ACCOUNT, "account.add", actor=actor, facts={"account": account, "role": role})
        also(tx, {"user": account})
    return {"user": account, "link": f"{services.base_url}/start#{code}"}


def disable_user(services: Services, account: str, *, actor: str) -> dict[str, Any]:
    """Ends an account with its tokens and sessions."""
    if account == actor:
        raise Refused("nobody disables their own account", code="own_account")
    with services.begin_console() as tx:
        ended = access.disable(tx, account, now=services.clock())
        sessions.end_all(tx, account)
        services.log(tx, LogKind.ACCOUNT, "account.disable", actor=actor, facts={"account": account, "tokens": ended})
    return {"user": account, "disabled": True, "tokens": ended}


def redeem_code(services: Services, code: str) -> dict[str, Any]:
    """A first token for whoever holds a one-time code."""
    with services.begin_console() as tx:
        account, token = access.redeem(tx, code, now=services.clock())
        services.log(tx, LogKind.ACCOUNT, "token.redeem", actor=account)
    return {"user": account, "token": token}


def make_token(
    services: Services, account: str, *, actor: str, scopes: Sequence[str] | None = None, name: str = "", also: Also = nothing_more
) -> dict[str, Any]:
    """A token for an account, with all or some of its permissions."""
    with services.begin_console() as tx:
        token = access.new_token(tx, account, now=services.clock(), scopes=scopes, name=name)
        services.log(tx, LogKind.ACCOUNT, "token.add", actor=actor, facts={"account": account})
        known = access.caller(tx, token, now=services.clock())
        also(tx, {"token": known.token_id if known else ""})
    return {"user": account, "token": token}
