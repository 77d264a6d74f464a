"""The steps with their state: one line at the top of a narrow terminal, a column on the left of a wide one."""

from __future__ import annotations

from dataclasses import dataclass

from textual import events
from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from wizard import flow
from wizard.progress import State, Survey


@dataclass
class StepClicked(Message):
    """A step or one of its modules was clicked."""

    page: str


class StepLine(Static):
    """Every step with its mark, on one line; where they do not fit, only the open one by its name."""

    def __init__(self) -> None:
        super().__init__(markup=False, id="step-line")
        self._shown: tuple[Survey, str] | None = None
        self._places: list[tuple[int, str]] = []
        """Where each step ends, and the page that it opens."""

    def show(self, survey: Survey, current: str) -> None:
        """Mark the step whose module is open."""
        self._shown = (survey, current)
        line = self._line(survey, current, short=False)
        if 0 < self.content_size.width < line.cell_length:
            line = self._line(survey, current, short=True)
        self.update(line, layout=False)

    def _line(self, survey: Survey, current: str, short: bool) -> Content:
        parts: list[Content | str] = []
        steps, self._places, end = flow.steps(), [], 0
        for number, step in enumerate(steps, start=1):
            if current.partition(".")[0] == step.id:
                of = f" ({number} of {len(steps)})" if short else ""
                text = Content(f"▸{step.short}{of}").stylize("bold $accent")
            else:
                mark = survey.of(step).hint if step.modules else State.EMPTY.hint
                text = Content(mark if short else f"{mark}{step.short}")
            parts += [text, "  "]
            end += text.cell_length + 2
            self._places.append((end, step.modules[0].id if step.modules else step.id))
        return Content.assemble(*parts[:-1])

    def on_click(self, event: events.Click) -> None:
        """A click opens the step under the pointer."""
        at = event.get_content_offset(self)
        page = next((page for end, page in self._places if at is not None and at.x < end), None)
        if page is not None:
            self.post_message(StepClicked(page))

    def on_resize(self) -> None:
        """There is more room, or less."""
        if self._shown is not None:
            self.show(*self._shown)


class Outline(Static):
    """Every step, and the modules of the open one, one a line."""

    def __init__(self) -> None:
        super().__init__(markup=False, id="outline")
        self._pages: list[str] = []

    def show(self, survey: Survey, current: str) -> None:
        """Mark the module that is open."""
        lines: list[Content] = []
        self._pages = []
        for step in flow.steps():
            here = current.partition(".")[0] == step.id
            mark = survey.of(step).hint if step.modules else State.EMPTY.hint
            text = Content(f"{mark} {step.label}")
            lines.append(text.stylize("bold $accent") if here else text)
            self._pages.append(step.modules[0].id if step.modules else step.id)
            for module in step.modules if here and len(step.modules) > 1 else ():
                state = survey.states[module.id]
                label = Content(f"  {'▸' if module.id == current else state.hint} {module.short}")
                width = max(8, self.content_size.width or 24)
                lines.append(label.truncate(width, ellipsis=True).stylize("bold" if module.id == current else ""))
                self._pages.append(module.id)
        self.update(Content("\n").join(lines), layout=False)

    def on_click(self, event: events.Click) -> None:
        """A click opens what stands in that line."""
        at = event.get_content_offset(self)
        if at is not None and at.y < len(self._pages):
            self.post_message(StepClicked(self._pages[at.y]))
