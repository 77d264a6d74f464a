"""A real WordPress with a private page, for tests: Debian's, on a MariaDB of its own."""

from __future__ import annotations

import getpass
import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from models.account import Connection
from tests.servers.started import free_port, started, wait_for

SOURCE = Path("/usr/share/wordpress")
MARIADB = Path("/usr/sbin/mariadbd")
SECRET_TEXT = "Breathe in through the left nostril, count to four."
"""What stands on the private page."""

# One folder serves several sites: a server that runs with other variables has another address or another database.
CONFIGURATION = """<?php
define('DB_NAME', getenv('SITE_DATABASE') ?: 'wordpress'); define('DB_USER', 'root'); define('DB_PASSWORD', '');
define('DB_HOST', 'localhost:{socket}'); define('DB_CHARSET', 'utf8mb4'); define('DB_COLLATE', '');
$home = getenv('SITE_HOME') ?: '{url}'; define('WP_HOME', $home); define('WP_SITEURL', $home);
if ($network = getenv('SITE_NETWORK')) {{
    define('MULTISITE', true); define('SUBDOMAIN_INSTALL', false); define('DOMAIN_CURRENT_SITE', $network);
    define('PATH_CURRENT_SITE', '/'); define('SITE_ID_CURRENT_SITE', 1); define('BLOG_ID_CURRENT_SITE', 1);
}}
define('WP_ENVIRONMENT_TYPE', 'local'); define('WP_HTTP_BLOCK_EXTERNAL', true); define('DISABLE_WP_CRON', true);
$table_prefix = 'wp_';
if (!defined('ABSPATH')) define('ABSPATH', __DIR__ . '/');
require_once ABSPATH . 'wp-settings.php';
"""

APPLICATION_PASSWORD = "WP_Application_Passwords::create_new_application_password(1, ['name' => 'wizard'])[0]"

INSTALLATION = """
require ABSPATH . 'wp-admin/includes/upgrade.php';
wp_install('Members', 'owner', 'owner@example.com', true, '', 'a password of the owner');
switch_theme('plain');
add_role('gold', 'Gold', ['read' => true, 'read_private_pages' => true]);
$page = wp_insert_post(['post_type' => 'page', 'post_status' => 'private', 'post_title' => 'Members only',
    'post_content' => '<p>{text}</p>', 'post_author' => 1]);
$open = wp_insert_post(['post_type' => 'page', 'post_status' => 'publish', 'post_title' => 'A story',
    'post_content' => '<p>Everybody reads how it begins.</p><p>{text}</p>', 'post_author' => 1]);
echo json_encode([$page, $open, {password}]);
"""

NETWORK = """
require_once ABSPATH . 'wp-admin/includes/upgrade.php';
foreach ($wpdb->tables('ms_global') as $name => $table) $wpdb->$name = $table;
install_network();
echo json_encode(populate_network(1, '{host}', 'owner@example.com', 'A network', '/', false));
"""

# What most membership plug-ins do: everybody is shown the page, and most are shown a part of its text.
PLUGIN = """<?php
add_filter('the_content', function ($content) {
    if (!is_page('a-story') || current_user_can('read_private_pages')) return $content;
    $please = is_user_logged_in() ? 'Upgrade' : 'Log in';
    return "<p>Everybody reads how it begins.</p><p>$please to read on.</p>";
});
"""


# Debian keeps WordPress's themes in packages of their own; without any, every page is empty.
THEME = """<!DOCTYPE html><html><head><?php wp_head(); ?></head><body>
<?php while (have_posts()) { the_post(); the_title('<h1>', '</h1>'); the_content(); } wp_footer(); ?></body></html>
"""


def missing() -> str:
    """Why it cannot be started here, or nothing."""
    absent = [str(path) for path in (SOURCE / "wp-load.php", MARIADB) if not path.exists()]
    absent += [name for name in ("php", "mariadb-install-db") if shutil.which(name) is None]
    return f"WordPress is not installed ({', '.join(absent)}): run tests/servers/install.sh" if absent else ""


