"""The wizard: the steps of one product, a page for each module, and what the buyer will get."""

from __future__ import annotations

import operator
from typing import Any, ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.events import DescendantFocus
from textual.timer import Timer
from textual.widget import Widget
from textual.widgets import ContentSwitcher

from models.post_sale import Notification
from models.product import Product
from screens.host import HasHost
from screens.page import Page
from screens.preview import Preview
from screens.things import Things
from screens.widgets.bars import KeyLine, TopLine
from screens.widgets.controls import LineControl, TextControl
from screens.widgets.field import Field, FormScreen, field_of, widget_id
from screens.widgets.form import Answered, Asking, Ended, Writing
from screens.widgets.outline import Outline, StepClicked, StepLine
from wizard import flow
from wizard.consequences import consequence
from wizard.editing import settling
from wizard.editing.switches import standing
from wizard.problems import Misfits, Problem
from wizard.progress import State
from wizard.session import SWITCHES, ChangedElsewhere, Session, said_of
from wizard.wording import place_of

REVIEW = "review"
NOT_YET = "not saved yet: this product was changed elsewhere. Give it again to choose"
PLACE_AFTER = 0.4
"""Seconds a field must have the focus before it is remembered as the seller's place."""
UNSAVED_AFTER = 0.6
"""Seconds of quiet before it is said that what is being written is not saved yet: no key pays for that in bytes."""
PREVIEW_AFTER = 0.08
"""Seconds of quiet before the preview follows what is being written."""


class NotYet(Exception):
    """The product was changed elsewhere, and the seller decides later which side stands. Nothing was stored."""

    def __init__(self) -> None:
        super().__init__(NOT_YET)


