"""The buyer's side in a real browser: after a test-fire a person walks the same way, and gets as far as it said."""

from __future__ import annotations

import hashlib
import re
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from models.events import Event, Verdict
from models.fulfillment import Buyer, Run
from tests.support.served import served
from tests.support.shop import CHEAP, SHA256, sold, workbook
from wizard.delivery.backends.sandbox import SandboxBackend
from wizard.runs.fire import Workplace, fire
from wizard.sandbox.app import sandbox_app
from wizard.sandbox.world import World

playwright = pytest.importorskip("playwright.async_api", reason="playwright is not installed")
CHROMIUM = shutil.which("chromium")

pytestmark = [
    pytest.mark.xdist_group("browser"),
    pytest.mark.skipif(CHROMIUM is None, reason="the system's chromium is not installed"),
]

QUIET = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync"),
]
PASSWORD = re.compile(r"Password: (\S+)")


class Place:
    """A data folder that is served: products are fired into it, people open it in browsers."""

    def __init__(self, folder: Path, home: str, app: Any, chromium: Any) -> None:
        self.home = home
        self._folder = folder
        self._app = app
        self._chromium = chromium
        self.visited: set[str] = set()
        """Every site that any browser asked for something."""
        self.complaints: list[str] = []
        """What browsers had to say about what the pages may do."""

    async def fire(self, option: str, event: Event = Event.PURCHASE, buyer: Buyer | None = None) -> Run:
        path = workbook(self._folder)
        run = await fire(
            sold(option),
            event,
            at=Workplace(self._folder, path_of_file=lambda slug: path),
            backend=lambda around: SandboxBackend(around, self._app),
            buyer=buyer,
        )
        assert run.verdict is Verdict.PASSED, run.reason
        return run

    async def person(self, **settings: Any) -> Any:
        """A page in a browser of somebody who was never here."""
        context = await self._chromium.new_context(base_url=self.home, **settings)
        context.on("request", lambda request: self.visited.add("://".join(urlsplit(request.url)[:2])))
        page = await context.new_page()
        page.on("console", lambda said: self.complaints.append(said.text) if "Policy" in said.text else None)
        page.set_default_timeout(15_000)
        return page


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    world = World(tmp_path, hasher=CHEAP)
    app = sandbox_app(world)
    try:
        with served(app) as home:
            async with playwright.async_playwright() as player:
                chromium = await player.chromium.launch(executable_path=CHROMIUM, args=QUIET)
                at = Place(tmp_path, home, app, chromium)
                yield at
                await chromium.close()
                assert at.visited == {home}
                assert at.complaints == []
    finally:
        world.close()


def sum_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


async def text_of(page: Any) -> str:
    return str(await page.inner_text("main"))


async def open_mail(page: Any, run: Run, subject: str) -> str:
    """Go from the first page by the run's own page to a mail; give what stands in it."""
    await page.goto("/")
    await page.get_by_role("link", name=run.buyer.email).click()
    await page.get_by_role("link", name=subject).click()
    return await text_of(page)


async def log_in(page: Any, run: Run) -> None:
    found = PASSWORD.search(await open_mail(page, run, "Your login for Yoga Club"))
    assert found
    await page.locator("pre").get_by_role("link", name="/m/yoga-club/login").click()
    await page.get_by_label("E-mail").fill(run.buyer.email)
    await page.get_by_label("Password").fill(found[1])
    await page.get_by_role("button", name="Log in").click()


usual_and_plain = pytest.mark.parametrize("scripts", [True, False], ids=["as usual", "without JavaScript"])


@usual_and_plain
async def test_a_member_logs_in_by_the_mail_and_a_refund_ends_it(scripts: bool, place: Place):
    run = await place.fire("hosted")
    ada = await place.person(java_script_enabled=scripts)
    await log_in(ada, run)
    assert f"You are logged in as {run.buyer.email}" in await text_of(ada)
    await ada.get_by_role("link", name="gold").click()
    assert "Only members of this level read this: " in await text_of(ada)

    eve = await place.person(java_script_enabled=scripts)
    await eve.goto("/m/yoga-club/gold")
    assert urlsplit(eve.url).path == "/m/yoga-club/login"
    assert "Only members" not in await text_of(eve)

    await place.fire("hosted", Event.REFUND, run.buyer)
    answer = await ada.goto("/m/yoga-club/gold")
    assert answer.status == 403
    assert "Your membership does not include “gold”, or has ended." in await text_of(ada)
    await ada.get_by_role("link", name="Your membership").click()
    assert "Your membership has ended." in await text_of(ada)
    await ada.get_by_role("button", name="Log out").click()
    assert "You have left Yoga Club." in await text_of(ada)
    await ada.goto("/m/yoga-club")
    assert urlsplit(ada.url).path == "/m/yoga-club/login"


