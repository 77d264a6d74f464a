"""Go to any page or question: write a few letters of its name, or the number of its step."""

from __future__ import annotations

from screens.picker import Picker
from screens.widgets.controls import Item
from wizard import flow
from wizard.session import Session


class GoTo(Picker):
    """Every page with its state, and every question that is asked now."""

    def __init__(self, session: Session, here: str) -> None:
        super().__init__("Go to", self._match, chosen=here)
        self.session = session

    async def _match(self, text: str) -> list[Item]:
        product = self.session.answers
        wanted = text.casefold().strip()
        found = []
        for number, step in enumerate(flow.steps(), start=1):
            for module in step.modules:
                state = self.session.states[module.id]
                label = f"{number} {step.short}: {module.label}" if len(step.modules) > 1 else f"{number} {step.label}"
                found.append((f"{label} {module.help}", Item(module.id, label, f"{state.hint} {state.label.lower()}")))
                if wanted:
                    for question in flow.single_questions(module.questions):
                        if flow.is_asked(product, question.id):
                            found.append((question.ask.label, Item(question.id, question.ask.label, f"in {label}")))
        found.append((f"{len(flow.steps())} Review & go live", Item("review", f"{len(flow.steps())} Review & go live")))
        return [item for name, item in found if wanted in name.casefold()]
