"""Which addresses belong to the internet, as the registries of special-purpose addresses say.

https://www.iana.org/assignments/iana-ipv4-special-registry and …/iana-ipv6-special-registry. They are written down here
since what Python's own `ipaddress` knows of them depends on its version (3.11 takes `fec0::1` for a public address).
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network

GLOBAL_UNICAST = IPv6Network("2000::/3")
"""All of IPv6 that is handed out to the internet (RFC 4291, 2.4)."""

NAT64 = IPv6Network("64:ff9b::/96")
"""IPv4 addresses in the clothes of IPv6 (RFC 6052)."""

NOT_PUBLIC = tuple(
    ip_network(block)
    for block in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
        "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
        "224.0.0.0/3",  # multicast, and what is kept for later
        "2001::/23", "2001:db8::/32", "3fff::/20",
    )
)  # fmt: skip

YET_PUBLIC = tuple(
    ip_network(block)
    for block in (
        "192.0.0.9/32", "192.0.0.10/32", "2001:1::1/128", "2001:1::2/128", "2001:1::3/128", "2001:3::/32",
        "2001:4:112::/48", "2001:20::/28", "2001:30::/28",
    )
)  # fmt: skip
"""What lies inside of those, and is reached from everywhere all the same."""


def is_public(address: str) -> bool:
    """Whether an IP address belongs to the internet: no private, local, multicast, unspecified or reserved one, also
    when it is an IPv4 address written as an IPv6 one."""
    found = ip_address(address)
    if isinstance(found, IPv6Address):
        inner = _ipv4_inside(found)
        if inner is None and found not in GLOBAL_UNICAST:
            return False
        found = inner or found
    return any(found in block for block in YET_PUBLIC) or not any(found in block for block in NOT_PUBLIC)


def _ipv4_inside(address: IPv6Address) -> IPv4Address | None:
    if address in NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)
