"""What a role of WordPress may do, and which of it is nothing for a buyer.

https://wordpress.org/documentation/article/roles-and-capabilities/. The API tells what a user may do and not what a
role may: the roles that every WordPress has are known by name, others by somebody who holds that role alone.
"""

from __future__ import annotations

from collections.abc import Mapping

TOO_MUCH = {
    "change the settings": ("manage_options",),
    "change plugins and themes": (
        "install_plugins", "activate_plugins", "edit_plugins", "install_themes", "switch_themes", "edit_themes",
        "edit_theme_options",
    ),
    "see and change all users": ("list_users", "create_users", "edit_users", "promote_users", "delete_users"),
    "change and delete what others wrote": (
        "edit_others_posts", "edit_others_pages", "delete_others_posts", "delete_others_pages",
    ),
}  # fmt: skip
"""What no buyer is to be able to do, and the capabilities that let them."""

EVERYWHERE = {"administrator": tuple(TOO_MUCH), "editor": ("change and delete what others wrote",)}
"""The roles of every WordPress that may do such things."""


def too_much(capabilities: Mapping[str, object]) -> tuple[str, ...]:
    """What somebody with these capabilities may do that no buyer should."""
    return tuple(words for words, names in TOO_MUCH.items() if any(capabilities.get(name) for name in names))


def gives_too_much(name: str, role: str, may: tuple[str, ...]) -> str:
    """The sentence for a role that may do so much. `name`: what the seller calls the site."""
    listed = f"{', '.join(may[:-1])} and {may[-1]}" if may[1:] else may[0]
    return (
        f"Every buyer would get the role “{role}” of “{name}” and may {listed} then: choose one that may only read, "
        "such as subscriber."
    )
