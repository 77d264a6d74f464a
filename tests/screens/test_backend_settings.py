"""A backend from outside is chosen in the app, and its settings are a form that its manifest describes."""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from pathlib import Path

import pytest
from pydantic import Field, SecretStr, ValidationError

from models.choice import Choice
from screens.fire import FireScreen
from screens.form_dialog import FormDialog
from screens.picker import Picker
from tests.support.seller import Seller, seller_at
from wizard import flow
from wizard.delivery import registry
from wizard.delivery.backend import BackendSettings, Manifest
from wizard.delivery.settings_form import as_settings, filled, form_of
from wizard.sample import fill
from wizard.settings import Settings
from wizard.store import open_store


class Colour(Choice):
    RED = "red", "Red", "like a rose"
    BLUE = "blue", "Blue", "like the sea"


class ShelfSettings(BackendSettings):
    folder: Path
    """Where the shelf stands."""
    stamp: SecretStr = Field(min_length=8)
    """What its cards are stamped with."""
    colour: Colour = Colour.RED
    copies: int = 1
    is_loud: bool = False


MANIFEST = Manifest(name="shelf", label="A shelf", can=frozenset(), backend="nowhere:Shelf", settings=ShelfSettings)


def test_each_setting_is_a_question_with_the_words_of_the_manifest():
    questions = {question.name: question for question in flow.questions_of(form_of(MANIFEST))}

    kinds = {name: question.ask.kind for name, question in questions.items()}
    assert kinds == {
        "folder": "line", "stamp": "secret", "colour": "choice", "copies": "number", "is_loud": "switch",
    }  # fmt: skip
    assert questions["folder"].ask.label == "Folder"
    assert questions["folder"].ask.help == "Where the shelf stands."
    assert questions["folder"].ask.required(None)
    assert not questions["copies"].ask.required(None)
    assert questions["colour"].choices == tuple(Colour)


def test_what_is_set_already_stands_in_the_form_and_what_does_not_fit_is_asked_again():
    form = filled(MANIFEST, {"folder": "/srv/shelf", "stamp": "short", "copies": "many", "unknown": 1})

    assert as_settings(form) == {"folder": Path("/srv/shelf"), "colour": "red", "copies": 1, "is_loud": False}


def test_what_was_filled_in_is_what_the_manifest_takes():
    form = filled(MANIFEST, {"folder": "/srv/shelf", "stamp": "a long stamp", "colour": "blue"})

    values = as_settings(form)

    assert values["stamp"] == "a long stamp"
    assert not any(isinstance(value, SecretStr | Enum) for value in values.values())
    registry.check_settings(MANIFEST, values)


def test_a_rule_of_the_manifest_holds_in_the_form():
    with pytest.raises(ValidationError, match="at least 8"):
        form_of(MANIFEST).model_validate({"stamp": "short"})


# --- in the app -------------------------------------------------------------------------------------------------------


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The backend above, installed."""
    about = tmp_path / "site" / "shelf-1.0.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: shelf\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text(f"[wizard.backends]\nshelf = {__name__}:MANIFEST\n")
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    registry._entry.cache_clear()
    yield
    registry._entry.cache_clear()


async def fires(seller: Seller) -> FireScreen:
    await seller.press("f5")
    await seller.sees("F5 carries out the event")
    screen = seller.app.screen
    assert isinstance(screen, FireScreen)
    return screen


@pytest.mark.usefixtures("shelf")
@pytest.mark.parametrize("size", ["80x24", "120x40"])
async def test_a_backend_is_chosen_and_asks_for_what_must_be_set(size: str):
    with open_store(Settings()) as store:
        fill(store)
    async with seller_at(size) as seller:
        screen = await fires(seller)
        assert screen.query_one("#fault").display
        await seller.press("f8")
        await seller.sees("Who carries out test-fires?")
        await seller.sees("A shelf")
        await seller.write("shelf")
        await seller.until(lambda: len(_picker(seller).items) == 1, "one is found")
        await seller.press("enter")
        await seller.sees("Settings of shelf")
        assert "Where the shelf stands" in seller.screen
        await seller.write("/srv/shelf")
        await seller.press("tab")
        await seller.write("short")
        await seller.press("ctrl+o")
        await seller.sees("at least 8")
        await seller.write("er than this")
        await seller.press("ctrl+o")
        await seller.sees("shelf carries out what you fire")

        assert seller.app.settings.backend == "shelf"
        assert seller.app.settings.backends["shelf"]["folder"] == Path("/srv/shelf")
        assert "Test-fire on shelf" in seller.screen
        assert not screen.query_one("#fault").display
        assert "than this" not in seller.screen


@pytest.mark.usefixtures("shelf")
async def test_whoever_leaves_the_form_keeps_the_backend_that_was_chosen():
    with open_store(Settings()) as store:
        fill(store)
    async with seller_at("80x24") as seller:
        await fires(seller)
        await seller.press("f8")
        await seller.sees("A shelf")
        await seller.write("shelf")
        await seller.until(lambda: len(_picker(seller).items) == 1, "one is found")
        await seller.press("enter")
        await seller.until(lambda: isinstance(seller.app.screen, FormDialog), "the form opens")
        await seller.press("escape")
        await seller.sees("Who carries out test-fires?")
        await seller.press("escape")
        await seller.until(lambda: isinstance(seller.app.screen, FireScreen), "back")

        assert seller.app.settings.backend == "sandbox"


def _picker(seller: Seller) -> Picker:
    screen = seller.app.screen
    assert isinstance(screen, Picker)
    return screen