@dataclass(frozen=True)
class WordPressSite:
    """A WordPress that answers, and its owner's hands."""

    url: str
    folder: Path
    page: int
    story: int
    """A page that everybody is shown, and a part of its text to those who hold the role."""
    application_password: str
    environment: Mapping[str, str] = field(default_factory=dict)
    """What its servers and its PHP run with."""

    @property
    def proof_url(self) -> str:
        return f"{self.url}/?page_id={self.page}"

    def connection(self, **changes: Any) -> Connection:
        described = {
            "slug": "my-site",
            "name": "My site",
            "kind": "wordpress",
            "url": self.url,
            "user": "owner",
            "application_password": self.application_password,
            "role": "gold",
            "proof_url": self.proof_url,
        }
        return Connection.model_validate(described | changes)

    def php(self, code: str) -> Any:
        """What a piece of PHP inside WordPress answers, as JSON."""
        return run_php(self.folder, f"echo json_encode((function() {{ {code} }})());", **self.environment)

    @contextmanager
    def served_for(self, home: str, **environment: str) -> Iterator[str]:
        """Another server of the same site, which believes that people reach it at `home`: its own address."""
        behind = f"127.0.0.1:{free_port()}"
        log = self.folder.parent / f"{behind.rpartition(':')[2]}.log"
        command = ["php", "-S", behind, "-t", str(self.folder)]
        known = {**self.environment, "SITE_HOME": home, "PHP_CLI_SERVER_WORKERS": "4", **environment}
        with started(command, log, cwd=self.folder, **known) as server:
            wait_for(f"http://{behind}/wp-login.php", server, log)
            yield f"http://{behind}"

    @contextmanager
    def network(self) -> Iterator[WordPressSite]:
        """A multisite beside it, with users and pages of its own."""
        host = f"127.0.0.1:{free_port()}"
        home = f"http://{host}"
        alone = {"SITE_DATABASE": "network", "SITE_HOME": home}
        subprocess.run(
            ["mariadb", "--no-defaults", f"--socket={self.folder.parent / 'db.sock'}", "--user=root",
             "--execute=CREATE DATABASE network"],
            check=True, timeout=20,
        )  # fmt: skip
        page, story, _ = run_php(
            self.folder,
            INSTALLATION.format(text=SECRET_TEXT, password=APPLICATION_PASSWORD),
            "define('WP_INSTALLING', true);",
            **alone,
        )
        assert run_php(self.folder, NETWORK.format(host=host), **alone) is True
        known = {**alone, "SITE_NETWORK": host}
        # A network does not know the application passwords from before it was one.
        forget = "WP_Application_Passwords::delete_all_application_passwords(1);"
        password = run_php(self.folder, f"{forget} echo json_encode({APPLICATION_PASSWORD});", **known)
        log = self.folder.parent / "network.log"
        command = ["php", "-S", host, "-t", str(self.folder)]
        with started(command, log, cwd=self.folder, PHP_CLI_SERVER_WORKERS="4", **known) as server:
            wait_for(home, server, log)
            yield WordPressSite(home, self.folder, page, story, password, known)

    def user(self, email: str) -> dict[str, Any] | None:
        """An account as the database holds it: name, roles, hash of the password, number of posts."""
        found = self.php(
            f"$u = get_user_by('email', '{email}'); if (!$u) return null; return ['id' => $u->ID, "
            "'login' => $u->user_login, 'name' => $u->display_name, 'roles' => array_values($u->roles), "
            "'password' => $u->user_pass, 'posts' => (int) count_user_posts($u->ID)];"
        )
        return dict(found) if found else None

    def site_administrator(self) -> str:
        """Somebody who is an administrator of the site and not of its network: their application password."""
        return str(
            self.php(
                "$id = wp_insert_user(['user_login' => 'siteadmin', 'user_email' => 'siteadmin@example.com', "
                "'user_pass' => 'a password', 'role' => 'administrator']); "
                "return WP_Application_Passwords::create_new_application_password($id, ['name' => 'x'])[0];"
            )
        )

    def make_user(self, login: str, role: str) -> str:
        """A member who was there before: their address."""
        self.php(
            f"$id = wp_insert_user(['user_login' => '{login}', 'user_email' => '{login}@example.com', "
            f"'user_pass' => 'their own password', 'role' => '{role}']);"
            "return wp_insert_post(['post_title' => 'Hello', 'post_status' => 'publish', 'post_author' => $id]);"
        )
        return f"{login}@example.com"


def run_php(folder: Path, code: str, before: str = "", **environment: str) -> Any:
    host = environment.get("SITE_NETWORK", "localhost")
    whole = f"{before} $_SERVER['HTTP_HOST'] = '{host}'; require 'wp-load.php'; {code}"
    done = subprocess.run(
        ["php", "-r", whole],
        cwd=folder, env=os.environ | environment, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)


@contextmanager
def wordpress() -> Iterator[WordPressSite]:
    """Installs and starts a WordPress, and leaves nothing behind."""
    # Not pytest's folder: the path of a socket has at most 107 characters.
    with tempfile.TemporaryDirectory(prefix="wp-") as place:
        home = Path(place)
        site, data, socket, log = home / "site", home / "db", home / "db.sock", home / "log"
        shutil.copytree(SOURCE, site, ignore_dangling_symlinks=True)
        url = f"http://127.0.0.1:{free_port()}"
        (site / "wp-config.php").write_text(CONFIGURATION.format(socket=socket, url=url))
        user = f"--user={getpass.getuser()}"
        make = [
            "mariadb-install-db",
            "--no-defaults",
            user,
            f"--datadir={data}",
            "--auth-root-authentication-method=normal",
        ]
        subprocess.run([*make, "--skip-test-db"], check=True, stdout=subprocess.DEVNULL, timeout=60)
        serve = [str(MARIADB), "--no-defaults", user, f"--datadir={data}", f"--socket={socket}", "--skip-networking"]
        with started(serve, log, cwd=home) as database:
            until = time.monotonic() + 60
            while not socket.exists():
                assert database.poll() is None, log.read_text()
                assert time.monotonic() < until, log.read_text()
                time.sleep(0.05)
            client = ["mariadb", "--no-defaults", f"--socket={socket}", "--user=root"]
            subprocess.run([*client, "--execute=CREATE DATABASE wordpress"], check=True, timeout=20)
            plugins = site / "wp-content" / "mu-plugins"
            plugins.mkdir(exist_ok=True)
            (plugins / "members.php").write_text(PLUGIN)
            theme = site / "wp-content" / "themes" / "plain"
            theme.mkdir(parents=True)
            (theme / "style.css").write_text("/* Theme Name: Plain */")
            (theme / "index.php").write_text(THEME)
            page, story, password = run_php(
                site,
                INSTALLATION.format(text=SECRET_TEXT, password=APPLICATION_PASSWORD),
                "define('WP_INSTALLING', true);",
            )
            web = home / "web.log"
            address = url.removeprefix("http://")
            with started(["php", "-S", address, "-t", str(site)], web, cwd=site, PHP_CLI_SERVER_WORKERS="4") as server:
                wait_for(url, server, web)
                yield WordPressSite(url, site, page, story, password)
