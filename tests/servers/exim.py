"""A real mail server: Exim with one configuration file, on a free port of this machine, which keeps what it takes.

STARTTLS is required, AUTH PLAIN works over TLS only. `install-mail.sh` installs it.
"""

from __future__ import annotations

import email
import email.policy
import os
import pwd
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import quote

import pytest

from tests.servers.certificates import Authority

USER, PASSWORD = "shop@example.com", "correct horse/battery+staple"

# `smtp_accept_queue_per_connection`: Exim would only queue after ten mails of one connection. Deliveries run as the
# server's own user, never as root, which Exim refuses.
CONFIGURATION = """
exim_user = {user}
exim_group = {group}
spool_directory = {folder}/spool
log_file_path = {folder}/log/%s
pid_file_path = {folder}/exim.pid
primary_hostname = mail.example.com
keep_environment =
local_interfaces = 127.0.0.1
daemon_smtp_ports = {port}
{tls_on_connect}
tls_advertise_hosts = *
tls_certificate = {certificate}
tls_privatekey = {key}
smtp_accept_queue_per_connection = 0
smtp_accept_max = 50
auth_advertise_hosts = ${{if eq{{$tls_in_cipher}}{{}}{{}}{{*}}}}
acl_smtp_mail = mail
acl_smtp_rcpt = rcpt
acl_smtp_data = accept
qualify_domain = example.com
host_lookup =
rfc1413_hosts =
rfc1413_query_timeout = 0s
ignore_bounce_errors_after = 0s

begin acl
mail:
  deny  !encrypted = *
        message = STARTTLS first
  deny  !authenticated = *
        message = AUTH required
  deny  senders = nobody@example.com
        message = you do not send for this address
  accept
rcpt:
  defer local_parts = busy
        message = try again later
  deny  local_parts = gone
        message = no such mailbox
  accept domains = example.com

begin routers
all:
  driver = accept
  transport = sink

begin transports
sink:
  driver = appendfile
  directory = {folder}/sink
  maildir_format
  create_directory
  delivery_date_add
  envelope_to_add
  return_path_add

begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_prompts = :
  server_condition = ${{if and{{{{eq{{$auth2}}{{{name}}}}}{{eq{{$auth3}}{{{password}}}}}}}}}
  server_set_id = $auth2
"""


@dataclass(frozen=True)
class Exim:
    """A running server."""

    port: int
    folder: Path
    authority: Path

    def url(self, *, user: str = USER, password: str = PASSWORD, scheme: str = "smtp", options: str = "") -> str:
        login = f"{quote(user, safe='')}:{quote(password, safe='')}@" if user else ""
        return f"{scheme}://{login}localhost:{self.port}?{options or f'ca={self.authority}'}"

    def delivered(self) -> list[EmailMessage]:
        """The mails that arrived, in their order, once the server has delivered all that it took."""
        for _ in range(200):
            if not any(path.is_file() for path in (self.folder / "spool" / "input").rglob("*")):
                break
            time.sleep(0.05)
        else:
            pytest.fail(f"Exim delivers nothing: {(self.folder / 'log' / 'main').read_text(errors='replace')}")
        files = sorted((self.folder / "sink" / "new").glob("*"), key=lambda path: path.stat().st_mtime_ns)
        parsed = [email.message_from_bytes(file.read_bytes(), policy=email.policy.default) for file in files]
        return [message for message in parsed if isinstance(message, EmailMessage)]

    def empty(self) -> None:
        """Forget what arrived."""
        self.delivered()
        shutil.rmtree(self.folder / "sink", ignore_errors=True)


@contextmanager
def running_exim(*hosts: str, tls_on_connect: bool = False) -> Iterator[Exim]:
    """Start a server whose certificate is for these hosts, and stop it in the end. Skips where none is installed."""
    program = shutil.which("exim4", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if program is None:
        pytest.skip("no mail server: tests/servers/install-mail.sh installs exim4-daemon-light")
    # Root starts it, and it goes on as its own user, who must get into its folder: pytest's are closed to others.
    user = pwd.getpwnam("Debian-exim") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
    with TemporaryDirectory(prefix="exim") as name:
        folder = Path(name)
        authority = Authority.in_folder(folder)
        certificate, key = authority.certify(*hosts)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        configuration = folder / "exim.conf"
        configuration.write_text(
            CONFIGURATION.format(
                user=user.pw_name,
                group=user.pw_gid,
                folder=folder,
                port=port,
                tls_on_connect=f"tls_on_connect_ports = {port}" if tls_on_connect else "",
                certificate=certificate,
                key=key,
                name=USER,
                password=PASSWORD,
            )
        )
        for inner in ("spool", "log"):
            (folder / inner).mkdir()
        for path in (folder, *folder.iterdir()):
            os.chown(path, user.pw_uid, user.pw_gid)
        # Exim takes no configuration that others than root could have written.
        os.chown(configuration, os.geteuid(), user.pw_gid)
        configuration.chmod(0o640)
        server = subprocess.Popen([program, "-C", configuration, "-bdf"], stderr=subprocess.PIPE)
        try:
            _wait_for(port, server, folder)
            yield Exim(port, folder, authority.file)
        finally:
            server.terminate()
            server.communicate()


def _wait_for(port: int, server: subprocess.Popen[bytes], folder: Path) -> None:
    for _ in range(200):
        if server.poll() is not None:
            break
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    said = [path.read_text(errors="replace") for path in (folder / "log").glob("*")]
    pytest.fail(f"Exim did not start: {said} {server.stderr.read() if server.stderr and server.poll() else ''!r}")
