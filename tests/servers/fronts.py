"""What stands in front of real sites, where people reach them, and for a while something else."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field

from tests.servers.caches import nginx, varnish

Front = Callable[[int, str], AbstractContextManager[str]]
"""What makes a front: given the port at which it stands, and the address of the site behind it."""

KEEPS = """
    proxy_cache pages; proxy_cache_valid 200 10m; proxy_cache_key $request_uri; proxy_ignore_headers Cache-Control
    Expires Set-Cookie Vary X-Accel-Expires; add_header X-Cache-Status $upstream_cache_status always;
"""
"""Keeps a page as too many tutorials write it: who asks for it, and what the site says of it, is no matter."""

KEEPS_FOR_STRANGERS = f"""
    {KEEPS}
    set $member 0; if ($http_cookie ~ "wordpress_logged_in|ghost-members-ssr") {{ set $member 1; }}
    proxy_cache_bypass $member $http_authorization; proxy_no_cache $member $http_authorization;
"""
"""Keeps a page as it should be."""

GATE = """
    auth_basic "Staging"; auth_basic_user_file /dev/null;
"""
"""Asks for a password that nobody has."""


def of_nginx(location: str = "", **others: str) -> Front:
    """nginx with these directives for the site, and others for parts of it, each by its location."""

    def stand(port: int, site: str) -> AbstractContextManager[str]:
        passes = f"proxy_pass {site}; proxy_set_header Host $http_host;"
        parts = " ".join(f"location {where} {{ {passes} {what} }}" for where, what in others.items())
        return nginx(site, location, server=parts, port=port)

    return stand


def of_varnish(receiving: str = "", answering: str = "") -> Front:
    """Varnish with these rules."""
    return lambda port, site: varnish(site, receiving, answering, port=port)


@dataclass
class Door:
    """The port at which people reach a site, and whoever stands there: nothing but a passage, until it is replaced."""

    port: int
    behind: str
    """The address at which the site itself listens."""
    _standing: ExitStack = field(default_factory=ExitStack)

    def __enter__(self) -> Door:
        self._standing.enter_context(of_nginx()(self.port, self.behind))
        return self

    def __exit__(self, *_: object) -> None:
        self._standing.close()

    @contextmanager
    def replaced(self, front: Front) -> Iterator[None]:
        """Somebody else stands there for a while."""
        self._standing.close()
        with front(self.port, self.behind):
            yield
        self.__enter__()
