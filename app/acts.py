"""Acts of configuration that a page, a route and a command all offer: one transaction, one call, one entry in the log.

Promise: the entry stands in the act's own transaction. Learns who acts (an account id or a command's name), never a customer.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from app import access
from ingestion import registry
from privacy.errors import Invalid
from privacy.vocabulary import ANALYTIC_PURPOSES, LogKind

if TYPE_CHECKING:
    from app.wiring import Services

KEY_OVERLAP = timedelta(hours=24)
"""How long a rotated write key still opens its source, so that senders can change over."""


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
) -> dict[str, Any]:
    """Registers a source; the write key in the answer is shown this once. Raises Invalid for a purpose that is not registered."""
    wanted = list(purposes or ANALYTIC_PURPOSES)
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
            random=secrets.token_bytes,
            now=services.clock(),
        )
        services.log(tx, LogKind.CONFIG, "source.add", actor=actor, facts={"source": facts.id, "source_kind": kind, "public": int(public)})
    return {"source": facts.id, "name": name, "kind": kind, "write_key": key}


def list_sources(services: Services) -> list[dict[str, Any]]:
    """Every source with what it declared, by name; no key."""
    with services.read_console() as tx:
        return [
            {
                "source": one.facts.id,
                "name": one.facts.name,
                "kind": one.facts.kind,
                "public": one.facts.public,
                "purposes": sorted(one.facts.purposes),
                "on_no_consent": one.facts.on_no_consent,
                "consent_signals": one.facts.consent_signals,
                "disabled": one.disabled_at is not None,
            }
            for one in registry.listing(tx)
        ]


def rotate_source(services: Services, source_id: str, *, actor: str) -> dict[str, Any]:
    """A new write key, shown once; the old one opens the source for another day."""
    with services.begin_console() as tx:
        key = registry.rotate(tx, source_id, overlap=KEY_OVERLAP, random=secrets.token_bytes, now=services.clock())
        services.log(tx, LogKind.CONFIG, "source.rotate", actor=actor, facts={"source": source_id})
    return {"source": source_id, "write_key": key}


def disable_source(services: Services, source_id: str, *, actor: str) -> dict[str, Any]:
    """From now on the source's requests are refused."""
    with services.begin_console() as tx:
        registry.disable(tx, source_id, now=services.clock())
        services.log(tx, LogKind.CONFIG, "source.disable", actor=actor, facts={"source": source_id})
    return {"source": source_id, "disabled": True}


def add_user(services: Services, email: str, role: str, *, actor: str) -> dict[str, Any]:
    """An account and the link that its holder opens once. The code stands behind `#`, which browsers do not send to servers."""
    with services.begin_console() as tx:
        account, code = access.add_account(tx, email, role, now=services.clock())
        services.log(tx, LogKind.ACCOUNT, "account.add", actor=actor, facts={"account": account, "role": role})
    return {"user": account, "link": f"{services.base_url}/welcome#{code}"}


def disable_user(services: Services, account: str, *, actor: str) -> dict[str, Any]:
    """Ends an account with its tokens."""
    with services.begin_console() as tx:
        ended = access.disable(tx, account, now=services.clock())
        services.log(tx, LogKind.ACCOUNT, "account.disable", actor=actor, facts={"account": account, "tokens": ended})
    return {"user": account, "disabled": True, "tokens": ended}


def redeem_code(services: Services, code: str) -> dict[str, Any]:
    """A first token for whoever holds a one-time code."""
    with services.begin_console() as tx:
        account, token = access.redeem(tx, code, now=services.clock())
        services.log(tx, LogKind.ACCOUNT, "token.redeem", actor=account)
    return {"user": account, "token": token}


def make_token(services: Services, account: str, *, actor: str, scopes: Sequence[str] | None = None) -> dict[str, Any]:
    """A token for an account, with all or some of its permissions."""
    with services.begin_console() as tx:
        token = access.new_token(tx, account, now=services.clock(), scopes=scopes)
        services.log(tx, LogKind.ACCOUNT, "token.add", actor=actor, facts={"account": account})
    return {"user": account, "token": token}
