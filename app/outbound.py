"""Which addresses something may be pushed to, decided before a connection is made and held to while it is.

Promise: only https, only hosts of the allow-list, no password, question or fragment in the address; every address that the name leads to is
looked at, and one that is private, local, reserved or somebody's metadata service is refused unless its network was allowed by name. The connection
goes to the address that was looked at: a name that answers otherwise a moment later changes nothing. Errors carry codes, never an address.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from privacy.errors import Refused, Unavailable

Resolve = Callable[[str, int], Sequence[str]]
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


@dataclass(frozen=True, slots=True)
class Address:
    """Where a push goes: host, port and path."""

    host: str
    port: int
    path: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Guard:
    """`hosts` are exact names, or `.example.cn` for all names below; `networks` those private ones that are allowed."""

    hosts: frozenset[str]
    networks: tuple[str, ...] = ()

    def address(self, text: str) -> Address:
        """An address that may be used; raises Refused."""
        try:
            parts = urlsplit(text)
            port = parts.port or 443
        except ValueError:
            raise _refused("destination_address") from None
        host = (parts.hostname or "").rstrip(".")
        if parts.scheme != "https" or not host or parts.username is not None or parts.query or parts.fragment:
            raise _refused("destination_address")
        if any(ord(sign) <= 32 or ord(sign) == 127 for sign in text):
            raise _refused("destination_address")
        if not any(host == known or (known.startswith(".") and host.endswith(known)) for known in self.hosts):
            raise _refused("destination_host")
        return Address(host, port, parts.path or "/")

    def places(self, address: Address, resolve: Resolve) -> list[str]:
        """The numeric addresses behind a host; raises Refused where one of them is none to push to."""
        try:
            found = list(dict.fromkeys(resolve(address.host, address.port)))
        except OSError:
            raise Unavailable("the recipient's name is not found", code="destination_unresolved") from None
        if not found:
            raise Unavailable("the recipient's name is not found", code="destination_unresolved")
        if not all(self._allowed(one) for one in found):
            raise _refused("destination_private")
        return found

    def _allowed(self, text: str) -> bool:
        try:
            place = ipaddress.ip_address(text.partition("%")[0])
        except ValueError:
            return False
        inner = place.ipv4_mapped or place.sixtofour if isinstance(place, ipaddress.IPv6Address) else None
        if isinstance(place, ipaddress.IPv6Address) and place in _NAT64:
            inner = ipaddress.IPv4Address(int(place) & 0xFFFFFFFF)
        if inner is not None:
            return self._allowed(str(inner))
        if any(place in network for network in map(ipaddress.ip_network, self.networks) if network.version == place.version):
            return True
        return place.is_global and not place.is_multicast


def resolve(host: str, port: int) -> list[str]:
    """What the machine's resolver says."""
    return [str(found[4][0]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


def hosts_of(names: Collection[str]) -> frozenset[str]:
    """An allow-list as it was written."""
    return frozenset(name.strip().lower().rstrip(".") for name in names if name.strip())


def _refused(code: str) -> Refused:
    return Refused("nothing is pushed to this address", code=code, field="address")
