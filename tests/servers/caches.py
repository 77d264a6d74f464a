"""Real servers that sites stand behind, in front of a site under test: nginx and Varnish, as hosts set them up."""

from __future__ import annotations

import getpass
import shutil
import socket
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import Popen

from tests.servers.started import free_port, started

NGINX, VARNISH = shutil.which("nginx", path="/usr/sbin:/usr/bin"), shutil.which("varnishd", path="/usr/sbin:/usr/bin")


def missing() -> str:
    """What is not installed; empty when all is there."""
    lacking = [name for name, found in (("nginx", NGINX), ("varnish", VARNISH)) if found is None]
    return f"{' and '.join(lacking)}: not installed (tests/servers/install.sh does)" if lacking else ""


NGINX_CONFIGURATION = """
daemon off; pid {folder}/pid; error_log stderr; worker_processes 1; {user}
events {{ worker_connections 64; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
    proxy_cache_path {folder}/cache keys_zone=pages:1m;
    server {{
        listen 127.0.0.1:{port} {listen};
        {server}
        location / {{ proxy_pass {site}; proxy_set_header Host $http_host; {location} }}
    }}
}}
"""

CARELESS = "proxy_cache pages; proxy_cache_valid 200 5m;"
"""Keeps whatever is good, under its address alone: what most guides to a faster site say."""
TELLING = f"{CARELESS} add_header X-Cache-Status $upstream_cache_status;"
CAREFUL = f"{CARELESS} proxy_cache_bypass $http_cookie; proxy_no_cache $http_cookie;"
"""Keeps nothing for those who bring a cookie."""

VCL = """
vcl 4.1;
backend site {{ .host = "127.0.0.1"; .port = "{port}"; }}
sub vcl_recv {{ {receiving} }}
sub vcl_backend_response {{ {answering} }}
"""


@contextmanager
def nginx(site: str, location: str = "", *, server: str = "", listen: str = "", port: int = 0) -> Iterator[str]:
    """An nginx in front of a site; its address by http. `location` and `server` are directives of its own. `port`: for
    a site that knows where people reach it."""
    with tempfile.TemporaryDirectory(prefix="nginx-") as name:
        folder, port = Path(name), port or free_port()
        folder.chmod(0o755)
        more = {"location": location, "server": server, "listen": listen}
        user = "user root;" if getpass.getuser() == "root" else ""
        written = NGINX_CONFIGURATION.format(folder=folder, port=port, site=site, user=user, **more)
        (folder / "nginx.conf").write_text(written)
        command = [str(NGINX), "-p", str(folder), "-c", str(folder / "nginx.conf")]
        with started(command, folder / "log", cwd=folder) as process:
            _listens(port, process, folder / "log")
            yield f"http://127.0.0.1:{port}"


@contextmanager
def varnish(site: str, receiving: str = "", answering: str = "set beresp.ttl = 5m;", *, port: int = 0) -> Iterator[str]:
    """A Varnish in front of a site; its address. `receiving` and `answering`: what it does with a request and with
    what the site says, in its own language."""
    with tempfile.TemporaryDirectory(prefix="varnish-") as name:
        folder, port = Path(name), port or free_port()
        folder.chmod(0o755)
        (folder / "site.vcl").write_text(
            VCL.format(port=site.rpartition(":")[2], receiving=receiving, answering=answering)
        )
        at = ["-a", f"127.0.0.1:{port}", "-f", str(folder / "site.vcl"), "-n", str(folder / "work")]
        command = [str(VARNISH), "-F", *at, "-s", "malloc,8m", "-j", "none"]
        with started(command, folder / "log", cwd=folder) as process:
            _listens(port, process, folder / "log")
            yield f"http://127.0.0.1:{port}"


def _listens(port: int, process: Popen[bytes], log: Path) -> None:
    """Waits until somebody takes connections there, and asks for nothing: the first page is not to be kept for us."""
    until = time.monotonic() + 60
    while time.monotonic() < until and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError(f"the server did not come up:\n{log.read_text(errors='replace')[-3000:]}")