@usual_and_plain
async def test_a_platforms_sign_in_link_opens_its_page_until_the_refund(scripts: bool, place: Place):
    run = await place.fire("integrated")
    ada = await place.person(java_script_enabled=scripts)
    await open_mail(ada, run, "Sign in to my-site")
    await ada.locator("pre").get_by_role("link").click()
    assert "token" not in ada.url
    await ada.get_by_role("link", name="gold").click()
    assert "Only members of this level read this: " in await text_of(ada)

    eve = await place.person(java_script_enabled=scripts)
    answer = await eve.goto("/platform/my-site/level/gold")
    assert answer.status == 401
    assert "Open the sign-in link in your mail." in await text_of(eve)

    await place.fire("integrated", Event.REFUND, run.buyer)
    answer = await ada.goto("/platform/my-site/level/gold")
    assert answer.status == 403
    await ada.goto("/platform/my-site")
    await ada.get_by_role("button", name="Log out").click()
    assert "You have left my-site." in await text_of(ada)
    assert (await ada.goto("/platform/my-site")).status == 401


@usual_and_plain
async def test_the_mailed_link_gives_the_file_until_the_refund(scripts: bool, place: Place):
    run = await place.fire("file")
    ada = await place.person(java_script_enabled=scripts)
    await open_mail(ada, run, "Your download")
    link = await ada.locator("pre").get_by_role("link").first.get_attribute("href")

    async with ada.expect_download() as coming:
        await ada.locator("pre").get_by_role("link").first.click()
    download = await coming.value

    assert download.suggested_filename == "workbook.pdf"
    assert sum_of(await download.path()) == SHA256
    answer = await ada.goto(link[:-1])
    assert answer.status == 404
    assert "This link is damaged." in await text_of(ada)
    await place.fire("file", Event.REFUND, run.buyer)
    answer = await ada.goto(link)
    assert answer.status == 403
    assert "This link has been stopped." in await text_of(ada)


@usual_and_plain
@pytest.mark.parametrize(
    ("option", "name", "confirmation"),
    [("calendar", "Coaching call", "You are booked."), ("webinar", "Introduction", "See you on Friday.")],
)
async def test_a_booking_stands_on_the_list_until_the_refund_and_is_confirmed(
    option: str, name: str, confirmation: str, scripts: bool, place: Place
):
    run = await place.fire(option)
    ada = await place.person(java_script_enabled=scripts)
    await ada.goto(f"/runs/{run.id}")
    await ada.get_by_role("link", name=re.compile("^Your (booking|webinar)")).click()
    assert confirmation in await text_of(ada)

    await ada.goto("/")
    await ada.get_by_role("link", name=name).click()
    assert await ada.get_by_role("cell", name=run.buyer.email).count() == 1

    await place.fire(option, Event.REFUND, run.buyer)
    await ada.reload()
    assert "Nobody is registered." in await text_of(ada)


@usual_and_plain
async def test_after_paying_the_thank_you_page_is_shown(scripts: bool, place: Place):
    run = await place.fire("physical")
    ada = await place.person(java_script_enabled=scripts)
    await ada.goto(f"/runs/{run.id}")
    await ada.get_by_role("link", name="Thank you").click()

    assert "Thank you for your order!" in await text_of(ada)
    assert "It ships on Monday." in await open_mail(ada, run, "Your order")


FOCUSED = """() => {
    const at = document.activeElement, drawn = getComputedStyle(at)
    return {name: at.id || at.innerText, ring: drawn.outlineStyle + " " + drawn.outlineWidth}
}"""


async def tab_to(page: Any, name: str) -> None:
    """Press Tab until something is focused, which every stop on the way must show."""
    for _ in range(40):
        await page.keyboard.press("Tab")
        focused = await page.evaluate(FOCUSED)
        assert focused["ring"] == "solid 3px", focused
        if name in focused["name"]:
            return
    raise AssertionError(f"{name} is not reached by Tab on {page.url}")


async def follow(page: Any, name: str) -> None:
    await tab_to(page, name)
    async with page.expect_navigation():
        await page.keyboard.press("Enter")


