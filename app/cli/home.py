"""Makes a home: folders, keys, schemas, first purposes, lake, first administrator.

Promise: asks nothing, overwrites nothing, and may be repeated; what a crash left half-made is taken up where it stopped.
"""

from __future__ import annotations

import secrets
from typing import Any

from app import access, acts
from app.settings import home_folder, load
from app.stores import open_stores
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
    stores = open_stores(settings)
    with stores.vault_owner.begin() as vault:
        run.upgrade(vault, "vault")
        grants.apply(vault, "vault")
    with stores.platform_owner.begin() as platform:
        run.upgrade(platform, "platform")
        grants.apply(platform, "platform")
    fresh = Services(settings, stores, lock=None, keyring=None, clock=utc_now)
    custody.initialise(
        settings.keys_path, stores.begin_vault, fresh.begin_jobs, fresh.log, clock=utc_now, random=secrets.token_bytes, actor="init"
    )
    with fresh.begin_console() as tx:
        fresh.seed_purposes(tx)
        first = not access.accounts(tx)
    stores.close()
    services = open_services(home=home)
    services.make_lake()
    link = acts.add_user(services, ADMINISTRATOR, "administrator", actor="init")["link"] if first else None
    services.stores.close()
    return {"home": str(home), "link": link}


ADMINISTRATOR = "administrator@localhost"
"""The first account's address; it is only a name until sign-in by address exists."""
