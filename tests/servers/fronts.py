"""What stands in front of real sites: nginx and Varnish, on a port of this machine."""

from __future__ import annotations

import getpass
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.servers.started import started, wait_for

NGINX, VARNISH = Path("/usr/sbin/nginx"), Path("/usr/sbin/varnishd")

SERVER = """
{user} worker_processes 1; daemon off; pid {folder}/pid; error_log {folder}/errors;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/passing; fastcgi_temp_path {folder}/f;
    uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
    proxy_cache_path {folder}/kept keys_zone=kept:1m;
    server {{
        listen 127.0.0.1:{port};
        proxy_http_version 1.1; proxy_set_header Host $http_host; proxy_set_header X-Forwarded-Host $http_host;
        proxy_set_header X-Forwarded-Proto http; proxy_buffer_size 64k; proxy_buffers 8 64k;
        {locations}
    }}
}}
"""

Front = Callable[[int, str], AbstractContextManager[None]]
"""What makes a front: given the port at which it stands, and where the site behind it listens."""

KEEPS = """
    proxy_cache kept; proxy_cache_valid 200 10m; proxy_cache_key $request_uri; proxy_ignore_headers Cache-Control
    Expires Set-Cookie Vary X-Accel-Expires; add_header X-Cache-Status $upstream_cache_status always;
"""
"""Keeps a page as too many tutorials write it: who asks for it is no matter."""

KEEPS_FOR_STRANGERS = (
    KEEPS
    + """
    set $member 0; if ($http_cookie ~ "wordpress_logged_in|ghost-members-ssr") { set $member 1; }
    proxy_cache_bypass $member $http_authorization; proxy_no_cache $member $http_authorization;
"""
)
"""Keeps a page as it should be."""

GATE = """
    auth_basic "Staging"; auth_basic_user_file /dev/null;
"""
"""Asks for a password that nobody has."""


def missing() -> str:
    """Why they cannot be started here, or nothing."""
    absent = [str(program) for program in (NGINX, VARNISH) if not program.exists()]
    return f"{', '.join(absent)} not installed: run tests/servers/install.sh" if absent else ""


@contextmanager
def nginx(port: int, locations: str) -> Iterator[None]:
    """Serves these `location` blocks."""
    with tempfile.TemporaryDirectory(prefix="nginx-") as place:
        folder = Path(place)
        # Its worker would be nobody, who gets into no folder of ours.
        user = f"user {getpass.getuser()};" if getpass.getuser() == "root" else ""
        (folder / "nginx.conf").write_text(SERVER.format(user=user, folder=folder, port=port, locations=locations))
        command = [str(NGINX), "-c", str(folder / "nginx.conf"), "-p", place, "-e", str(folder / "errors")]
        log = folder / "log"
        with started(command, log, cwd=folder) as server:
            wait_for(f"http://127.0.0.1:{port}/", server, log)
            yield


@dataclass
class Door:
    """The port at which people reach a site, and whoever stands there: nothing but a passage, until it is replaced."""

    port: int
    behind: str
    """Where the site itself listens."""
    _standing: ExitStack = field(default_factory=ExitStack)

    def __enter__(self) -> Door:
        self._standing.enter_context(nginx(self.port, f"location / {{ proxy_pass http://{self.behind}; }}"))
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


@contextmanager
def varnish(port: int, behind: str, rules: str) -> Iterator[None]:
    """Keeps the pages of what is behind it, as it does by itself and by these rules (VCL)."""
    place = Path(tempfile.mkdtemp(prefix="varnish-"))
    try:
        host, _, behind_port = behind.partition(":")
        backend = f'vcl 4.1; backend default {{ .host = "{host}"; .port = "{behind_port}"; }}'
        (place / "rules.vcl").write_text(f"{backend}\n{rules}\n")
        command = [
            str(VARNISH), "-F", "-j", "none", "-n", str(place / "work"), "-f", str(place / "rules.vcl"),
            "-a", f"127.0.0.1:{port}", "-s", "malloc,16m",
        ]  # fmt: skip
        log = place / "log"
        with started(command, log, cwd=place) as server:
            wait_for(f"http://127.0.0.1:{port}/", server, log)
            yield
    finally:
        shutil.rmtree(place, ignore_errors=True)
