"""Rules about what buyers receive: access, files, mails, links, calendars and webinars."""

from __future__ import annotations

from datetime import timedelta

from models.access import AccessKind
from models.account import ConnectionKind
from models.post_sale import ThankYou
from wizard import flow
from wizard.invocation import command
from wizard.mail import templates
from wizard.preflight.inspected import ACCESS, Found, Inspected, rule
from wizard.preview import wanted_mails
from wizard.sale.options import targets
from wizard.sale.options.nothing import linked as linked_thing
from wizard.store.rule_targets import rule_targets

STALE_AFTER = timedelta(hours=24)
"""How long the check of a connection counts."""


@rule(2)
def access_leads_somewhere(inspected: Inspected) -> Found:
    """No access option, or its target is gone; a rule about a membership or a level that is gone."""
    access = inspected.answers.post_sale.access
    if access.kind is None:
        yield "error", f"{ACCESS}.kind", "Choose how buyers receive what they bought."
    for name, slug in targets(inspected.answers).items():
        path = f"{ACCESS}.{access.kind}.{name}"
        if slug is None and name not in ("calendar", "webinar"):
            yield "error", path, f"Choose the {name} that buyers get."
        elif slug is not None and not inspected.around.has(name, slug):
            yield "error", path, f"The {name} {slug} is gone: choose another one."
    for target in rule_targets(inspected.answers.automations):
        membership = inspected.around.membership(target.membership)
        told = f"Rule {target.number + 1} names"
        if membership is None:
            yield "error", target.field, f"{told} the membership {target.membership}, which is gone: name another one."
        elif (target.level or len(membership.levels) != 1) and target.level not in membership.levels:
            names = ", ".join(f"{membership.slug}/{level}" for level in membership.levels)
            which = f"the level {target.level}, which {membership.name} has not" if target.level else "no level"
            yield "error", target.field, f"{told} {which}: write {names}."


@rule(3)
def connection_works(inspected: Inspected) -> Found:
    """The connection's last check failed or is older than 24 hours, or it found the product's level wrong."""
    connection = inspected.connection
    if connection is None:
        return
    path = f"{ACCESS}.integrated_membership.connection"
    last = inspected.account.checks.get(connection.slug)
    if last is None:
        check = command("connections", "check", connection.slug)
        way = f"open the list of connections and press F6, or run {check}"
        yield "error", path, f"{connection.name} was never checked: {way}."
    elif not last.ok:
        why = f" ({last.detail.rstrip('.')})" if last.detail else ""
        yield "error", path, f"The last check of {connection.name} failed{why}: put it right and check it again."
    elif inspected.now - last.at > STALE_AFTER:
        hours = int((inspected.now - last.at) / timedelta(hours=1))
        yield "error", path, f"The last check of {connection.name} is {hours} hours old: check it again."
    elif last.levels is not None:
        level = inspected.answers.post_sale.access.integrated_membership.level
        if level and level not in last.levels:
            told = f"{connection.name} was checked before this product gave “{level}”"
            yield "error", path, f"{told}: check it again, and it is asked for that too."
        elif problem := last.levels.get(level):
            yield "error", f"{ACCESS}.integrated_membership.level", problem


@rule(17)
def platform_is_real(inspected: Inspected) -> Found:
    """The connection leads to the platform that the wizard plays."""
    connection = inspected.connection
    if connection is not None and connection.kind is ConnectionKind.SANDBOX:
        told = f"{connection.name} is a platform that the wizard plays, so nobody lets real buyers in"
        yield "error", f"{ACCESS}.integrated_membership.connection", f"{told}: connect the one that you sell on."


@rule(4)
def file_is_as_it_was(inspected: Inspected) -> Found:
    """The file is missing, empty or changed since it was added."""
    told = {
        "missing": "is no longer in the library",
        "empty": "is empty",
        "changed": "is not what it was when you added it",
    }
    for slug, state in inspected.file_states.items():
        if state in told:
            name = next((f.name for f in inspected.account.account.files if f.slug == slug), slug)
            yield "error", f"{ACCESS}.downloadable_file.file", f"{name} {told[state]}: add the file again."


