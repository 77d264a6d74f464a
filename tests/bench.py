"""The numbers of the wizard, side by side in one run: `make bench`. Times are noisy, so read the ratios.

Each line says what was measured, beside what, and the bound that the project set itself. Nothing here fails a build.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from tests.support.crowd import crowd
from tests.support.terminal import ROOT, Terminal
from wizard.session import Session
from wizard.settings import Settings
from wizard.store import Store, open_store

PYTHON = sys.executable
BARE = """
from textual.app import App
from textual.widgets import Static
class Hello(App):
    def compose(self):
        yield Static("READY")
Hello().run()
"""
"""The smallest Textual app there is: the yardstick of every start."""

PUSHED = """
import asyncio, sys
from textual.app import App
from textual.binding import Binding
from textual.screen import Screen
from models.product import Product
from screens.app import WizardApp
from screens.form_dialog import PlainSource
from screens.page import Page
from wizard import flow
MODULES = list(flow.modules())
class OnScreen(Screen):
    CSS_PATH = {css!r}
    def __init__(self, at):
        super().__init__()
        self.at = at
    def compose(self):
        yield Page(MODULES[self.at], Product(), PlainSource())
class Pushes(App):
    CSS_PATH = {app_css!r}
    BINDINGS = [Binding("ctrl+f", "on", priority=True)]
    at = 0
    def on_mount(self):
        self.push_screen(OnScreen(0))
    def action_on(self):
        self.at = (self.at + 1) % 3
        self.push_screen(OnScreen(self.at))
