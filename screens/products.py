"""The product list: search as you type, one page at a time, and what each product's state is at a glance."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, cast

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input, OptionList, Static

from screens.host import HasHost
from screens.theme import MUTED
from screens.widgets.bars import KeyLine, TopLine
from screens.widgets.lasting import LastingScreen
from screens.widgets.lines import Lines, QuietInput

if TYPE_CHECKING:
    from models.saved import ProductPage, ProductRow, SavedProduct
    from wizard.standing import Standing

STATE = 16
"""Cells for what is between a product and its buyers."""
TESTED = 15
"""Cells for how its last test-fire ended."""

EMPTY = """No products yet.

  n   create your first product
  s   fill this account with sample data, to look around

Everything you answer is saved at once. You can leave at any moment."""


class ProductLines(Lines):
    """One page of the list. Beyond its ends lie the next page and the one before."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "select", "Open", id="products.open", tooltip="Open the highlighted product"),
        Binding("down", "down", "Down", show=False),
        Binding("up", "up", "Up", show=False),
        Binding("j", "down", "Down", show=False),
        Binding("k", "up", "Up", show=False),
        Binding("pagedown,right", "screen.turn(1)", "Next page", show=False),
        Binding("pageup,left", "screen.turn(-1)", "Page before", show=False),
    ]

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """An empty list has nothing to open."""
        return action != "select" or self.option_count > 0

    def action_down(self) -> None:
        """Go down, over the end on to the next page."""
        if self.option_count and self.highlighted == self.option_count - 1:
            self.screen.action_turn(1)  # type: ignore[attr-defined]
        else:
            self.action_cursor_down()

    def action_up(self) -> None:
        """Go up, over the top back to the page before."""
        if self.highlighted == 0:
            self.screen.action_turn(-1)  # type: ignore[attr-defined]
        else:
            self.action_cursor_up()


