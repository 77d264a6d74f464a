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
    """Every step with its mark, on one line."""

    def __init__(self) -> None:
        super().__init__(markup=False, id="step-line")

    def show(self, survey: Survey, current: str) -> None:
        """Mark the step whose module is open."""
        parts: list[Content | str] = []
        for step in flow.steps():
            here = current.partition(".")[0] == step.id
            mark = survey.of(step).hint if step.modules else State.EMPTY.hint
            text = f"{'▸' if here else mark}{step.short}"
            parts += [Content(text).stylize("bold $accent") if here else Content(text), "  "]
        self.update(Content.assemble(*parts[:-1]))


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
                label = Content(f"  {'▸' if module.id == current else state.hint} {module.label}")
                width = max(8, self.content_size.width or 24)
                lines.append(label.truncate(width, ellipsis=True).stylize("bold" if module.id == current else ""))
                self._pages.append(module.id)
        self.update(Content("\n").join(lines))

    def on_click(self, event: events.Click) -> None:
        """A click opens what stands in that line."""
        at = event.get_content_offset(self)
        if at is not None and at.y < len(self._pages):
            self.post_message(StepClicked(self._pages[at.y]))
