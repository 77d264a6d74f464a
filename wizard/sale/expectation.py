"""What is expected of the buyer after an action: to get in, or to be turned away."""

from __future__ import annotations

from models.fulfillment import (
    Action,
    CancelRegistration,
    GrantAccess,
    IssueDownloadLink,
    RegisterAttendee,
    RevokeAccess,
    RevokeDownloadLink,
    TryLink,
)

ACCESS = (
    GrantAccess,
    RevokeAccess,
    IssueDownloadLink,
    RevokeDownloadLink,
    RegisterAttendee,
    CancelRegistration,
    TryLink,
)
"""What a proof is about: it takes the buyer to check these."""


def hoped_for(action: Action) -> bool:
    """Whether the buyer should get in after this action: not after one that takes access away."""
    return not isinstance(action, RevokeAccess | RevokeDownloadLink | CancelRegistration | TryLink)