Pushes().run()
"""
"""The same pages, each on a new screen, painted by stock Textual: the yardstick of a step."""


def line(what: str, value: str, beside: str = "", bound: str = "") -> None:
    """Print one measurement."""
    print(f"{what:<46} {value:>16}   {beside:<38} {bound}", flush=True)


def environment(folder: Path) -> dict[str, str]:
    """The environment of a program that is measured."""
    return {"WIZARD_DATA_DIR": str(folder), "XDG_CONFIG_HOME": str(folder / "config"), "PYTHONPATH": str(ROOT)}


def median_start(argv: list[str], marks: list[str], env: dict[str, str], rounds: int) -> list[float]:
    """Milliseconds from starting a program until each mark stands on its screen: medians."""
    seen: list[list[float]] = [[] for _ in marks]
    for turn in range(rounds + 1):
        terminal = Terminal(argv, (80, 24), env)
        for mark, times in zip(marks, seen, strict=True):
            terminal.sees(mark, 30)
            if turn:  # the first round fills the caches
                times.append((terminal.last - terminal.started) * 1e3)
        terminal.close()
    return [statistics.median(times) for times in seen]


def filled(folder: Path, products: int) -> Store:
    """A data folder with that many products."""
    store = open_store(Settings(data_dir=folder))
    for number in range(products):
        store.create(f"Product {number:06d}", "bench")
    return store


def start(rounds: int, folder: Path) -> None:
    """First paint, and the first page of products with a key answered, beside a bare Textual app."""
    filled(folder, 30).close()
    env = environment(folder)
    wizard = str(Path(PYTHON).with_name("wizard"))
    [bare] = median_start([PYTHON, "-c", BARE], ["READY"], env, rounds)
    first, page = median_start([wizard], ["search by name", "Product 000001"], env, rounds)
    line("start to first paint", f"{first:.0f} ms", f"bare Textual {bare:.0f} ms: {first / bare:.2f}x", "at most 1.5x")
    line("start to the first page of products", f"{page:.0f} ms", f"{page / bare:.2f}x bare", "at most 2.8x")


def bytes_painted(folder: Path, rounds: int) -> None:
    """Bytes for a letter, Tab and a step, and the time of a step beside pushing a new screen."""
    filled(folder, 30).close()
    terminal = Terminal([str(Path(PYTHON).with_name("wizard"))], (80, 24), environment(folder))
    terminal.sees("Product 000001")
    terminal.settle(0.6)
    terminal.press("enter")
    terminal.sees("What do you sell?")
    terminal.settle(0.8)
    letters = [terminal.press(letter) for letter in "abcdefgh"]
    tabs = [terminal.press("tab") for _ in range(4)]
    terminal.settle(0.8)
    for _ in range(3):  # visit the pages once
        terminal.press("ctrl+f", 0.4)
    steps = [terminal.press("ctrl+b", 0.4) for _ in range(2)]
    for _ in range(rounds):
        steps += [terminal.press("ctrl+f", 0.4), terminal.press("ctrl+b", 0.4)]
    terminal.settle(1.0)
    idle = terminal.settle(3.0)
    terminal.close()
    app_css, css = ROOT / "screens" / "app.tcss", ROOT / "screens" / "product.tcss"
    source = PUSHED.format(css=str(css), app_css=str(app_css))
    pushing = Terminal([PYTHON, "-c", source], (80, 24), environment(folder))
    pushing.sees("What do you sell?")
    pushing.settle(0.8)
    pushed = [pushing.press("ctrl+f", 0.4) for _ in range(rounds * 2)]
    pushing.close()

    def middle(rows: list[tuple[float, int]], at: int) -> float:
        return statistics.median(row[at] for row in rows)

    line("a typed letter", f"{middle(letters, 1):.0f} B", f"{middle(letters, 0):.1f} ms", "at most 150 B")
    line("Tab", f"{middle(tabs, 1):.0f} B", f"{middle(tabs, 0):.1f} ms", "at most 1,000 B")
    worst = max(step[1] for step in steps)
    line("a step forward or back", f"{middle(steps, 1):.0f} B", f"worst {worst} B", "at most 2,000 B")
    ratio = middle(steps, 0) / middle(pushed, 0)
    beside = f"new screen {middle(pushed, 0):.0f} ms, {middle(pushed, 1):,.0f} B: {ratio:.2f}x"
    line("... settled in", f"{middle(steps, 0):.0f} ms", beside, "at most 0.5x")
    line("three seconds of nothing", f"{idle} B", "", "0 B")


def timed(work: Callable[[], object], rounds: int) -> float:
    """The median milliseconds of some work."""
    times = []
    for _ in range(rounds):
        began = time.perf_counter()
        work()
        times.append((time.perf_counter() - began) * 1e3)
    return statistics.median(times)


def list_of_products(folder: Path, many: int, rounds: int) -> None:
    """Opening the list over 10 and over many products, and a page further at the end and at the start."""
    few, lots = filled(folder / "few", 10), filled(folder / "many", 0)
    crowd(lots, many)
    wizard = [str(Path(PYTHON).with_name("wizard"))]
    [short] = median_start(wizard, ["Product 000001"], environment(folder / "few"), rounds)
    [long] = median_start(wizard, ["Product 000001"], environment(folder / "many"), rounds)
    line(f"the list opens over {many:,} products", f"{long:.0f} ms", f"over 10: {short:.0f} ms: {long / short:.2f}x",
         "at most 1.3x")  # fmt: skip
    pages = [timed(partial(store.products, limit=20), 50) for store in (few, lots)]
    line("... its first page from the store", f"{pages[1]:.2f} ms", f"over 10: {pages[0]:.2f} ms")
    begin = lots.products(limit=20)
    end = lots.products(limit=20, after=f"product-{many - 100:06d} product {many - 100:06d}")
    further = [timed(partial(lots.products, limit=20, after=page.after), 50) for page in (begin, end)]
    line("a page further near the end", f"{further[1]:.2f} ms", f"near the start {further[0]:.2f} ms", "the same")
    line("a search in all of them", f"{timed(partial(lots.products, '0998', limit=20), 20):.2f} ms")
    few.close()
    lots.close()


def answers(folder: Path) -> None:
    """How long it takes to check and store an accepted answer."""
    store = filled(folder, 1)
    session = Session(store, store.products().rows[0].slug)
    numbers = iter(range(1_000_000))
    stored = timed(lambda: session.answer("general.official_name", f"Name {next(numbers)}"), 200)
    line("an accepted answer is stored in", f"{stored:.2f} ms", "", "under 5 ms")
    store.close()


def fires() -> None:
    """Test-fires and proofs a second, then runs over HTTP: in modules, since they want processes of their own."""
    for module in ("tests.bench_fire", "tests.bench_http"):
        subprocess.run([PYTHON, "-m", module], check=True, cwd=ROOT)


def main() -> None:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", nargs="*", default=["start", "bytes", "list", "answers", "fire"])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--products", type=int, default=100_000)
    asked = parser.parse_args()
    print(f"Python {sys.version.split()[0]}, {os.cpu_count()} processors")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        parts: dict[str, Callable[[], None]] = {
            "start": lambda: start(asked.rounds, folder / "start"),
            "bytes": lambda: bytes_painted(folder / "bytes", asked.rounds),
            "list": lambda: list_of_products(folder / "list", asked.products, asked.rounds),
            "answers": lambda: answers(folder / "answers"),
            "fire": fires,
        }
        for what in asked.what:
            parts[what]()


if __name__ == "__main__":
    main()
