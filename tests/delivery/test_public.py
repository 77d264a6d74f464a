"""Which addresses belong to the internet: the two registries of special-purpose addresses, row by row.

https://www.iana.org/assignments/iana-ipv4-special-registry and …/iana-ipv6-special-registry, with what they say is
"globally reachable". What is "N/A" there is decided by the IPv4 address inside.
"""

from __future__ import annotations

from ipaddress import ip_network

import pytest

from wizard.delivery.public import is_public

REGISTRIES = [
    ("0.0.0.0/8", False),  # this network
    ("10.0.0.0/8", False),  # private use
    ("100.64.0.0/10", False),  # shared address space
    ("127.0.0.0/8", False),  # loopback
    ("169.254.0.0/16", False),  # link local
    ("172.16.0.0/12", False),  # private use
    ("192.0.0.0/29", False),  # IPv4 service continuity
    ("192.0.0.8/32", False),  # dummy address
    ("192.0.0.9/32", True),  # port control protocol anycast
    ("192.0.0.10/32", True),  # TURN anycast
    ("192.0.0.11/32", False),  # the rest of 192.0.0.0/24, IETF protocol assignments
    ("192.0.0.170/31", False),  # NAT64/DNS64 discovery
    ("192.0.2.0/24", False),  # documentation
    ("192.31.196.0/24", True),  # AS112
    ("192.52.193.0/24", True),  # AMT
    ("192.88.99.0/24", False),  # 6to4 relay anycast, deprecated
    ("192.168.0.0/16", False),  # private use
    ("192.175.48.0/24", True),  # AS112 direct delegation
    ("198.18.0.0/15", False),  # benchmarking
    ("198.51.100.0/24", False),  # documentation
    ("203.0.113.0/24", False),  # documentation
    ("224.0.0.0/4", False),  # multicast, in a registry of its own
    ("240.0.0.0/4", False),  # reserved
    ("255.255.255.255/32", False),  # limited broadcast
    ("::1/128", False),  # loopback
    ("::/128", False),  # unspecified
    ("64:ff9b:1::/48", False),  # translation for local use
    ("100::/64", False),  # discard only
    ("100:0:0:1::/64", False),  # dummy prefix
    ("2001:1::1/128", True),  # port control protocol anycast
    ("2001:1::2/128", True),  # TURN anycast
    ("2001:1::3/128", True),  # DNS-SD service registration anycast
    ("2001:1::4/128", False),  # the rest of 2001::/23, IETF protocol assignments
    ("2001:2::/48", False),  # benchmarking
    ("2001:3::/32", True),  # AMT
    ("2001:4:112::/48", True),  # AS112
    ("2001:10::/28", False),  # ORCHID, deprecated
    ("2001:20::/28", True),  # ORCHIDv2
    ("2001:30::/28", True),  # drone remote identification
    ("2001:40::/28", False),  # the rest of 2001::/23
    ("2001:db8::/32", False),  # documentation
    ("2620:4f:8000::/48", True),  # AS112 direct delegation
    ("3fff::/20", False),  # documentation
    ("5f00::/16", False),  # segment routing
    ("fc00::/7", False),  # unique local
    ("fe80::/10", False),  # link local
    ("fec0::/10", False),  # site local, deprecated (RFC 3879)
    ("ff00::/8", False),  # multicast
    ("4000::/3", False),  # handed out to nobody yet
    # IPv4 in the clothes of IPv6
    ("::ffff:10.0.0.0/104", False),
    ("::ffff:93.184.215.14/128", True),
    ("64:ff9b::a00:0/104", False),
    ("64:ff9b::5db8:d70e/128", True),
    ("2002:a00::/24", False),
    ("2002:5db8:d70e::/48", True),
    ("2001:0:5db8:d70e::f5ff:fffe/128", False),  # Teredo, of a client at 10.0.0.1
    # and what is nothing special
    ("93.184.215.14/32", True),
    ("1.1.1.1/32", True),
    ("191.255.255.255/32", True),
    ("2606:2800:21f:cb07:6820:80da:af6b:8b2c/128", True),
    ("2a00::/12", True),
]


@pytest.mark.parametrize(("block", "is_reached"), REGISTRIES)
def test_an_address_is_public_where_the_registries_say_so(block: str, is_reached: bool):
    network = ip_network(block)
    for address in (network[0], network[network.num_addresses // 2], network[-1]):
        assert is_public(str(address)) is is_reached, address