async def test_the_whole_way_in_is_walked_by_keyboard_alone(place: Place):
    run = await place.fire("hosted")
    ada = await place.person()
    await ada.goto("/")
    await tab_to(ada, "Skip to content")
    await ada.keyboard.press("Enter")
    assert await ada.evaluate("document.activeElement.id") == "content"

    await follow(ada, run.buyer.email)
    await follow(ada, "Your login for Yoga Club")
    found = PASSWORD.search(await text_of(ada))
    assert found
    await follow(ada, "/m/yoga-club/login")
    await tab_to(ada, "email")
    await ada.keyboard.type(run.buyer.email)
    await tab_to(ada, "password")
    await ada.keyboard.type(found[1])
    async with ada.expect_navigation():
        await ada.keyboard.press("Enter")
    await follow(ada, "gold")
    assert "Only members of this level read this: " in await text_of(ada)
    await follow(ada, "Log out")
    assert "You have left Yoga Club." in await text_of(ada)


SHOWN = """() => {
    const luminance = color => {
        const [r, g, b] = color.match(/[\\d.]+/g).slice(0, 3).map(Number).map(part => part / 255)
            .map(part => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4)
        return 0.2126 * r + 0.7152 * g + 0.0722 * b
    }
    const behind = element => {
        for (; element; element = element.parentElement) {
            const color = getComputedStyle(element).backgroundColor
            if (color !== "rgba(0, 0, 0, 0)") return color
        }
        return "rgb(255, 255, 255)"
    }
    const contrast = element => {
        const [a, b] = [getComputedStyle(element).color, behind(element)].map(luminance).sort((a, b) => b - a)
        return (a + 0.05) / (b + 0.05)
    }
    const texts = [...document.querySelectorAll("body *")].filter(element =>
        [...element.childNodes].some(node => node.nodeType === 3 && node.data.trim()))
    return {
        paper: luminance(behind(document.body)),
        faint: texts.filter(element => contrast(element) < 4.5).map(element => element.outerHTML),
        wide: document.documentElement.scrollWidth - document.documentElement.clientWidth,
        lang: document.documentElement.lang,
        title: document.title,
        headings: document.querySelectorAll("h1").length,
        landmarks: ["header", "nav", "main", "footer"].filter(name => document.querySelectorAll(name).length !== 1),
        nameless: [...document.querySelectorAll("input:not([type=hidden])")].filter(one => !one.labels.length).length,
    }
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_every_page_is_readable_in_light_and_dark_also_on_a_phone(scheme: str, place: Place):
    runs = {option: await place.fire(option) for option in ("hosted", "integrated", "file", "calendar", "physical")}
    ada = await place.person(color_scheme=scheme, viewport={"width": 320, "height": 640})
    await open_mail(ada, runs["integrated"], "Sign in to my-site")
    await ada.locator("pre").get_by_role("link").click()
    await log_in(ada, runs["hosted"])
    inside = ["/m/yoga-club", "/m/yoga-club/gold", "/m/yoga-club/platinum", "/platform/my-site"]
    pages = ["/", "/mailbox", "/mailbox/1", "/m/yoga-club/login", *inside, "/platform/my-site/level/gold",
             "/platform/other", "/attendees/calendar/coaching", "/attendees/webinar/none", "/d/damaged", "/nowhere",
             *(f"/runs/{run.id}" for run in runs.values())]  # fmt: skip
    titles = set()
    for path in pages:
        await ada.goto(path)
        shown = await ada.evaluate(SHOWN)
        titles.add(shown.pop("title"))
        assert (shown.pop("paper") < 0.1) is (scheme == "dark"), path
        good = {"faint": [], "wide": 0, "lang": "en", "headings": 1, "landmarks": [], "nameless": 0}
        assert shown == good, path
    assert len(titles) >= 12


async def test_ten_wrong_passwords_close_the_form_and_say_for_how_long(place: Place):
    run = await place.fire("hosted")
    eve = await place.person()
    await eve.goto("/m/yoga-club/login")
    await eve.get_by_label("E-mail").fill(run.buyer.email)
    for _ in range(10):
        await eve.get_by_label("Password").fill("wrong")
        await eve.get_by_role("button", name="Log in").click()
        assert await eve.get_by_role("alert").inner_text() == "E-mail or password is wrong."
    await eve.get_by_label("Password").fill("wrong")
    await eve.get_by_role("button", name="Log in").click()

    said = await eve.get_by_role("alert").inner_text()
    assert re.fullmatch(r"Too many tries\. Try again in 1[45] minutes\.", said)
