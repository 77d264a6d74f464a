"""Commands that the program names work where they are typed: in a clone or installed, whatever the data folder."""

import subprocess
import sys
from pathlib import Path

import pytest

from wizard.invocation import command

PROGRAM = Path(sys.executable).with_name("wizard")


@pytest.fixture
def called(monkeypatch):
    def called(*arguments: object, path: str = "/nowhere", home: str = "/nowhere") -> None:
        monkeypatch.setattr(sys, "argv", [str(argument) for argument in arguments])
        monkeypatch.setenv("PATH", path)
        monkeypatch.setenv("HOME", home)

    return called


def test_a_clone_names_the_file_that_was_called_since_no_path_leads_to_it(called):
    called(PROGRAM)
    assert command("sandbox") == f"{PROGRAM} sandbox"


def test_a_file_that_was_called_by_a_relative_path_is_named_from_everywhere(called, monkeypatch):
    monkeypatch.chdir(PROGRAM.parent)
    called("./wizard")
    assert command("sandbox") == f"{PROGRAM} sandbox"


def test_below_the_home_folder_the_path_is_short(called):
    called(PROGRAM, home=str(PROGRAM.parents[1]))
    assert command() == "~/bin/wizard"


def test_where_the_path_leads_to_this_very_program_its_name_is_enough(called):
    called(PROGRAM, path=str(PROGRAM.parent))
    assert command("resume", "7k2m9x4qa1bc") == "wizard resume 7k2m9x4qa1bc"


def test_another_program_of_the_name_on_the_path_is_not_taken_for_this_one(called, tmp_path):
    other = tmp_path / "wizard"
    other.write_text("#!/bin/sh\n")
    other.chmod(0o755)
    called(PROGRAM, path=str(tmp_path))
    assert command() == str(PROGRAM)


def test_called_from_python_it_goes_by_its_name(called):
    called("-c")
    assert command("products") == "wizard products"


@pytest.mark.parametrize("given", [("--data-dir", "my shop"), ("--data-dir=my shop",)])
def test_the_data_folder_that_an_option_named_goes_with_every_command(called, monkeypatch, tmp_path, given):
    monkeypatch.chdir(tmp_path)
    called("-c", *given, "runs")
    assert command("sandbox") == f"wizard --data-dir '{tmp_path}/my shop' sandbox"


def test_what_a_shell_would_not_take_as_one_word_is_quoted(called):
    called("-c")
    assert command("show", "it's") == """wizard show 'it'"'"'s'"""


def test_a_command_that_the_program_names_can_be_typed_as_it_stands(tmp_path):
    folder = tmp_path / "shop"
    called = [str(PROGRAM), "--data-dir", str(folder), "fire", "none"]
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}
    said = subprocess.run(called, env=environment, cwd=tmp_path, capture_output=True, text=True).stderr
    named = said.split("`")[1]
    assert named == f"{PROGRAM} --data-dir {folder} products"
    typed = subprocess.run(["sh", "-c", named], env=environment, cwd="/", capture_output=True, text=True)
    assert (typed.returncode, typed.stderr) == (0, "")