class ProductsScreen(HasHost, LastingScreen[None]):
    """Every product of the seller's, in the order of names."""

    CSS_PATH = "products.tcss"
    AUTO_FOCUS = "#products"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "clear", "Whole list", id="products.clear", tooltip="Drop the search"),
        Binding("n", "new", "New", id="products.new", tooltip="Create a product"),
        Binding("slash", "search", "Search", key_display="/", id="products.search", tooltip="Find by name"),
        Binding("f5", "fire", "Test-fire", id="products.fire", tooltip="Carry out a test purchase"),
        Binding("x,delete", "delete", "Delete", id="products.delete", tooltip="Take it off the list"),
        Binding("u", "restore", "Bring back", id="products.restore", tooltip="Bring a deleted one back"),
        Binding("d", "duplicate", "Duplicate", id="products.duplicate", tooltip="Make a copy, in Demo"),
        Binding("f7", "runs", "Runs", id="products.runs", tooltip="The test-fires of all products"),
        Binding("s", "sample", "Sample data", id="products.sample", tooltip="Fill the empty account"),
        Binding("down", "into_list", "To the list", show=False, id="products.into_list", tooltip="Leave the search"),
        Binding("q", "app.quit", "Quit", id="products.quit", tooltip="Leave; everything is saved"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.top = TopLine()
        self.lines = ProductLines("products")
        self.search = QuietInput(placeholder="search by name", compact=True, id="search", select_on_focus=False)
        self.page: ProductPage | None = None
        self._cursor: tuple[str | None, str | None] = (None, None)
        """Where the page that is shown begins, as (after, before): coming back, it is read again from there."""
        self._standings: dict[str, Standing] = {}
        """How products stand, as far as that is known, by slug."""
        self.trouble: str | None = None
        self.deleted: list[tuple[str, str]] = []
        """The products deleted in this sitting, as (slug, name), the last one at the end."""

    def compose(self) -> ComposeResult:
        """The frame stands before the records are open."""
        yield self.top
        with Vertical(id="list"):
            yield self.search
            yield Static("", id="stopped", markup=False)
            yield Static("", id="columns", markup=False)
            yield Static("opening your products …", id="notice", markup=False)
            yield self.lines
        yield KeyLine()

    def on_mount(self) -> None:
        """Ask for the records once this frame is painted."""
        self.top.left = "Products"
        self.call_after_refresh(self.wizard.open_records)

    @property
    def row(self) -> ProductRow | None:
        """The highlighted product."""
        at = self.lines.highlighted
        return self.page.rows[at] if self.page and at is not None and at < len(self.page.rows) else None

    def opened(self) -> None:
        """The records are open: show the first page."""
        self.fetch()

    def show_trouble(self, error: Exception) -> None:
        """Say why the records cannot be opened, and what to do."""
        self.trouble = str(error) or type(error).__name__
        self.wizard.settle_down()
        notice = self.query_one("#notice", Static)
        notice.update(Content(f"{self.trouble}\n\n  r   try again\n  q   quit"))

    def key_r(self) -> None:
        """Try again to open the records."""
        if self.trouble is not None:
            self.trouble = None
            self.query_one("#notice", Static).update(Content("opening your products …"))
            self.wizard.open_records()

    def on_resize(self) -> None:
        """Another width has other columns, another height holds another page."""
        if self.page is not None:
            self.fetch(keep=True)

    def on_screen_resume(self) -> None:
        """Coming back: the list may have changed."""
        if self.page is not None:
            self.fetch(keep=True)

    @work(exclusive=True, group="fetch")
    async def fetch(self, by: int = 0, keep: bool = False, select: str | None = None) -> None:
        """Read a page: the first one, or with `by` the next (1) or the one before (-1)."""
        limit = max(5, self.size.height - 5)
        page, text = self.page, self.search.value
        after, before = self._cursor if keep else (None, None)
        if page is not None and by:
            after, before = (page.after, None) if by > 0 else (None, page.before)
            if after is None and before is None:
                return
        try:
            found = await self.wizard.desk.do(self.wizard.shelf.products, text, after=after, before=before, limit=limit)
        except Exception as error:
            self.wizard.say(str(error), severity="error")
            return
        if not self.query("#notice"):
            return  # the app ended meanwhile: what stands on a screen goes before the screen does
        self.page, self._cursor = found, (after, before)
        at = self.lines.highlighted if keep else (len(found.rows) - 1 if by < 0 else 0)
        for number, row in enumerate(found.rows):
            if row.slug == select:
                at = number
        self.show_page(at or 0)

    def show_page(self, at: int) -> None:
        """Paint the page, the highlight on row `at`."""
        page = self.page
        assert page is not None
        notice = self.query_one("#notice", Static)
        notice.display = not page.rows
        searching = bool(self.search.value)
        notice.update(Content(f"Nothing is called {self.search.value!r}." if searching else EMPTY))
        count = f"{page.total:,}{'+' if page.total >= 10_000 else ''} product{'' if page.total == 1 else 's'}"
        self.top.right = f"{count} found" if searching else count
        self.query_one("#columns", Static).update(self._columns() if page.rows else Content(""))
        self.lines.put([self._line(row) for row in page.rows], keep=at)
        self.refresh_bindings()
        self.call_after_refresh(self.wizard.settle_down)
        if not page.rows:
            # Seen once on a busy machine: laid out for the one line that stood here before, where this screen came in
            # front at that very moment.
            self.call_after_refresh(notice.refresh, layout=True)
        self.look()

    def _widths(self) -> tuple[int, int]:
        # In a narrow terminal the name needs the room more: what a product is called is how it is found.
        access = 26 if self.size.width >= 100 else 17 if self.size.width >= 76 else 0
        return max(12, self.size.width - 2 - 2 - access - 3 - STATE - TESTED), access

    def _columns(self) -> Content:
        name, access = self._widths()
        received = "Received by" if access < 20 else "Buyers receive it by"
        return Content(f"  {'Name':<{name}} {received[:access]:<{access}}  {'State':<{STATE}}Test-fire")

    def _line(self, row: ProductRow) -> Content:
        from models.access import AccessKind
        from wizard.standing import state_in_words, test_in_words
        from wizard.wording import label_of

        name, access = self._widths()
        label = Content(row.name).truncate(name, ellipsis=True)
        kind = label_of(AccessKind(row.access), self.wizard.settings.host_name) if row.access else "not chosen yet"
        standing = self._standings.get(row.slug)
        is_good = not standing.errors if standing else row.complete
        tested = test_in_words(standing, self._when(standing))
        return Content.assemble(
            ("✓ " if is_good else "! "),
            label,
            " " * (name - label.cell_length + 1),
            (f"{kind if len(kind) <= access else kind.removesuffix(' membership')[:access]:<{access}}  ", MUTED),
            f"{state_in_words(row, standing):<{STATE}}",
            (tested, "$success" if tested.startswith("proven") else "$error" if tested.startswith("failed") else MUTED),
        )

    def _when(self, standing: Standing | None) -> str:
        """The moment of the last try: the time of day of today's, else the day."""
        if standing is None or standing.tried is None:
            return ""
        moment, today = self.wizard.local(standing.tried.started_at), self.wizard.clock().date()
        return f"{moment:%H:%M}" if moment.date() == today else f"{moment:%d %b}"

    @work(exclusive=True, group="look", exit_on_error=False)
    async def look(self) -> None:
        """Find out how the products of this page stand, one after the other and behind every key, and say which
        test-fire was stopped midway."""
        from wizard.standing import standing_of

        page = self.page
        for row in page.rows if page else ():
            try:
                found = await self.wizard.desk.do(standing_of, self.wizard.shelf, row.slug, self.wizard.clock())
            except Exception:  # gone meanwhile, or not to be read: opening it says why
                continue
            self._standings[row.slug] = found
        if self.page is page and page is not None and self.query("#stopped"):
            self.lines.put([self._line(row) for row in page.rows])
            self._show_stopped()

    def _show_stopped(self) -> None:
        rows = self.page.rows if self.page else ()
        stopped = [row.name for row in rows if (found := self._standings.get(row.slug)) and found.stopped]
        line = self.query_one("#stopped", Static)
        line.display = bool(stopped)
        more = f" and of {len(stopped) - 1} more" if stopped[1:] else ""
        if stopped:
            line.update(
                Content(f"! A test-fire of {stopped[0]}{more} was stopped midway: F7 lists it; open it, and F9 goes on")
            )

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer only what can be done now."""
        if action == "sample":
            return self.page is not None and not self.page.rows and not self.search.value
        if action in ("open", "fire", "duplicate", "delete"):
            return self.row is not None and not self.search.has_focus
        if action == "clear":
            return bool(self.search.value) or self.search.has_focus
        if action == "search":
            return self.page is not None and bool(self.page.rows or self.search.value)
        if action in ("new", "runs", "restore"):
            return self.page is not None
        return True

    def action_turn(self, by: int) -> None:
        """Go a page on or back."""
        self.fetch(by)

    def action_into_list(self) -> None:
        """From the search to what it found."""
        self.lines.focus()

    def action_search(self) -> None:
        """Write what to find."""
        self.search.focus()

    def action_clear(self) -> None:
        """Show the whole list again."""
        if self.search.value:
            self.search.value = ""
        self.lines.focus()

    @on(Input.Changed, "#search")
    def _find(self, event: Input.Changed) -> None:
        event.stop()
        if self.page is not None:
            self.fetch()

    @on(Input.Submitted, "#search")
    def _found(self, event: Input.Submitted) -> None:
        event.stop()
        self.open_found()

    @work(exclusive=True, group="open")
    async def open_found(self) -> None:
        """Open the first product that fits what is written, however soon Enter came."""
        await self.fetch().wait()
        self.action_open()

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self.action_open()

    def action_open(self) -> None:
        """Open the highlighted product, where it was left."""
        if self.row is not None:
            self.open_product(self.row.slug)

    @work(exclusive=True, group="open")
    async def open_product(self, slug: str) -> None:
        """Open a product in the wizard."""
        from screens.product import ProductScreen
        from wizard.session import Session

        try:
            session = await self.wizard.desk.do(Session, self.wizard.shelf, slug)
        except Exception as error:
            self.wizard.say(str(error), severity="error")
            self.fetch(keep=True)
            return
        await self.app.push_screen(ProductScreen(session))

    @work(exclusive=True, group="open")
    async def action_new(self) -> None:
        """Ask for a name and create the product."""
        from screens.form_dialog import NameDialog

        slug = await self.app.push_screen_wait(NameDialog())
        if slug is not None:
            self.fetch(select=slug)
            self.open_product(slug)

    @work(exclusive=True, group="change")
    async def action_duplicate(self) -> None:
        """Copy the highlighted product."""
        if self.row is not None:
            copy = await self._do(self.wizard.shelf.duplicate, self.row.slug, "seller")
            if copy is not None:
                self.wizard.say(f"Copied to {copy.answers.general.name}, in Demo and unpublished.")  # type: ignore[attr-defined]
                self.fetch(select=copy.slug)  # type: ignore[attr-defined]

    @work(exclusive=True, group="change")
    async def action_delete(self) -> None:
        """Take the highlighted product off the list, with a way back."""
        from screens.dialog import Question

        row = self.row
        if row is None:
            return
        if row.published or row.mode.value == "live":
            state = "published" if row.published else "live"
            sure = Question(f"Delete {row.name}?", f"It is {state}. u brings it back, unpublished.")
            if not await self.app.push_screen_wait(sure):
                return
        try:
            await self.wizard.desk.do(self.wizard.shelf.delete, row.slug, "seller")
        except Exception as error:
            self.wizard.say(str(error), severity="error")
            return
        self.deleted.append((row.slug, row.name))
        self.wizard.say(f"{row.name} is deleted. Press u to bring it back.")
        self.fetch(keep=True)

    @work(exclusive=True, group="change")
    async def action_restore(self) -> None:
        """Bring the product back that was deleted last; after a new start, one to choose."""
        slug = self.deleted.pop()[0] if self.deleted else await self._choose_deleted()
        if slug is not None:
            back = cast("SavedProduct | None", await self._do(self.wizard.shelf.restore, slug, "seller"))
            if back is not None:
                self.wizard.say(f"{back.answers.general.name} is back, unpublished.")
            self.fetch(select=slug)

    async def _choose_deleted(self) -> str | None:
        from screens.picker import Picker
        from screens.widgets.controls import Item

        async def fetch(text: str) -> list[Item]:
            found = await self.wizard.desk.do(self.wizard.shelf.products, text, limit=12, deleted=True)
            return [Item(row.slug, row.name) for row in found.rows]

        slug: str | None = await self.app.push_screen_wait(Picker("Which deleted product comes back?", fetch))
        return slug

    @work(exclusive=True, group="change")
    async def action_sample(self) -> None:
        """Fill the empty account with sample data."""
        from wizard.sample import fill

        self.query_one("#notice", Static).update(Content("Filling your account with sample data …"))
        await self._do(fill, self.wizard.shelf)
        self.fetch()

    @work(exclusive=True, group="open")
    async def action_fire(self) -> None:
        """Carry out a test purchase of the highlighted product."""
        from screens.fire import FireScreen

        if self.row is not None:
            saved = cast("SavedProduct | None", await self._do(self.wizard.shelf.load, self.row.slug))
            if saved is None:
                return
            lacking = await self.app.push_screen_wait(FireScreen(saved))
            if lacking:
                await self._do(self.wizard.shelf.remember_place, saved.slug, lacking)
                self.open_product(saved.slug)

    async def action_runs(self) -> None:
        """Show the test-fires of all products."""
        from screens.fire import page_of
        from screens.runs import RunsScreen

        await self.app.push_screen(RunsScreen(page_of))

    async def _do(self, work: object, *arguments: object) -> object | None:
        try:
            return cast(object, await self.wizard.desk.do(work, *arguments))  # type: ignore[arg-type]
        except Exception as error:
            self.wizard.say(str(error), severity="error")
            return None
