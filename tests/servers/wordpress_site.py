"""A real WordPress with a database of its own, from Debian's packages (see install.sh)."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode
from urllib.request import urlopen

from tests.servers.processes import answers, free_port, running, wait_until

SOURCE = Path("/usr/share/wordpress")
MARIADB = "/usr/sbin/mariadbd"

CONFIG = """<?php
define('DB_NAME', 'wordpress'); define('DB_USER', 'root'); define('DB_PASSWORD', ''); define('DB_HOST', '{database}');
define('DB_CHARSET', 'utf8mb4'); define('DB_COLLATE', '');
define('WP_ENVIRONMENT_TYPE', 'local'); define('WP_HTTP_BLOCK_EXTERNAL', true); define('DISABLE_WP_CRON', true);
define('WP_DEBUG', false); define('AUTOMATIC_UPDATER_DISABLED', true);
foreach (['AUTH_KEY','SECURE_AUTH_KEY','LOGGED_IN_KEY','NONCE_KEY','AUTH_SALT','SECURE_AUTH_SALT','LOGGED_IN_SALT',
  'NONCE_SALT'] as $name) define($name, $name . ' of a test');
$table_prefix = 'wp_';
if (!defined('ABSPATH')) define('ABSPATH', __DIR__ . '/');
require_once ABSPATH . 'wp-settings.php';
"""

# A membership plugin of two kinds in few words: roles that open private pages, and a page that strangers see a part of.
SET_UP = """
require 'wp-load.php';
add_role('gold', 'Gold', ['read' => true, 'read_private_pages' => true]);
add_role('silver', 'Silver', ['read' => true]);
$page = fn($name, $status, $text) => wp_insert_post(['post_type' => 'page', 'post_status' => $status, 'post_name' => $name,
  'post_title' => $name, 'post_content' => $text, 'post_author' => 1]);
$page('members-only', 'private', '<p>The members of this site read this sentence, and nobody else.</p>');
$page('for-everybody', 'publish', '<p>This page is open to whoever comes along here.</p>');
$page('teaser', 'publish', '<p>Everybody reads how this story begins.</p><p>Only gold members read “how it ends”.</p>');
echo WP_Application_Passwords::create_new_application_password(1, ['name' => 'wizard'])[0];
"""

TEASER = """<?php
add_filter('the_content', function ($content) {
  if (!is_page('teaser') || current_user_can('read_private_pages')) return $content;
  return '<p>Everybody reads how this story begins.</p><p>' .
    (is_user_logged_in() ? 'Upgrade to gold, ' . wp_get_current_user()->display_name : 'Log in') . ' to read on.</p>';
});
"""


@dataclass(frozen=True)
class WordPressSite:
    """Where the site is, and its administrator's login."""

    url: str
    folder: Path
    user: str
    application_password: str

    def php(self, code: str) -> str:
        """What a piece of PHP prints inside of WordPress."""
        return _php(self.folder, f"require 'wp-load.php'; {code}")


def missing() -> str:
    """What is not installed; nothing when WordPress can be started."""
    lacking = [name for name in ("php", "mariadb-install-db") if shutil.which(name) is None]
    lacking += [str(path) for path in (SOURCE / "wp-load.php", Path(MARIADB)) if not path.exists()]
    return ", ".join(lacking)


@contextmanager
def wordpress(folder: Path) -> Generator[WordPressSite]:
    """Start WordPress in a folder, install it, and end it afterwards."""
    site, data = folder / "site", folder / "db"
    shutil.copytree(SOURCE, site, symlinks=False, ignore_dangling_symlinks=True)
    database = free_port()
    subprocess.run(
        ["mariadb-install-db", "--no-defaults", f"--datadir={data}", "--auth-root-authentication-method=normal",
         f"--user={_me()}"],
        check=True, capture_output=True,
    )  # fmt: skip
    serve = [MARIADB, "--no-defaults", f"--user={_me()}", f"--datadir={data}", "--bind-address=127.0.0.1",
             f"--port={database}", f"--socket={data}/s.sock", "--skip-log-bin"]  # fmt: skip
    with running(serve, folder / "db.log") as server:
        wait_until(lambda: _listens(database), server, folder / "db.log")
        (site / "wp-config.php").unlink(missing_ok=True)
        (site / "wp-config.php").write_text(CONFIG.format(database=f"127.0.0.1:{database}"))
        plugins = site / "wp-content" / "mu-plugins"
        plugins.mkdir(parents=True, exist_ok=True)
        (plugins / "teaser.php").write_text(TEASER)
        create = f"$db = new mysqli('127.0.0.1', 'root', '', '', {database}); $db->query('CREATE DATABASE wordpress');"
        _php(site, create)
        port = free_port()
        url = f"http://127.0.0.1:{port}"
        web = ["php", "-S", f"127.0.0.1:{port}", "-t", str(site)]
        environment = os.environ | {"PHP_CLI_SERVER_WORKERS": "4"}
        with running(web, folder / "web.log", env=environment) as server:
            wait_until(lambda: answers(f"{url}/readme.html"), server, folder / "web.log")
            form = {"weblog_title": "Test", "user_name": "admin", "admin_password": "a test's password",
                    "admin_password2": "a test's password", "pw_weak": "1", "admin_email": "admin@example.com"}  # fmt: skip
            urlopen(f"{url}/wp-admin/install.php?step=2", urlencode(form).encode(), timeout=60).close()
            yield WordPressSite(url, site, "admin", _php(site, SET_UP))


def _php(folder: Path, code: str) -> str:
    ran = subprocess.run(["php", "-r", code], cwd=folder, capture_output=True, text=True, check=False)
    if ran.returncode:
        raise RuntimeError(f"php: {ran.stdout}{ran.stderr}")
    return ran.stdout


def _me() -> str:
    import getpass

    return getpass.getuser()


def _listens(port: int) -> bool:
    with socket.socket() as tried:
        return tried.connect_ex(("127.0.0.1", port)) == 0
