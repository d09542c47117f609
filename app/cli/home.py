"""Makes a home: folders, keys, schemas, first purposes, lake, first administrator.

Promise: asks nothing, overwrites nothing, and may be repeated; what a crash left half-made is taken up where it stopped.
"""

from __future__ import annotations

import secrets
from contextlib import closing
from typing import Any

from app import access, acts
from app.settings import Settings, home_folder, load
from app.stores import Stores, open_stores
from app.wiring import Services, open_services, utc_now
from migrations import grants, run
from privacy import custody


def initialise() -> dict[str, Any]:
    """Makes what is missing of PIYING_HOME; the link is the first administrator's, once, and None afterwards."""
    home = home_folder().resolve()
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    settings = load(home)
    for folder in (settings.keys_path.parent, settings.lake_path, settings.temp_path):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with closing(open_stores(settings)) as stores:
        first = _make(settings, stores)
    services = open_services(home=home)
    try:
        services.make_lake()
        link = acts.add_user(services, ADMINISTRATOR, "administrator", actor="init")["link"] if first else None
    finally:
        services.close()
    return {"home": str(home), "link": link}


def _make(settings: Settings, stores: Stores) -> bool:
    """Schemas, keys and first purposes; whether nobody has an account yet."""
    with stores.vault_owner.begin() as vault:
        run.upgrade(vault, "vault")
        grants.apply(vault, "vault")
    with stores.platform_owner.begin() as platform:
        run.upgrade(platform, "platform")
        grants.apply(platform, "platform")
    fresh = Services(settings, stores, lock=None, keyring=None, clock=utc_now)
    custody.initialise(
        settings.keys_path,
        stores.begin_vault,
        fresh.begin_jobs,
        fresh.log,
        clock=utc_now,
        random=secrets.token_bytes,
        actor="init",
        profile=settings.keys.profile,
    )
    with fresh.begin_console() as tx:
        fresh.seed_purposes(tx)
        return not access.accounts(tx)


ADMINISTRATOR = "administrator@localhost"
"""The first account's address; it is only a name until sign-in by address exists."""