@rule(5)
def buyers_get_their_mail(inspected: Inspected) -> Found:
    """A required notification is off or lacks a variable; a mail that buyers get holds one that nothing fills."""
    notifications = inspected.answers.post_sale.notifications
    used = {name: True for name in wanted_mails(inspected.answers, inspected.account.account) if templates.NEEDS[name]}
    if "membership_welcome" in used:  # whoever has a login can lose it
        used["membership_password_resend"] = False
    for name, is_required in used.items():
        template = getattr(notifications, name)
        question = flow.question_at(f"post_sale.notifications.{name}")
        if is_required and not template.enabled:
            way = "turn it on, or buyers cannot get in" if "welcome" in name else "turn it on, or buyers get no link"
            yield "error", f"{question.id}.enabled", f"{question.ask.label} is off: {way}."
        elif lacking := templates.missing(name, template) if template.enabled else set():
            variables = " and ".join(f"{{{variable}}}" for variable in sorted(lacking))
            yield "error", f"{question.id}.body", f"{question.ask.label} lacks {variables}: put it into the message."
    for name in type(notifications).model_fields:
        if name in used or not templates.NEEDS[name]:  # a login and a link are mailed only where there is one
            label = flow.question_at(f"post_sale.notifications.{name}").ask.label
            for problem in templates.left_over(inspected.answers, name):
                yield "error", problem.path, f"{label}: {problem.message}."
    thing = linked_thing(inspected.answers, inspected.account.account)
    for problem in templates.left_over_after_paying(inspected.answers, thing.confirmation if thing else ""):
        yield "warning", problem.path, f"The page after paying: {problem.message}."


@rule(8)
def thank_you_page_is_seen(inspected: Inspected) -> Found:
    """A Thank You page is set, and a linked calendar or webinar takes its place."""
    linked, page = inspected.answers.post_sale.access.linked, inspected.answers.post_sale.thank_you
    if linked and page != ThankYou():
        kind, slug = linked
        thing = linked_thing(inspected.answers, inspected.account.account)
        told = f"Buyers see the confirmation of the {kind} {thing.name if thing else slug} instead"
        yield "warning", "post_sale.thank_you.mode", f"{told}: say there what they should know."


@rule(9)
def something_is_linked(inspected: Inspected) -> Found:
    """The reason is a calendar or webinar, and none is linked."""
    for name, slug in targets(inspected.answers).items():
        if name in ("calendar", "webinar") and slug is None:
            yield "error", f"{ACCESS}.no_access_page.{name}", f"Choose the {name} that buyers are registered with."


@rule(14)
def links_last_long_enough(inspected: Inspected) -> Found:
    """A download limit of 1, or a lifetime under an hour."""
    access = inspected.answers.post_sale.access
    if access.kind is AccessKind.DOWNLOADABLE_FILE:
        at, answers = f"{ACCESS}.downloadable_file", access.downloadable_file
        if answers.download_limit == 1:
            told = "One download is used up by a connection that breaks off"
            yield "warning", f"{at}.download_limit", f"{told}: allow at least 2."
        if answers.link_lifetime < 3600:
            told = "A link that works less than an hour is often dead when the mail is read"
            yield "warning", f"{at}.link_lifetime", f"{told}: let it live for 1h or more."


@rule(16)
def s2member_has_one_level(inspected: Inspected) -> Found:
    """One s2Member connection for several levels."""
    connection = inspected.connection
    if connection is None or connection.kind is not ConnectionKind.S2MEMBER:
        return
    level = inspected.answers.post_sale.access.integrated_membership.level
    several = sorted({level, *inspected.levels_elsewhere.values()} - {""})
    if len(several) > 1:
        told = f"{connection.name} is used for the levels {', '.join(several)}, and an s2Member connection opens one"
        yield "error", f"{ACCESS}.integrated_membership.level", f"{told}: make a connection for each level."
