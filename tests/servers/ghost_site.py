"""A real Ghost with a database of its own, from the npm registry (see install.sh)."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.servers.processes import answers, free_port, running, wait_until

VERSION = "5.130.6"
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
BUILT = CACHE / "product-wizard-tests" / f"ghost-{VERSION}"

POSTS = {
    "for-gold": {"visibility": "tiers", "text": "Only members of the tier gold read this sentence."},
    "for-paying": {"visibility": "paid", "text": "Only those who pay may read this sentence."},
    "for-everybody": {"visibility": "public", "text": "This post is open to whoever comes along here."},
}


@dataclass(frozen=True)
class GhostSite:
    """Where the site is, and an integration's key."""

    url: str
    admin_api_key: str
    owner: httpx.Client
    """The owner's own session, to set scenes and to look behind them."""

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """What Ghost answers its owner."""
        return _ask(self.owner, method, path, body)


def missing() -> str:
    """What is not installed; nothing when Ghost can be started."""
    lacking = [] if shutil.which("node") else ["node"]
    return ", ".join(lacking if (BUILT / ".built").exists() else [*lacking, f"Ghost {VERSION}"])


@contextmanager
def ghost(folder: Path) -> Generator[GhostSite]:
    """Start Ghost with its data in a folder, set it up, and end it afterwards."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    content = folder / "content"
    for name in ("data", "images", "media", "files", "logs", "settings", "themes", "public", "adapters"):
        (content / name).mkdir(parents=True)
    shutil.copytree(BUILT / "content" / "themes", content / "themes", symlinks=True, dirs_exist_ok=True)
    config = {
        "url": url,
        "server": {"host": "127.0.0.1", "port": port},
        "database": {
            "client": "sqlite3",
            "connection": {"filename": str(folder / "ghost.db")},
            "useNullAsDefault": True,
        },
        # Mails go nowhere: nothing listens there.
        "mail": {"transport": "SMTP", "options": {"host": "127.0.0.1", "port": 9, "ignoreTLS": True}},
        "security": {"staffDeviceVerification": False},
        "privacy": {"useUpdateCheck": False, "useGravatar": False, "useRpcPing": False, "useStructuredData": False},
        "paths": {"contentPath": str(content)},
        "logging": {"level": "warn", "transports": ["stdout"]},
        "spam": {"user_login": {"freeRetries": 1000}, "private_block": {"freeRetries": 1000}},
    }
    environment = os.environ | {"NODE_ENV": "development"} | dict(_flat(config))
    with running(["node", "index.js"], folder / "log", cwd=BUILT, env=environment) as server:
        wait_until(lambda: answers(f"{url}/ghost/api/admin/site/"), server, folder / "log")
        with httpx.Client(base_url=url, headers={"origin": url}, trust_env=False, timeout=60) as owner:
            yield GhostSite(url, _set_up(owner), owner)


def _flat(config: dict[str, Any], above: str = "") -> Iterator[tuple[str, str]]:
    """A configuration as Ghost reads it from the environment."""
    for name, value in config.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{above}{name}__")
        else:
            yield above + name, value if isinstance(value, str) else json.dumps(value)


def _set_up(owner: httpx.Client) -> str:
    """An owner, the tiers, the posts; gives back the key of an integration."""
    login = {"email": "owner@example.com", "password": "a test's long password"}
    _ask(owner, "POST", "authentication/setup/", {"setup": [{"name": "Owner", "blogTitle": "Test", **login}]})
    _ask(owner, "POST", "session/", {"username": login["email"], "password": login["password"]})
    tiers = {}
    for name in ("gold", "silver"):
        tier = {"name": name, "monthly_price": 500, "yearly_price": 5000, "currency": "usd"}
        tiers[name] = _ask(owner, "POST", "tiers/", {"tiers": [tier]})["tiers"][0]["id"]
    for slug, post in POSTS.items():
        about = {"title": slug, "slug": slug, "status": "published", "visibility": post["visibility"]}
        if post["visibility"] == "tiers":
            about["tiers"] = [{"id": tiers["gold"]}]
        _ask(owner, "POST", "posts/?source=html", {"posts": [about | {"html": f"<p>{post['text']}</p>"}]})
    _ask(owner, "POST", "labels/", {"labels": [{"name": "VIP"}]})
    made = _ask(owner, "POST", "integrations/?include=api_keys", {"integrations": [{"name": "wizard"}]})
    keys = {key["type"]: key["secret"] for key in made["integrations"][0]["api_keys"]}
    return str(keys["admin"])


def _ask(owner: httpx.Client, method: str, path: str, body: Any = None) -> Any:
    reply = owner.request(method, f"/ghost/api/admin/{path}", json=body)
    if not reply.is_success:
        raise RuntimeError(f"{method} {path}: {reply.status_code} {reply.text[:500]}")
    return reply.json() if reply.headers.get("content-type", "").startswith("application/json") else None