class ProductScreen(HasHost, FormScreen[None]):
    """One product in the wizard. It composes and routes; the session decides."""

    CSS_PATH = "product.tcss"
    AUTO_FOCUS = ""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f5", "fire", "Test-fire", id="product.fire", tooltip="Carry out a test purchase of this product"),
        Binding(
            "ctrl+b", "go(-1)", "Back/Next", key_display="ctrl+b/f", id="product.back", tooltip="To the page before"
        ),
        Binding("ctrl+f", "go(1)", "Next", show=False, id="product.next", tooltip="To the next page"),
        Binding("ctrl+g", "go_to", "Go to", id="product.go_to", tooltip="To any page or question"),
        Binding("f8,ctrl+z", "undo", "Undo", id="product.undo", tooltip="Take back what was answered or refused last"),
        Binding("f3", "preview", "Preview", id="product.preview", tooltip="What your buyer gets"),
        Binding("escape", "leave", "List", id="product.leave", tooltip="Back to your products; everything is saved"),
        Binding("f9", "redo", "Redo", show=False, id="product.redo", tooltip="Give the answer again"),
        Binding("f7", "runs", "Runs", show=False, id="product.runs", tooltip="The test-fires of this product"),
        Binding("ctrl+s", "save", "Save", show=False, id="product.save", tooltip="Everything is saved as you answer"),
    ]

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.session = session
        self.top = TopLine()
        self.step_line = StepLine()
        self.outline = Outline()
        self.switcher = ContentSwitcher(id="pages")
        self.preview = Preview()
        self.order = [module.id for module in flow.modules()] + [REVIEW]
        self.current = ""
        self._drafts: dict[str, Any] = {}
        self._quiet: Timer | None = None
        self._explained: set[str] = set()
        """The modules whose pages say what is missing: the review has sent the seller there."""
        self._told_unsaved: set[str] = set()
        """The fields that the seller was told are not saved, when they were about to leave."""
        self._is_settling = False
        self._storing = 0
        """The answers that are being stored: nothing is called saved meanwhile."""

    def compose(self) -> ComposeResult:
        """The bars, the outline, the page, the preview."""
        yield self.top
        yield self.step_line
        with Horizontal(id="body"):
            yield self.outline
            with Vertical(id="middle"):
                yield self.switcher
            yield self.preview
        yield KeyLine()

    async def on_mount(self) -> None:
        """Open the page where the seller left."""
        self.things = Things(self.wizard, self.session, self.store_or_settle, self.show)
        place = self.session.saved.place
        try:
            module = flow.module_of(place).id if place and place != REVIEW else (place or self.order[0])
        except KeyError:
            module, place = self.order[0], ""
        await self.open_page(module, place or None)

    # pages

    @property
    def page(self) -> Widget | None:
        """The page that is shown."""
        return self.switcher.query_one(f"#{self.switcher.current}") if self.switcher.current else None

    async def open_page(self, module_id: str, path: str | None = None) -> None:
        """Show a page, made on the first visit, and put the focus on the field of a path."""
        self.give_drafts()
        if self.session.states.get(self.current) is State.INCOMPLETE:
            self._explained.add(self.current)  # whoever comes back wants to know why it is marked
        page_id = f"page-{widget_id(module_id)}"
        is_new = not self.switcher.query(f"#{page_id}")
        if is_new:
            await self.switcher.add_content(self._make(module_id))
        self.current = module_id
        with self.app.batch_update():  # the page, its focus and its keys come in one paint
            self.switcher.current = page_id
            self.show()
            if not is_new:
                self._start(path)
        if is_new:
            self.call_after_refresh(self._start, path)

    def _make(self, module_id: str) -> Widget:
        if module_id == REVIEW:
            from screens.review import ReviewPage

            return ReviewPage(self.session)
        module = next(module for module in flow.modules() if module.id == module_id)
        if all(question.row is Notification for question in module.questions):
            from screens.notifications import NotificationsPage

            return NotificationsPage(module, self.session, self.things, self.store_or_settle)
        return Page(module, self.session.answers, self.things, self._after(module_id))

    def _after(self, module_id: str) -> str:
        """What the page after another one is called, and where it stands."""
        following = self.order[self.order.index(module_id) + 1]
        if following == REVIEW:
            return flow.steps()[-1].label
        module = flow.module_of(following)
        step = flow.step_of(module)
        return module.label if len(step.modules) == 1 else f"{step.short}, {module.label}"

    def _start(self, path: str | None) -> None:
        start = getattr(self.page, "start", None)
        if start is not None:
            start(path)

    def show(self) -> None:
        """Paint everything that depends on the answers."""
        saved = self.session.saved
        self.top.left = saved.answers.general.name or saved.slug
        self.top.middle = f"{saved.mode.label} · {'Published' if saved.published else 'Unpublished'}"
        for steps in (self.step_line, self.outline):
            if steps.display:  # the other one is for another width
                steps.show(self.session.survey, self.current)
        self._show_page(saved.answers)
        self._show_saved()  # after the fields know what is stored
        self._show_preview(saved.answers)
        self.refresh_bindings()

    def _show_saved(self) -> None:
        """Say since when everything is saved, or that what is being written or stored is not yet."""
        here = field_of(self.focused)
        is_dirty = here is not None and isinstance(here.control, LineControl | TextControl) and here.control.is_dirty
        is_writing = is_dirty or any(field.is_refused for field in self._fields)
        at = self.wizard.local(self.session.saved.updated_at)
        saved = f"saved {at:%H:%M}"
        now = "saving …" if self._storing else "not saved" if is_writing else saved
        self.top.right = f"{now:>{len(saved)}}"  # nothing beside it moves: what moves is painted and sent anew

    def on_resize(self) -> None:
        """Another width shows other parts: they must be as new as the rest."""
        if self.current:
            self.call_after_refresh(self.show)

    def _show_page(self, product: Product) -> None:
        page = self.page
        if isinstance(page, Page):
            known = (self.session.saved, self.session.around, page.module.id in self._explained)
            if page.known is not None and all(map(operator.is_, page.known, known)):
                return  # a step back or forth changes nothing on a page
            page.known = known
            page.show(product)
            page.form.show_problems(self._problems_of(page))
            page.say(consequence(page.module.id, product, self.things.session.around, self.wizard.clock().date()))
        elif page is not None:
            page.show(product)  # type: ignore[attr-defined]

    def _problems_of(self, page: Page) -> list[Problem]:
        refused = [Problem(f.path, f.error) for f in page.form.every_field() if f.error and f.path in self._drafts]
        explained = page.module.id in self._explained
        known = self.session.problems() if explained else self.session.conflicts()
        return refused + [problem for problem in known if page.form.field_at(problem.path)]

    def _show_preview(self, product: Product) -> None:
        if self.preview.display:
            self.preview.show(product, self.session, self.wizard)

    # answers

    @on(Answered)
    def _answered(self, event: Answered) -> None:
        event.stop()
        # Looked at here, on the spot: a wrong answer keeps the focus, whatever is pressed next.
        if problems := self.session.check(event.path, event.answer):
            self._refuse(event.path, event.answer, tuple(problems))
            return
        self.run_worker(self._take(event), group="answers")

    async def _take(self, event: Answered) -> None:
        field = event.form.field_at(event.path)
        accepted = await self.accept(event.path, event.answer)
        # Which field comes next may hang on this very answer, so the focus waits for it, unless it went on meanwhile.
        if accepted and event.enter and field is not None and field.has_focus_within:
            event.form.go_on(event.path)

    async def accept(self, path: str, answer: Any) -> bool:
        """Store an answer; show what is wrong at its field. True when it was stored."""
        try:
            await self._store(path, answer)
        except Misfits as misfits:
            self._refuse(path, answer, misfits.problems)
        except ChangedElsewhere as changed:
            self._drafts[path] = answer
            self._unsaved(path, NOT_YET)
            self.settle(changed)
        except Exception as error:  # nothing that storing may raise must cost the seller what was written
            self._drafts[path] = answer
            self._unsaved(path, str(error))
            self.wizard.say(str(error), severity="error", title="Not saved")
        else:
            return True
        return False

    async def _store(self, path: str, answer: Any) -> None:
        self._storing += 1
        self._show_saved()
        try:
            outcome = await self.wizard.desk.do(self.session.answer, path, answer)
        finally:
            self._storing -= 1
            self._show_saved()
        self._drafts.pop(path, None)
        for page in self._pages:
            page.form.taken(path)
        field = self._field(path)
        if field is not None and field.error:
            field.show_error(None)
        for page in self._pages:
            page.known = None  # also when the answer was the stored one already: its field must know
        self.show()
        for note in outcome.notes:
            if field is not None:
                field.show_note(note)

    def _refuse(self, path: str, answer: Any, problems: tuple[Problem, ...]) -> None:
        self._drafts[path] = answer
        own = next((p.message for p in problems if p.path == path or p.path.startswith(f"{path}.")), None)
        # A rule of another answer was broken: say at this field which one, for it is this one that was refused.
        message = own or "; ".join(f"{place_of(p.path)}: {p.message}" for p in problems)
        field = self._unsaved(path, message)
        self._show_saved()
        self.refresh_bindings()  # there is something to take back
        if field is None or not field.is_on_screen:
            self.wizard.say(f"{place_of(path)} was not saved: {message}", severity="warning", title="Not saved")

    def _unsaved(self, path: str, message: str) -> Field | None:
        return next((field for page in self._pages if (field := page.form.refuse(path, message))), None)

    @on(Writing)
    def _writing(self, event: Writing) -> None:
        event.stop()
        if self._quiet is not None:
            self._quiet.stop()
        self._quiet = self.set_timer(UNSAVED_AFTER, self._show_saved)
        problems = self.session.check(event.path, event.answer)
        field = self._field(event.path)
        if field is not None and field.error:
            if problems:
                self._refuse(event.path, event.answer, tuple(problems))
            else:
                self._drafts.pop(event.path, None)
                field.show_error(None)
        if not problems and self.preview.display:
            product = flow.with_value(self.session.answers, event.path, event.answer)
            self.preview.follow(product, self.session, self.wizard, PREVIEW_AFTER)

    @property
    def _pages(self) -> list[Page]:
        """The pages made so far: an answer may be refused when its page has been left already."""
        return list(self.switcher.query(Page))

    @property
    def _fields(self) -> list[Field]:
        """The fields that are asked now, on the pages made so far."""
        return [field for page in self._pages for field in page.form.every_field() if field.display]

    def _field(self, path: str) -> Field | None:
        return next((field for page in self._pages if (field := page.form.field_at(path))), None)

    @work(group="settle")
    async def settle(self, changed: ChangedElsewhere) -> None:
        """As `_settled`, on its own: what was written stays where it is until it is stored."""
        try:
            await self._settled(changed)
        except Exception as error:
            for path in changed.given:
                self._unsaved(path, str(error))
            self.wizard.say(str(error), severity="error", title="Not saved")

    async def _settled(self, changed: ChangedElsewhere) -> bool:
        """Let the seller choose between their answers and those of whoever changed the product meanwhile.

        False when they decide later; nothing is stored then. Raises what the session raises.
        """
        if self._is_settling:
            return False
        self._is_settling = True
        try:
            while again := await self._taken(changed):
                if again is changed:
                    return False
                changed = again
        finally:
            self._is_settling = False
        for path in changed.given:
            self._drop(path)
        self.show()
        return True

    def _drop(self, path: str) -> None:
        """Let go of what was written at a path and not stored."""
        self._drafts.pop(path, None)
        for page in self._pages:
            page.form.forget(path)
            page.known = None

    async def _taken(self, changed: ChangedElsewhere) -> ChangedElsewhere | None:
        """Ask and store what was chosen. None when it is done; `changed` itself when it is left for later."""
        from screens.changed import ChangedDialog

        keep: set[str] | None = set()
        if changed.differences:
            keep = await self.app.push_screen_wait(ChangedDialog(changed))
        else:
            self.wizard.say(said_of(changed))
        if keep is None:
            return changed
        return await self.wizard.desk.do(settling.go_on, self.session, changed, keep)

    async def store_or_settle(self, path: str, answer: Any) -> None:
        """As `_store`; where the product was changed elsewhere, the seller decides first. Needs a worker.

        Raises what the session raises, and `NotYet` when the seller decides later.
        """
        try:
            await self._store(path, answer)
        except ChangedElsewhere as changed:
            if not await self._settled(changed):
                raise NotYet from None

    @on(Asking)
    @work(group="dialogue", exclusive=True)
    async def _asking(self, event: Asking) -> None:
        """Open the dialogue that a field asks for, and come back to the field."""
        try:
            await self.things.ask(event)
        except Misfits as misfits:
            self._refuse(event.path, None, misfits.problems)
        except Exception as error:
            self.wizard.say(str(error), severity="error", title="Not saved")
        self.show()

    # leaving

    def give_drafts(self) -> None:
        """Hand over what is being written on the page that is about to be left."""
        if isinstance(self.page, Page):
            self.page.form.give_all()

    async def give_all(self) -> None:
        """Store what is being written, and wait until it is: the app is about to end."""
        page = self.page
        if isinstance(page, Page):
            for field in page.form.every_field():
                if field.display and isinstance(field.control, LineControl | TextControl) and field.control.is_dirty:
                    await self.accept(field.path, field.control.written)

    async def action_leave(self) -> None:
        """Back to the list."""
        if await self.may_leave("Esc"):
            self.dismiss(None)

    async def may_leave(self, key: str) -> bool:
        """Store what is being written. What is refused is shown once; the second time the seller means it."""
        await self.give_all()
        unsaved = [field for field in self._fields if field.is_refused]
        if unsaved and {field.path for field in unsaved} != self._told_unsaved:
            self._told_unsaved = {field.path for field in unsaved}
            first = unsaved[0]
            await self.go_to(first.path)
            text = f"{first.question.ask.label} is not saved: {first.error}. {key} again leaves without it."
            self.wizard.say(text, severity="warning", title="Not saved")
            return False
        return True

    # moving

    @on(DescendantFocus)
    def _focused(self, event: DescendantFocus) -> None:
        field = field_of(event.widget)
        path = field.path if field is not None else (REVIEW if self.current == REVIEW else self.current)
        self._remember(path)

    @work(exclusive=True, group="place", exit_on_error=False)
    async def _remember(self, path: str) -> None:
        import asyncio

        await asyncio.sleep(PLACE_AFTER)
        await self.wizard.desk.do(self.session.remember, path)

    async def action_go(self, by: int) -> None:
        """To the next page, or the one before."""
        at = self.order.index(self.current) + by if self.current else -1
        if 0 <= at < len(self.order):
            await self.open_page(self.order[at])

    @on(Ended)
    def _ended(self, event: Ended) -> None:
        event.stop()
        if isinstance(self.page, Page):
            self.page.offer_next()

    @on(StepClicked)
    async def _step_clicked(self, event: StepClicked) -> None:
        await self.open_page(event.page)

    @work(exclusive=True, group="dialogue")
    async def action_go_to(self) -> None:
        """Choose where to go."""
        from screens.go_to import GoTo

        path = await self.app.push_screen_wait(GoTo(self.session, self.current))
        if path is not None:
            await self.go_to(path)

    async def go_to(self, path: str, explain: bool = False) -> None:
        """Open the page of a question and put the focus on it; `explain` says there what is missing."""
        if path == REVIEW:
            await self.open_page(REVIEW)
            return
        module = flow.module_of(path)
        if explain:
            self._explained.add(module.id)
        await self.open_page(module.id, path if path != module.id else None)

    # actions

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer only what there is to take back, and no second preview beside the first."""
        if action == "undo":
            return self.session.can_undo or any(field.is_refused for field in self._fields)
        return not self.preview.display if action == "preview" else True

    async def action_save(self) -> None:
        """Store what is being written, and say since when everything is saved."""
        await self.give_all()
        refused = next((field for field in self._fields if field.is_refused), None)
        if refused is not None:
            self.wizard.say(f"{refused.question.ask.label}: {refused.error}", severity="warning", title="Not saved")
        else:
            self.wizard.say(f"Already saved {self.wizard.local(self.session.saved.updated_at):%H:%M}.")

    @work(group="answers")
    async def action_undo(self) -> None:
        """Take back what was refused last, else the last accepted answer."""
        refused = [field for field in self._fields if field.is_refused]
        if refused:
            here = field_of(self.focused)
            field = here if here in refused else refused[-1]
            self._drop(field.path)
            await self.go_to(field.path)
            self.wizard.say(f"Taken back: what was written at {place_of(field.path)} and not saved.")
            self.refresh_bindings()
            return
        await self._step_back(self.session.undo, "There is nothing to undo.", "Undone")

    @work(group="answers")
    async def action_redo(self) -> None:
        """Give the answer again."""
        await self._step_back(self.session.redo, "There is nothing to redo.", "Done again")

    async def _step_back(self, step: Any, nothing: str, done: str) -> None:
        try:
            outcome = await self.wizard.desk.do(step)
        except ChangedElsewhere as changed:
            self.settle(changed)
            return
        except Exception as error:
            self.wizard.say(str(error), severity="error", title="Not saved")
            return
        if outcome is None:
            self.wizard.say(nothing)
            return
        for note in outcome.notes:
            self.wizard.say(note, severity="warning", title="Not done again")
        path = outcome.changes[0].path if outcome.changes else ""
        if path in SWITCHES:
            await self.go_to(REVIEW)
            self.wizard.say(": ".join(standing(self.session.saved)), title=done)
        elif path:
            self._drafts.pop(path, None)
            await self.go_to(path)
            self.wizard.say(f"{done}: {place_of(path)}")

    @work(exclusive=True, group="dialogue")
    async def action_fire(self) -> None:
        """Carry out a test purchase of the product as it is saved now."""
        from screens.fire import FireScreen

        await self.give_all()
        lacking = await self.app.push_screen_wait(FireScreen(self.session.saved))
        self.show()
        if lacking:
            await self.go_to(lacking, explain=True)

    @work(exclusive=True, group="dialogue")
    async def action_runs(self) -> None:
        """Show the test-fires of this product."""
        from screens.fire import page_of
        from screens.runs import RunsScreen

        await self.app.push_screen_wait(RunsScreen(page_of, self.session.saved.slug, self.top.left))

    @work(exclusive=True, group="dialogue")
    async def action_preview(self) -> None:
        """Show what the buyer gets on a screen of its own: for terminals with no room beside the page."""
        from screens.preview import PreviewScreen

        await self.app.push_screen_wait(PreviewScreen(self.session))
