"""A real Ghost with a post for paying members and one for a tier, for tests."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from models.account import Connection
from tests.servers import caches
from tests.servers.fronts import Door
from tests.servers.started import free_port, started, wait_for

VERSION = "5.130.6"
BUILT = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "product-wizard-tests" / f"ghost-{VERSION}"
SECRET_TEXT = "Breathe in through the left nostril, count to four."
"""What stands in each gated post."""

OWNER = {"email": "owner@example.com", "password": "correct horse battery staple"}


def missing() -> str:
    """Why it cannot be started here, or nothing."""
    if shutil.which("node") is None or not (BUILT / ".built").exists():
        return f"Ghost {VERSION} is not installed: run tests/servers/install.sh"
    return caches.missing()


class Owner:
    """The owner at the administration pages."""

    def __init__(self, url: str) -> None:
        self._http = httpx.Client(
            base_url=f"{url}/ghost/api/admin/", headers={"origin": url}, trust_env=False, timeout=30
        )

    def ask(self, method: str, path: str, **parts: Any) -> Any:
        answer = self._http.request(method, path, **parts)
        assert answer.is_success, f"{method} {path}: {answer.status_code} {answer.text[:500]}"
        return answer.json() if answer.content and "json" in answer.headers.get("content-type", "") else None

    def close(self) -> None:
        self._http.close()


@dataclass(frozen=True)
class GhostSite:
    """A Ghost that answers, and its owner's hands."""

    url: str
    key: str
    owner: Owner
    tier: str
    """The id of the tier Gold."""
    door: Door
    database: Path

    @property
    def paid_post(self) -> str:
        """For everybody whom Ghost takes for paying."""
        return f"{self.url}/for-paying/"

    @property
    def gold_post(self) -> str:
        """For members who hold the tier Gold."""
        return f"{self.url}/for-gold/"

    @property
    def open_post(self) -> str:
        return f"{self.url}/for-all/"

    def connection(self, **changes: Any) -> Connection:
        described = {
            "slug": "blog",
            "name": "My blog",
            "kind": "ghost",
            "url": self.url,
            "admin_api_key": self.key,
            "tier": "Gold",
            "proof_url": self.paid_post,
        }
        return Connection.model_validate(described | changes)

    def member(self, email: str) -> dict[str, Any] | None:
        """A member as the owner sees them."""
        found = self.owner.ask("GET", "members/", params={"filter": f"email:'{email}'", "include": "tiers,labels"})
        return dict(found["members"][0]) if found["members"] else None

    def members(self, email: str) -> int:
        found = self.owner.ask("GET", "members/", params={"filter": f"email:'{email}'"})
        return len(found["members"])

    def key_that_may_little(self) -> str:
        """The Admin API key of an integration with another role than Ghost gives the seller's own."""
        made = self.owner.ask(
            "POST", "integrations/", params={"include": "api_keys"}, json={"integrations": [{"name": "another"}]}
        )
        key = next(each["secret"] for each in made["integrations"][0]["api_keys"] if each["type"] == "admin")
        with closing(sqlite3.connect(self.database, timeout=20)) as database, database:
            another = "SELECT id FROM roles WHERE name = 'DB Backup Integration'"
            database.execute(f"UPDATE api_keys SET role_id = ({another}) WHERE secret = ?", (key.partition(":")[2],))
        return str(key)

    def make_member(self, email: str, **more: Any) -> dict[str, Any]:
        """A member who was there before."""
        made = self.owner.ask("POST", "members/", json={"members": [{"email": email, "name": "Before", **more}]})
        return dict(made["members"][0])


@contextmanager
def ghost() -> Iterator[GhostSite]:
    """Sets up and starts a Ghost, and leaves nothing behind."""
    with tempfile.TemporaryDirectory(prefix="ghost-") as place:
        home = Path(place)
        door = Door(free_port(), f"http://127.0.0.1:{free_port()}")
        url, port = f"http://127.0.0.1:{door.port}", int(door.behind.rpartition(":")[2])
        shutil.copytree(BUILT / "content", home / "content")
        settings = {
            "url": url,
            "server": {"host": "127.0.0.1", "port": port},
            "database": {
                "client": "sqlite3",
                "connection": {"filename": str(home / "ghost.db")},
                "useNullAsDefault": True,
            },
            # Nobody listens there: no mail leaves a test.
            "mail": {"transport": "SMTP", "options": {"host": "127.0.0.1", "port": 1, "ignoreTLS": True}},
            "security": {"staffDeviceVerification": False},
            "privacy": {"useUpdateCheck": False, "useGravatar": False, "useRpcPing": False, "useStructuredData": False},
            "spam": {"user_login": {"freeRetries": 1000}, "member_login": {"freeRetries": 1000}},
            "paths": {"contentPath": str(home / "content")},
            "logging": {"level": "error", "transports": ["stdout"]},
        }
        (home / "config.development.json").write_text(json.dumps(settings))
        shutil.copy(BUILT / "package.json", home)  # Ghost looks for it where it is started
        log = home / "log"
        node = ["node", "--require", str(Path(__file__).with_name("offline.cjs")), str(BUILT / "index.js")]
        with started(node, log, cwd=home, NODE_ENV="development") as server:
            wait_for(f"{door.behind}/ghost/api/admin/site/", server, log)
            with door:
                owner = Owner(url)
                try:
                    yield _set_up(url, owner, door, home / "ghost.db")
                finally:
                    owner.close()


def _set_up(url: str, owner: Owner, door: Door, database: Path) -> GhostSite:
    owner.ask("POST", "authentication/setup/", json={"setup": [{**OWNER, "name": "Owner", "blogTitle": "Members"}]})
    owner.ask("POST", "session/", json={"username": OWNER["email"], "password": OWNER["password"]})
    made = owner.ask(
        "POST", "integrations/", params={"include": "api_keys"}, json={"integrations": [{"name": "wizard"}]}
    )
    key = next(each["secret"] for each in made["integrations"][0]["api_keys"] if each["type"] == "admin")
    price = {"monthly_price": 500, "yearly_price": 5000, "currency": "usd"}
    tier = owner.ask("POST", "tiers/", json={"tiers": [{"name": "Gold", "slug": "gold", **price}]})["tiers"][0]["id"]
    owner.ask("POST", "labels/", json={"labels": [{"name": "Buyer"}]})
    for slug, visible in (("for-paying", "paid"), ("for-gold", "tiers"), ("for-all", "public")):
        post = {"title": slug, "slug": slug, "status": "published", "visibility": visible}
        post |= {
            "html": "<p>Come in, everybody.</p>" if visible == "public" else f"<p>{SECRET_TEXT}</p><p>And out.</p>"
        }
        gate: dict[str, Any] = {"tiers": [{"id": tier}]} if visible == "tiers" else {}
        owner.ask("POST", "posts/", params={"source": "html"}, json={"posts": [post | gate]})
    return GhostSite(url, key, owner, tier, door, database)
