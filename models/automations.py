"""The step Basic automations: tags, lists, sequences, and IF … THEN … rules."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from models.ask import Answers, Ask, ModuleHeading, always
from models.choice import Choice
from models.text import Line, Name


class When(Choice):
    """What a rule waits for [K]."""

    BUYS = "buys", "buys the product"
    REFUNDS = "refunds", "gets a refund"
    PARTIALLY_REFUNDS = "partially_refunds", "gets a partial refund"
    CANCELS_SUBSCRIPTION = "cancels_subscription", "cancels the subscription"
    REQUESTS_CANCELLATION = "requests_cancellation", "asks to cancel"
    CANCELS_CANCELLATION_REQUEST = (
        "cancels_cancellation_request",
        "takes the request back",
    )


class Then(Choice):
    """What a rule does [K]."""

    ASSIGN_TAG = "assign_tag", "assign the tag"
    UNASSIGN_TAG = "unassign_tag", "take off the tag"
    SUBSCRIBE_LIST = "subscribe_list", "subscribe to the list"
    SUBSCRIBE_SEQUENCE = "subscribe_sequence", "subscribe to the sequence"
    GRANT_MEMBERSHIP = "grant_membership", "grant the membership"
    REVOKE_MEMBERSHIP = "revoke_membership", "revoke the membership"
    CALL_WEBHOOK = "call_webhook", "call the webhook"


class Rule(Answers):
    """IF the buyer does this THEN do that."""

    when: Annotated[When, Ask("If the buyer", "What the rule waits for.", kind="choice")] = When.BUYS
    then: Annotated[Then, Ask("Then", "What happens.", kind="choice")] = Then.ASSIGN_TAG
    target: Annotated[
        Line,
        Ask("Which", "By its name; a membership as yoga-club/gold, a webhook as its address.", required=always,
            placeholder="win-back"),
    ] = ""  # fmt: skip


Words = Annotated[tuple[Name, ...], Field(max_length=50)]


class Automations(Answers):
    """What is done with the buyer's record (`docs/spec.md` 2.5)."""

    tags: Annotated[
        Words,
        ModuleHeading("on_purchase", "On purchase", "What is noted about a buyer?"),
        Ask(
            "Tags",
            "Put on every buyer. Commas between them.",
            kind="words",
            placeholder="yoga, customer",
        ),
    ] = ()
    lists: Annotated[
        Words,
        Ask("Lists", "Every buyer is subscribed. Commas between them.", kind="words"),
    ] = ()
    sequences: Annotated[
        Words,
        Ask("Sequences", "Every buyer starts them. Commas between them.", kind="words"),
    ] = ()
    rules: Annotated[
        tuple[Rule, ...],
        ModuleHeading("rules", "Rules", "If the buyer does this, then do that"),
        Ask("Rules", "If the buyer does this, then do that. What one rule grants stays until another revokes it.",
            kind="rows", row_name="rule",
            told=lambda rule: f"If the buyer {rule.when.label}: {rule.then.label} {rule.target}".rstrip()),
    ] = ()  # fmt: skip
