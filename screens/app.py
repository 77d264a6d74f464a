"""The terminal app: it opens the records behind its first frame, and holds what every screen shares."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import sys
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from textual import work
from textual.app import ComposeResult, SystemCommand
from textual.binding import Binding, BindingType
from textual.dom import DOMNode
from textual.events import Resize
from textual.filter import LineFilter
from textual.geometry import Size
from textual.screen import ModalScreen, Screen
from textual.widgets import Input, Static

from screens.desk import Desk
from screens.products import ProductsScreen
from screens.theme import FIELD, THEMES
from screens.widgets.harmless import Harmless
from screens.widgets.keyboard import PATIENCE, KeysInTurn
from screens.widgets.lasting import LastingApp, LastingScreen
from screens.widgets.memory import give_back_what_is_large
from screens.widgets.painter import CellDiff

if TYPE_CHECKING:
    from wizard.settings import Settings
    from wizard.store import Store

SMALLEST = (60, 16)
"""The smallest terminal that a page fits in: columns and rows."""


def is_too_small(size: Size) -> bool:
    """Whether a page would be cut in a terminal of this size."""
    return size.width < SMALLEST[0] or size.height < SMALLEST[1]


class TooSmall(ModalScreen[None], LastingScreen[None]):
    """Stands in front of everything while the terminal is too small."""

    def on_screen_resume(self) -> None:
        """A dialogue that had come in front is closed: the terminal may be large enough by now."""
        if not is_too_small(self.app.size):
            self.dismiss()

    def compose(self) -> ComposeResult:
        """One sentence."""
        yield Static(f"This needs {SMALLEST[0]} columns and {SMALLEST[1]} rows. Nothing is lost: make it larger.")


class WizardApp(KeysInTurn[int], LastingApp[int], CellDiff[int]):
    """The product wizard in a terminal."""

    TITLE = "Product wizard"
    CSS_PATH = Path(__file__).with_name("app.tcss")
    ENABLE_COMMAND_PALETTE = True
    COMMAND_PALETTE_BINDING = "ctrl+p"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-wide"), (120, "-preview")]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "f1,question_mark", "help", "Help", id="app.help", tooltip="Explain the focused field and list the keys"
        ),
        Binding("ctrl+q", "quit", "Quit", id="app.quit", show=False, tooltip="Leave; everything is saved"),
    ]

    def __init__(
        self, settings: Settings | None = None, theme: str | None = None, *, data_dir: str | None = None
    ) -> None:
        super().__init__()
        self._settings = settings
        self._data_dir = data_dir
        self.refused = ""
        """Why the app ended by itself: a setting is wrong, say. The terminal shows it once it is a terminal again."""
        self.desk = Desk()
        self.last_folder: Path | None = None
        """Where the last file was picked: the next one is looked for there first."""
        self.store: Store | None = None
        self.agreed_places: set[str] = set()
        """The real places that the seller lets test-fires reach, until the app ends."""
        self._harmless = Harmless()
        for each in THEMES:
            self.register_theme(each)
        known = self.available_themes
        self.theme = theme if theme in known else THEMES[0].name
        self.animation_level = "none"

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """What our stylesheets name and other themes do not."""
        return dict.fromkeys(FIELD, self.current_theme.panel or "gray")

    def get_line_filters(self) -> Sequence[LineFilter]:
        """What every line passes before it is painted: the last one lets nothing through that acts on a terminal."""
        return [*super().get_line_filters(), self._harmless]

    def clock(self) -> datetime:
        """The time now, in the seller's own time zone."""
        return datetime.now().astimezone()

    def local(self, moment: datetime) -> datetime:
        """A moment in the seller's own time zone."""
        return moment.astimezone(self.clock().tzinfo)

    def unfinished(self) -> Collection[asyncio.Future[Any]]:
        """What lies on the desk, unless it hangs."""
        return self.desk.under_way(PATIENCE)

    def use_backend(self, name: str, values: dict[str, Any]) -> None:
        """Let another backend carry out test-fires, with these settings, until the app ends."""
        chosen = {"backend": name, "backends": {**self.settings.backends, name: values}}
        self._settings = self.settings.model_copy(update=chosen)

    @property
    def settings(self) -> Settings:
        """The settings. They are read behind the first frame, with the records."""
        assert self._settings is not None, "the settings are not read yet"
        return self._settings

    @property
    def shelf(self) -> Store:
        """The open records. Screens that need them are opened only once they are."""
        assert self.store is not None, "the records are not open yet"
        return self.store

    def on_mount(self) -> None:
        """Show the frame of the list at once; open the records behind it."""
        self._listen_to_signals()
        self.push_screen(ProductsScreen())
        if is_too_small(self.size):
            self.push_screen(TooSmall())

    @work(exclusive=True, group="open")
    async def open_records(self) -> None:
        """Read the settings and open the database on the desk's thread, then tell the list."""
        screen = self.screen_stack[1]
        assert isinstance(screen, ProductsScreen)
        try:
            if self.store is None:
                self.store = await self.desk.do(self._open)
        except Exception as error:  # whatever it is, the seller must read it and not lose the terminal
            if self._settings is None:
                self.refused = str(error)
                self.exit(return_code=2)
            else:
                screen.show_trouble(error)
        else:
            screen.opened()

    def _open(self) -> Store:
        if self._settings is None:
            from wizard.settings import load

            self._settings = load(data_dir=self._data_dir)
        from wizard.store import Store

        return Store.open(self._settings)

    def settle_down(self) -> None:
        """The first page stands. What was made so far stays to the end: it is taken out of the collector's sight, which
        then has less to look at with every key."""
        if not gc.isenabled():
            give_back_what_is_large()
            gc.freeze()
            gc.enable()

    def _listen_to_signals(self) -> None:
        if self.is_headless or sys.platform == "win32":
            return
        loop = asyncio.get_running_loop()
        for number in (signal.SIGHUP, signal.SIGTERM):
            loop.add_signal_handler(number, self._hang_up, number)

    def _hang_up(self, number: int) -> None:
        self.run_worker(self._leave(128 + number), exclusive=True, group="leave")

    async def _leave(self, code: int) -> None:
        """Hand over what is being written, wait until it is stored, and end."""
        for screen in self.screen_stack:
            give_all = getattr(screen, "give_all", None)
            if give_all is not None:
                await give_all()
        await self.desk.do(lambda: None)
        self.exit(code, return_code=code)

    async def action_quit(self) -> None:
        """Leave. What is being written is stored first; what was refused is shown before it is lost."""
        self.run_worker(self._quit(), exclusive=True, group="leave")

    async def _quit(self) -> None:
        for screen in self.screen_stack:
            may_leave = getattr(screen, "may_leave", None)
            if may_leave is not None and not await may_leave("ctrl+q"):
                return
        await self._leave(0)

    def on_unmount(self) -> None:
        """Finish the work on the desk and let go of the database."""
        self.desk.close()
        if self.store is not None:
            self.store.close()

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """Every action that works on this screen, for the command palette, with what it does."""
        seen = set()
        for node, binding, enabled, tooltip in screen.active_bindings.values():
            if enabled and binding.id and binding.id not in seen:
                seen.add(binding.id)
                run = partial(self._carry_out, binding.action, node)
                yield SystemCommand(binding.description, str(tooltip or ""), run)
        for theme in THEMES:
            paint = partial(setattr, self, "theme", theme.name)
            yield SystemCommand(f"Theme: {theme.name}", "Change the colours", paint)

    async def _carry_out(self, action: str, node: DOMNode) -> None:
        """Do what was chosen from the palette, if what it is about is still there and in front."""
        if node is self or (node.is_attached and node.screen is self.screen):
            await self.run_action(action, node)

    def action_command_palette(self) -> None:
        """Open the list of everything that can be done here, with a cursor that does not blink."""
        from textual.command import CommandPalette

        class QuietPalette(CommandPalette, LastingScreen[Any]):
            def on_mount(self) -> None:
                self.query_one(Input).cursor_blink = False

        if self.use_command_palette and not isinstance(self.screen, CommandPalette):
            self.push_screen(QuietPalette(id="--command-palette"))

    def on_resize(self, event: Resize) -> None:
        """Under the smallest size a notice stands instead of a page that would be cut."""
        small = is_too_small(event.size)
        there_is_one = any(isinstance(screen, TooSmall) for screen in self.screen_stack)
        if small and not there_is_one and len(self.screen_stack) > 1:
            self.push_screen(TooSmall())
        elif not small and isinstance(self.screen, TooSmall):
            self.screen.dismiss()

    def say(self, message: str, *, severity: str = "information", title: str = "") -> None:
        """Show a short notice; the text is shown as it is."""
        self.notify(message, title=title, severity=severity, markup=False, timeout=6)  # type: ignore[arg-type]

    def tell_mistake(self, sentence: str) -> None:
        """Say what went wrong, while the app goes on."""
        self.say(sentence, severity="error", title="A mistake of the wizard's")

    def give_up(self, sentence: str) -> None:
        """End, and say why once the terminal is a terminal again."""
        self.refused = sentence
        self.exit(return_code=1)

    def report_folder(self) -> Path | None:
        """The data folder, once the settings are read."""
        return self._settings.data_dir if self._settings is not None else None

    def start_over(self) -> None:
        """Show the list anew."""
        self.push_screen(ProductsScreen())

    async def action_help(self) -> None:
        """Explain the focused field and list the keys that work here."""
        from screens.help import HelpScreen

        if not isinstance(self.screen, HelpScreen):
            self.push_screen(HelpScreen.of(self.screen))


def run(data_dir: str | None = None, theme: str | None = None) -> int:
    """Open the app and return its exit status: 0; 2 for a wrong setting; 129 after a hang-up, 143 when terminated."""
    app = WizardApp(theme=theme, data_dir=data_dir)
    mouse = os.environ.get("WIZARD_MOUSE", "1") != "0"
    app.run(mouse=mouse)
    if app.refused:
        print(app.refused, file=sys.stderr)
    return app.return_code or 0


__all__ = ["SMALLEST", "WizardApp", "run"]
