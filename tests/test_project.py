"""The house itself: who may import whom, what the lock says, under which licences, and that it knows no machine."""

from __future__ import annotations

import ast
import importlib.metadata
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from pytest_textual_snapshot import SVGImageExtension
from syrupy.location import PyTestLocation
from textual import constants

ROOT = Path(__file__).parent.parent
LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")
PYPROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PROJECT = PYPROJECT["project"]

RUNTIME = PROJECT["dependencies"] + [line for extra in PROJECT["optional-dependencies"].values() for line in extra]
EVERYTHING = RUNTIME + PYPROJECT["dependency-groups"]["dev"]


def run(*command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Runs a command in the project's folder and waits for it; both streams arrive in `stdout`."""
    return subprocess.run(
        command,
        cwd=ROOT,
        env=os.environ | environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=120,
        check=False,
    )


# --- who may import whom -------------------------------------------------------------------------------------------


def test_imports_run_one_way() -> None:
    contracts = run(str(Path(sys.executable).with_name("lint-imports")), "--no-cache")

    assert contracts.returncode == 0, contracts.stdout


def test_no_test_module_is_borrowed_from() -> None:
    """What several tests need stands in `tests/support`, and fixtures in a conftest: a test module is read alone."""
    imports = re.compile(r"^\s*(from tests[\w.]*\.test_\w+ import|from tests[\w.]* import .*\btest_)", re.MULTILINE)
    borrowing = [path.name for path in modules_of("tests") if imports.search(path.read_text(encoding="utf-8"))]

    assert borrowing == []


def modules_of(package: str) -> list[Path]:
    """The modules of a package of ours; there are some, or whoever looks at each of them looks at nothing."""
    found = sorted((ROOT / package).rglob("*.py"))
    assert found, f"{package} has no modules where we look for them"
    return found


def imported(statements: Iterator[ast.AST]) -> Iterator[str]:
    """The dotted names that import statements bring in: `from a import b` brings in `a.b`."""
    for statement in statements:
        if isinstance(statement, ast.Import):
            yield from (alias.name for alias in statement.names)
        elif isinstance(statement, ast.ImportFrom):
            yield from (f"{statement.module}.{alias.name}" for alias in statement.names)


def test_the_command_line_opens_the_screens_only_inside_a_function() -> None:
    for path in modules_of("wizard"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        inside_functions = {
            statement
            for function in ast.walk(tree)
            if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
            for statement in ast.walk(function)
        }
        on_import = list(imported(node for node in ast.walk(tree) if node not in inside_functions))

        assert not [name for name in on_import if name.split(".")[0] == "screens"], path


def test_models_describe_records_and_never_open_a_database() -> None:
    opens_a_database = re.compile(
        r"(sqlmodel|sqlalchemy)\.(.*\.)?(create_engine|create_async_engine|Engine|Session|AsyncSession|sessionmaker|"
        r"Connection|event|engine)\b"
    )

    for path in modules_of("models"):
        names = imported(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
        assert not [name for name in names if opens_a_database.match(name)], path


# --- the lock ------------------------------------------------------------------------------------------------------


def locked() -> dict[str, str]:
    """Every locked package, by its canonical name, with its version."""
    return {canonicalize_name(name): version for name, version in re.findall(r"^([\w.-]+)==(\S+)", LOCK, re.M)}


def test_the_lock_holds_no_address() -> None:
    assert "://" not in LOCK
    assert not re.search(r"^\s*(-i\b|-f\b|--(index|extra-index|find-links|trusted-host))", LOCK, re.M)


def test_every_locked_package_has_a_hash() -> None:
    for entry in re.split(r"\n(?=\S)", LOCK.strip()):
        assert "--hash=sha256:" in entry, entry


@pytest.mark.parametrize("line", EVERYTHING + PYPROJECT["build-system"]["requires"])
def test_every_dependency_is_locked_in_a_version_it_allows(line: str) -> None:
    requirement = Requirement(line)

    assert requirement.specifier.contains(locked()[canonicalize_name(requirement.name)])


# --- licences ------------------------------------------------------------------------------------------------------


def licence(distribution: importlib.metadata.Distribution) -> str:
    """What a distribution says about its licence, in whichever of three places it says it."""
    about = distribution.metadata
    stated = [*(about.get_all("License-Expression") or []), *(about.get_all("License") or [])]
    return " ".join(stated + [line for line in about.get_all("Classifier") or [] if line.startswith("License ::")])


def installed_with(lines: list[str]) -> dict[str, importlib.metadata.Distribution]:
    """The distributions that these requirements bring along on this machine, they themselves included."""
    waiting = [Requirement(line) for line in lines]
    seen: set[str] = set()
    found: dict[str, importlib.metadata.Distribution] = {}
    while waiting:
        requirement = waiting.pop()
        extras = requirement.extras | {""}
        if str(requirement) in seen or not applies(requirement, {""}):
            continue
        seen.add(str(requirement))
        distribution = importlib.metadata.distribution(requirement.name)
        found[canonicalize_name(requirement.name)] = distribution
        for needed in map(Requirement, distribution.requires or []):
            if applies(needed, extras):
                needed.marker = None
                waiting.append(needed)
    return found


def applies(requirement: Requirement, extras: set[str]) -> bool:
    """Whether a requirement holds on this machine for any of these extras."""
    return requirement.marker is None or any(requirement.marker.evaluate({"extra": extra}) for extra in extras)


def test_every_runtime_licence_lets_the_project_be_given_away_under_mit() -> None:
    # Weak copyleft (MPL, LGPL) binds the library's own files, which are installed beside ours and never copied in.
    welcome = re.compile(r"MIT|BSD|Apache|ISC|PSF|Unlicense|Public Domain|MPL|LGPL")

    strange = {
        name: licence(distribution)
        for name, distribution in installed_with(RUNTIME).items()
        if not welcome.search(licence(distribution))
    }

    assert strange == {}


# --- no machine but the reader's -------------------------------------------------------------------------------------


def project_files() -> Iterator[Path]:
    """The files that git would hand to somebody else."""
    listed = run("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard").stdout
    yield from (ROOT / name for name in listed.split("\0") if name and (ROOT / name).is_file())


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="only a git checkout knows which files belong to the project")
def test_no_file_names_a_path_of_the_machine_it_was_written_on() -> None:
    somewhere = "|".join(re.escape(str(path)) for path in (ROOT, Path(sys.prefix)) if len(path.parts) > 2)
    personal = re.compile(rf"(?<![\w.])(({somewhere})(?![\w-])|/(home|Users)/\w|/root/[\w.]|/tmp/pytest-of-\w)")

    for path in project_files():
        text = path.read_bytes().decode("utf-8", errors="replace")
        assert not (found := personal.search(text)), f"{path.relative_to(ROOT)}: {found}"


# --- what the tests rest on ------------------------------------------------------------------------------------------


def test_frames_are_kept_beside_the_code_in_a_folder_per_test_module(request: pytest.FixtureRequest) -> None:
    folder = SVGImageExtension.dirname(test_location=PyTestLocation(request.node))

    assert Path(folder) == ROOT / "snapshots" / "test_project"


def test_textual_saw_the_environment_of_the_tests() -> None:
    assert (constants.TEXTUAL_ANIMATIONS, constants.COLOR_SYSTEM) == ("none", "truecolor")


def test_each_test_has_a_data_folder_of_its_own(data_dir: Path, tmp_path: Path) -> None:
    assert os.environ["WIZARD_DATA_DIR"] == str(data_dir)
    assert data_dir.is_relative_to(tmp_path)


SKIPS = {
    "test_call.py": "import pytest\ndef test_it():\n    pytest.skip('no server')\n",
    "test_mark.py": "import pytest\n@pytest.mark.skip(reason='no server')\ndef test_it(): pass\n",
    "test_module.py": "import pytest\npytest.skip('no server', allow_module_level=True)\n",
}


def outcome_of_skips(folder: Path, **environment: str) -> str:
    """The closing words of a test run in which every test skips, each in a way of its own."""
    (folder / "conftest.py").write_bytes((ROOT / "tests" / "conftest.py").read_bytes())
    for name, source in SKIPS.items():
        (folder / name).write_text(source, encoding="utf-8")
    options = ("-c", "pyproject.toml", f"--rootdir={folder}", "--continue-on-collection-errors", "-n", "0")
    return run(sys.executable, "-m", "pytest", *options, str(folder), **environment).stdout


def test_a_skip_says_why(tmp_path: Path) -> None:
    output = outcome_of_skips(tmp_path, WIZARD_REQUIRE_SERVICES="")

    assert "3 skipped" in output.splitlines()[-1], output
    assert output.count(": no server") == 3


def test_a_skip_fails_where_nothing_may_skip(tmp_path: Path) -> None:
    output = outcome_of_skips(tmp_path, WIZARD_REQUIRE_SERVICES="1")

    assert "1 failed, 2 errors" in output.splitlines()[-1], output
    assert output.count("nothing may skip under WIZARD_REQUIRE_SERVICES=1, but: ") >= 3
