"""Settings that are right alone and wrong together.

Promise: what does not go together is refused when the program starts, by one line that names the key.
"""

from __future__ import annotations

import dataclasses
import ipaddress
from typing import TYPE_CHECKING
from zoneinfo import available_timezones

from privacy import errors

if TYPE_CHECKING:
    from app.settings import Settings


def check(settings: Settings) -> None:
    """Raises Invalid naming the key that does not go with another, or that no single limit tells."""
    if settings.zone not in available_timezones():
        raise errors.Invalid("zone must be a name of the IANA time zone database", code="setting_invalid", field="zone")
    if not (len(settings.currency) == 3 and settings.currency.isascii() and settings.currency.isupper()):
        raise errors.Invalid("currency must be three capital letters (ISO 4217)", code="setting_invalid", field="currency")
    if settings.privacy.delta * settings.privacy.declared_members > 1:
        raise errors.Invalid("privacy.delta must be below one in privacy.declared_members", code="setting_mixture", field="privacy.delta")
    if settings.limits.item_bytes > settings.limits.request_bytes:
        raise errors.Invalid("limits.item_bytes must not be above limits.request_bytes", code="setting_mixture", field="limits.item_bytes")
    stores = {"vault.url": settings.vault_url, "platform.url": settings.platform_url, "lake.catalogue": settings.catalogue_url}
    for key, url in stores.items():
        if not url.startswith(("sqlite+pysqlite3:///", "postgresql+psycopg://")):
            raise errors.Invalid(f"{key} must begin with sqlite+pysqlite3:/// or postgresql+psycopg://", code="setting_invalid", field=key)
    if _place(settings.vault_url) == _place(settings.platform_url):
        raise errors.Invalid("vault.url and platform.url must be two databases (PIPL 73)", code="setting_mixture", field="vault.url")
    for spec in dataclasses.fields(settings.platform):
        url = getattr(settings.platform, spec.name)
        if url and spec.name != "url" and not (url.startswith("postgresql+psycopg://") and settings.platform.url.startswith("postgresql")):
            key = f"platform.{spec.name}"
            raise errors.Invalid(f"{key} goes only with platform.url on PostgreSQL", code="setting_mixture", field=key)
    _check_networks(settings.delivery.networks)
    if settings.vault.owner_url and not (settings.vault.owner_url.startswith("postgresql+psycopg://") and settings.vault.url):
        raise errors.Invalid("vault.owner_url goes only with vault.url on PostgreSQL", code="setting_mixture", field="vault.owner_url")


def _check_networks(networks: tuple[str, ...]) -> None:
    for network in networks:
        try:
            ipaddress.ip_network(network)
        except ValueError:
            raise errors.Invalid(
                "delivery.networks are networks like 10.1.0.0/16", code="setting_invalid", field="delivery.networks"
            ) from None


def _place(url: str) -> str:
    """The address without the account: two accounts of one database are one place."""
    return url.partition("://")[2].rpartition("@")[2]
