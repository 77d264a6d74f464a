"""The steps of a run in words: what is done, and what it is about."""

from __future__ import annotations

from models.fulfillment import (
    Action,
    CleanUp,
    IssueDownloadLink,
    KeepAccess,
    RevokeDownloadLink,
    SendEmail,
    ShowPage,
    TryLink,
)
from wizard import flow

DOES = {
    "grant_access": "Let the buyer in",
    "revoke_access": "Shut the buyer out",
    "issue_download_link": "Make the download link",
    "revoke_download_link": "Stop the download link",
    "register_attendee": "Register the buyer",
    "cancel_registration": "Cancel the registration",
    "send_email": "Send the mail",
    "show_page": "Show the page",
    "assign_tag": "Assign the tag",
    "unassign_tag": "Take off the tag",
    "subscribe_list": "Subscribe to the list",
    "subscribe_sequence": "Start the sequence",
    "call_webhook": "Call the webhook",
    "keep_access": "Keep access",
    "try_link": "Try a link that must be refused",
    "clean_up": "Clean up",
}
"""What each action is, as a seller says it."""


def in_words(action: Action) -> str:
    """What a step does and what it is about, such as "Let the buyer in: Yoga Club"."""
    if isinstance(action, KeepAccess) and action.kept is None:
        return f"Nothing to do: {action.reason}"
    does, about = DOES.get(action.action, action.action), _about(action)
    return f"{does}: {about}" if about else does


def _about(action: Action) -> str:
    """What an action is about, as the seller calls it; empty where only its key in documents is known."""
    match action:
        case SendEmail(target=target):
            try:
                return flow.question_at(f"post_sale.notifications.{target}").ask.label
            except KeyError:
                return target
        case ShowPage(source="product"):
            return "Thank You page"
        case ShowPage(source=source):
            return f"the {source}'s confirmation"
        case RevokeDownloadLink():
            return ""
        case CleanUp():
            return "what this run made"
        case IssueDownloadLink(filename=name):
            return name
        case TryLink(how=how):
            return how.replace("_", " ")
        case KeepAccess(kept=kept) if kept is not None:
            return _about(kept)
    return getattr(action, "name", "") or action.target
