"""Backends from outside: found by their manifests, refused with a reason, and held to the contract that we ship."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args
from uuid import uuid4

import pytest
from jsonschema import Draft202012Validator
from pydantic import Field, SecretStr, ValidationError
from starlette.applications import Starlette

from models.events import Event
from models.fulfillment import Action, Buyer, Evidence, GrantAccess, Moment, Receipt, RevokeAccess, Run
from tests.support.records import ROOT
from tests.support.shop import CONTENT, NOW, small_world, sold
from wizard.cli import main
from wizard.delivery.backend import Backend, BackendSettings, Check, Context, Manifest, Occasion, Surroundings
from wizard.delivery.backends import SANDBOX
from wizard.delivery.backends.sandbox import SandboxBackend
from wizard.delivery.backends.webhook import PLANS
from wizard.delivery.errors import BackendError, Rejected
from wizard.delivery.platforms.endpoint import KINDS, told_of
from wizard.delivery.registry import NoSuchBackend, installed, manifest_of
from wizard.runs.fire import LeftOut, Workplace, fire
from wizard.sale.plan import plan
from wizard.sale.sold import Held
from wizard.sample import fill
from wizard.settings import config_file, load
from wizard.store import open_store
from wizard.testing import ActionsContract, BackendContract, known_actions, surroundings

# --- the sandbox keeps the contract -----------------------------------------------------------------------------------


class SandboxContract(ActionsContract):
    manifest = SANDBOX

    @pytest.fixture
    def app(self) -> Iterator[Starlette]:
        app = small_world()
        yield app
        app.state.world.close()

    @pytest.fixture
    def make(self, app: Starlette, tmp_path: Path) -> Callable[[], Backend]:
        workbook = tmp_path / "workbook.pdf"
        workbook.write_bytes(CONTENT)
        around = Surroundings(
            data_dir=tmp_path, client=lambda: pytest.fail("no network"), path_of_file=lambda _: workbook
        )
        return lambda: SandboxBackend(around, app)

    @pytest.fixture
    def make_broken(self, tmp_path: Path) -> Callable[[], Backend]:
        (tmp_path / "sandbox.sqlite").write_bytes(b"SQLite format 3\0" + bytes(2000))
        return lambda: SandboxBackend(surroundings(tmp_path))


class TestHostedMembershipInTheSandbox(SandboxContract, BackendContract):
    file = CONTENT
    gives = plan(sold("hosted"), Event.PURCHASE, Held(), NOW)
    takes = plan(sold("hosted"), Event.CHARGEBACK, Held(), NOW)


class TestIntegratedMembershipInTheSandbox(SandboxContract):
    gives = plan(sold("integrated"), Event.PURCHASE, Held(), NOW)
    takes = plan(sold("integrated"), Event.CHARGEBACK, Held(), NOW)


class TestDownloadableFileInTheSandbox(SandboxContract):
    gives = plan(sold("file"), Event.PURCHASE, Held(), NOW)
    takes = plan(sold("file"), Event.CHARGEBACK, Held(), NOW)


class TestCalendarInTheSandbox(SandboxContract):
    gives = plan(sold("calendar"), Event.PURCHASE, Held(), NOW)
    takes = plan(sold("calendar"), Event.CHARGEBACK, Held(), NOW)


# --- the contract notices what is wrong -------------------------------------------------------------------------------


class Shelf:
    """A backend in memory that keeps the contract, but for what a subclass does otherwise."""

    manifest = Manifest(
        "shelf",
        "Shelf",
        frozenset({"grant_access", "revoke_access"}),
        "tests.delivery.test_backends:Shelf",
        BackendSettings,
    )
    password = "swordfish"

    def __init__(self, held: dict[str, str]) -> None:
        self.held = held
        """Which run gave access to each buyer, by address."""

    async def check(self) -> Check:
        return Check(True, "The shelf stands.")

    async def perform(self, action: Action, context: Context) -> Receipt:
        match action:
            case GrantAccess():
                self.held[context.buyer.email] = context.run
                return Receipt(reference=context.key, values={"login_password": self.password})
            case RevokeAccess():
                self.held.pop(context.buyer.email, None)
                return Receipt(reference=context.key)
        raise Rejected(f"There is no {action.action} here.")

    async def verify(self, action: Action, receipt: Receipt, context: Context) -> Evidence:
        return Evidence(allowed=context.buyer.email in self.held, proven_by="buyer", detail="Looked at the shelf.")

    async def clean_up(self, context: Context) -> str:
        for email in [email for email, run in self.held.items() if run == context.run]:
            del self.held[email]
        return "Nothing was left."


class MakesUpReceipts(Shelf):
    async def perform(self, action: Action, context: Context) -> Receipt:
        made_up = {"reference": str(uuid4())}
        return (await super().perform(action, context)).model_copy(update=made_up)


class NeverShutsOut(Shelf):
    async def verify(self, action: Action, receipt: Receipt, context: Context) -> Evidence:
        return Evidence(allowed=True, proven_by="platform", detail="The platform said 200.")


class NeverLetsIn(Shelf):
    async def verify(self, action: Action, receipt: Receipt, context: Context) -> Evidence:
        return Evidence(allowed=False, proven_by="buyer", detail="Turned away.")


class ChokesOnASecondRevoke(Shelf):
    async def perform(self, action: Action, context: Context) -> Receipt:
        if isinstance(action, RevokeAccess) and context.buyer.email not in self.held:
            raise Rejected("There is no such member.")
        return await super().perform(action, context)


class TakesAnything(Shelf):
    async def perform(self, action: Action, context: Context) -> Receipt:
        try:
            return await super().perform(action, context)
        except Rejected:
            return Receipt(reference=context.key)


class BreaksOnTheUnknown(Shelf):
    async def perform(self, action: Action, context: Context) -> Receipt:
        kinds = {"grant_access": 1, "revoke_access": 2}
        assert kinds[action.action]
        return await super().perform(action, context)


class TellsItsKey(Shelf):
    async def perform(self, action: Action, context: Context) -> Receipt:
        receipt = await super().perform(action, context)
        return receipt.model_copy(update={"detail": "Asked with the key open-sesame."})


class ForgetsEverybody(Shelf):
    async def clean_up(self, context: Context) -> str:
        self.held.clear()
        return "Nothing was left."


class ForgetsNobody(Shelf):
    async def clean_up(self, context: Context) -> str:
        return "Nothing was left."


class CleansUpInSilence(Shelf):
    async def clean_up(self, context: Context) -> str:
        await super().clean_up(context)
        return ""


class CallsItselfOtherwise(Shelf):
    manifest = Manifest(
        "shlef", "Shelf", frozenset({"grant_access", "revoke_access"}), "tests.delivery.test_backends:Shelf"
    )


class SaysNothing(Shelf):
    async def check(self) -> Check:
        return Check(True, "")


class BrokenInItsOwnWay(Shelf):
    async def perform(self, action: Action, context: Context) -> Receipt:
        raise KeyError("shelf")


class BrokenAndTelling(Shelf):
    async def perform(self, action: Action, context: Context) -> Receipt:
        raise Rejected("The key open-sesame was refused.")


class BrokenButSound(Shelf):
    """Whose check says that it works."""


class Broken(Shelf):
    async def check(self) -> Check:
        return Check(False, "The shelf fell down.")

    async def perform(self, action: Action, context: Context) -> Receipt:
        raise Rejected("The shelf fell down: put it up.")


class ShelfContract(BackendContract):
    manifest = Shelf.manifest
    gives = (GrantAccess(target="yoga-club", levels=("gold",)),)
    takes = (RevokeAccess(target="yoga-club", levels=("gold",)),)
    secrets = ("open-sesame",)


class TestShelf(ShelfContract):
    """It keeps the contract, so what the flawed ones below fail at is their flaw."""

    @pytest.fixture
    def make(self) -> Callable[[], Backend]:
        held: dict[str, str] = {}
        return lambda: Shelf(held)

    @pytest.fixture
    def make_broken(self) -> Callable[[], Backend]:
        return lambda: Broken({})


FLAWS: dict[type[Shelf], str] = {
    MakesUpReceipts: "test_the_same_key_gives_the_same_receipt_also_after_a_restart",
    NeverShutsOut: "test_what_was_taken_can_no_longer_be_used",
    NeverLetsIn: "test_what_was_bought_can_be_used",
    ChokesOnASecondRevoke: "test_taking_twice_is_harmless",
    TakesAnything: "test_an_action_that_it_does_not_know_is_refused",
    BreaksOnTheUnknown: "test_an_action_that_it_does_not_know_is_refused",
    TellsItsKey: "test_nothing_secret_is_recorded",
    ForgetsEverybody: "test_cleaning_up_removes_what_the_run_made_and_nothing_else",
    ForgetsNobody: "test_cleaning_up_removes_what_the_run_made_and_nothing_else",
    CleansUpInSilence: "test_cleaning_up_removes_what_the_run_made_and_nothing_else",
    CallsItselfOtherwise: "test_the_manifest_says_where_it_is_and_what_it_can",
    SaysNothing: "test_a_check_says_that_it_works",
    BrokenInItsOwnWay: "test_what_goes_wrong_is_said_by_an_error_of_a_kind",
    BrokenAndTelling: "test_what_goes_wrong_is_said_by_an_error_of_a_kind",
    BrokenButSound: "test_a_check_of_a_broken_one_says_that_it_does_not_work",
}


@pytest.mark.parametrize("flawed", FLAWS, ids=lambda flawed: flawed.__name__)
def test_the_contract_fails_a_backend_that_breaks_it(flawed: type[Shelf]) -> None:
    held: dict[str, str] = {}
    hold_to_it = getattr(ShelfContract(), FLAWS[flawed])

    with pytest.raises((AssertionError, pytest.fail.Exception, KeyError)):
        hold_to_it(lambda: flawed(held))


def test_the_contract_knows_every_action_there_is() -> None:
    assert known_actions() == SANDBOX.can


@pytest.mark.parametrize(
    ("product", "action"),
    [
        ("noted", "assign_tag"), ("noted", "unassign_tag"), ("noted", "call_webhook"),
        ("calendar", "register_attendee"),
        ("webinar", "cancel_registration"), ("file", "try_link"), ("hosted", "keep_access"), ("physical", "send_email"),
    ],
)  # fmt: skip
def test_the_contract_asks_for_all_that_products_lead_to(product: str, action: str, tmp_path: Path) -> None:
    class Claims(SandboxBackend):
        async def perform(self, asked: Action, context: Context) -> Receipt:
            if asked.action == action:
                raise Rejected(f"There is no {action} here.")
            return await super().perform(asked, context)

    class ClaimsContract(BackendContract):
        manifest = SANDBOX

    world = small_world()
    hold_to_it = ClaimsContract().test_all_that_a_product_leads_to_is_done_or_refused_before_it_begins
    with pytest.raises(AssertionError, match=f"There is no {action} here"):
        hold_to_it(product, lambda: Claims(surroundings(tmp_path), world), tmp_path)
    world.state.world.close()


# --- what a backend leaves out ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("option", "changes", "named"),
    [
        ("calendar", {"can": SANDBOX.can - {"register_attendee"}}, "Register the buyer: Coaching call."),
        ("integrated", {"leaves_out": frozenset({"integrated_membership"})}, "Let the buyer in: My site."),
        ("hosted", {"leaves_out": frozenset({"hosted_membership"})}, "Let the buyer in: Yoga Club."),
    ],
)
async def test_what_a_backend_leaves_out_is_said_before_a_run_begins(
    option: str, changes: dict[str, Any], named: str, tmp_path: Path
) -> None:
    class Narrow(SandboxBackend):
        manifest = replace(SANDBOX, name="narrow", **changes)

    at = Workplace(tmp_path)
    begun: list[Run] = []
    with pytest.raises(LeftOut) as refused:
        await fire(sold(option), at=at, backend=Narrow, on_begin=begun.append, run_id="never")

    assert str(refused.value) == (
        f"The backend “narrow” leaves out some of what this leads to: {named} Choose another backend, or take that out "
        "of the product."
    )
    assert begun == []
    with pytest.raises(KeyError):
        at.ledger.read_run("never")


async def test_what_a_backend_leaves_out_is_no_matter_where_nothing_leads_to_it(tmp_path: Path) -> None:
    class Narrow(SandboxBackend):
        manifest = replace(
            SANDBOX, can=SANDBOX.can - {"register_attendee"}, leaves_out=frozenset({"hosted_membership"})
        )

    assert (await fire(sold("physical"), at=Workplace(tmp_path), backend=Narrow)).verdict == "passed"


# --- found by their manifests -----------------------------------------------------------------------------------------


@pytest.fixture
def add(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str, str], None]:
    """Installs a package with a backend: its name, the entry point's value, and the source of its one module."""

    def install(name: str, value: str, source: str = "") -> None:
        about = tmp_path / "site" / f"{name}-1.0.dist-info"
        about.mkdir(parents=True)
        (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        (about / "entry_points.txt").write_text(f"[wizard.backends]\n{name} = {value}\n")
        if source:
            (tmp_path / "site" / f"{name}.py").write_text(source)

    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    return install


MANIFEST = """
from wizard.delivery.backend import BackendSettings, Manifest
class Settings(BackendSettings):
    folder: str
    port: int = 80
IT = Manifest({name!r}, "It", frozenset({{"grant_access"}}), {where!r}, Settings)
"""

BROKEN = {
    "a module that is none": ("nowhere:IT", "", "No module named 'nowhere'"),
    "a name that is none": ("{name}:IT", "x = 1", "IT"),
    "a module that breaks": ("{name}:IT", "1 / 0", "division by zero"),
    "something that is no manifest": ("{name}:IT", "class IT: manifest = None", "{name}:IT is no manifest"),
    "a manifest of another name": ("{name}:IT", MANIFEST.format(name="other", where=""), "calls it “other”"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_backend_whose_manifest_cannot_be_read_is_listed_with_the_reason(
    case: str, add: Callable[..., None], capsys: pytest.CaptureFixture[str], data_dir: Path
) -> None:
    name = f"broken{list(BROKEN).index(case)}"
    value, source, reason = (text.replace("{name}", name) for text in BROKEN[case])
    add(name, value, source)

    [found] = [one for one in installed() if one.name == name]
    assert (found.package, found.manifest) == (f"{name} 1.0", None)
    assert reason in found.problem
    with pytest.raises(NoSuchBackend, match=name):
        manifest_of(name)
    assert main(["backends"]) == 1
    assert f"{name} ({name} 1.0) – does not work: The backend “{name}” cannot be" in capsys.readouterr().out


def test_a_backend_whose_class_cannot_be_loaded_is_listed_with_what_it_would_do_and_the_reason(
    add: Callable[..., None], data_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    add("classless", "classless:IT", MANIFEST.format(name="classless", where="nowhere:Backend"))
    config_file().parent.mkdir(parents=True)
    config_file().write_text('[backends.classless]\nfolder = "x"\n')

    assert main(["backends", "--json"]) == 1
    [found] = [one for one in json.loads(capsys.readouterr().out)["backends"] if one["backend"] == "classless"]

    assert found["detail"] == "The backend “classless” cannot be loaded: No module named 'nowhere'"
    assert (found["label"], found["can"]) == ("It", ["grant_access"])
    assert found["settings"]["required"] == ["folder"]


def test_manifests_are_read_without_the_network_code_of_their_backends() -> None:
    script = (
        "import sys; from wizard.delivery.registry import installed\n"
        "it, other = [one.manifest for one in installed() if one.name in ('sandbox', 'webhook')]\n"
        "print(it.name, len(it.can), it.schema['type'], other.name, other.schema['required'])\n"
        "print(sorted({'httpx', 'starlette', 'sqlalchemy', 'argon2', 'jinja2'} & set(sys.modules)))\n"
        "from wizard.delivery.registry import class_of; class_of(it)\n"
        "print('httpx' in sys.modules)"
    )

    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=60)

    assert done.stdout == "sandbox 16 object webhook ['url', 'secret']\n[]\nTrue\n", done.stderr


# --- their settings ---------------------------------------------------------------------------------------------------

SETTINGS = {
    "none at all": ("", "folder in [backends.NAME] of CONFIG: field required."),
    "a key that is none": (
        '[backends.NAME]\nfolder = "x"\nfoldr = "y"',
        "foldr in [backends.NAME] of CONFIG: there is no such setting. There are folder, port.",
    ),
    "a value that does not fit": (
        '[backends.NAME]\nfolder = "x"\nport = "hunter2"',
        "port in [backends.NAME] of CONFIG: input should be a valid integer, unable to parse string as an integer.",
    ),
}


@pytest.mark.parametrize("case", SETTINGS)
def test_a_wrong_setting_is_named_by_its_key_and_its_value_is_not_repeated(
    case: str, add: Callable[..., None], data_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name = f"set{list(SETTINGS).index(case)}"
    add(name, f"{name}:IT", MANIFEST.format(name=name, where="nowhere:Backend"))
    config, says = (text.replace("NAME", name).replace("CONFIG", str(config_file())) for text in SETTINGS[case])
    config_file().parent.mkdir(parents=True)
    config_file().write_text(config)
    with open_store(load()) as store:
        fill(store)

    assert main(["fire", "cork-mat", "--backend", name]) == 2
    assert capsys.readouterr().err.strip() == says
    is_set = bool(config)
    assert main(["backends"]) == (1 if is_set else 0), "what nobody set up is no fault"
    assert f"{'does not work' if is_set else 'is not set up'}: {says}" in capsys.readouterr().out


def test_a_table_that_is_none_is_a_wrong_setting(data_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config_file().parent.mkdir(parents=True)
    config_file().write_text('[backends]\nsandbox = "hunter2"\n')

    assert main(["backends"]) == 2
    assert capsys.readouterr().err.strip() == (
        f"backends.sandbox in {config_file()}: input should be a valid dictionary."
    )


async def test_a_backend_that_breaks_when_it_is_made_is_said_to_be_broken(tmp_path: Path) -> None:
    def breaks(_: Surroundings) -> Backend:
        raise KeyError("folder")

    with pytest.raises(BackendError, match=r"The backend broke \(KeyError: 'folder'\)"):
        await fire(sold("physical"), at=Workplace(tmp_path), backend=breaks)


def test_a_setting_that_a_backend_refuses_when_it_is_made_is_not_repeated() -> None:
    class Settings(BackendSettings):
        stamp: SecretStr = Field(min_length=16)

    with pytest.raises(ValidationError) as refused:
        Settings.model_validate({"stamp": "hunter2"})

    assert "hunter2" not in str(refused.value)


def test_settings_of_backends_do_not_show_when_settings_are_printed() -> None:
    config_file().parent.mkdir(parents=True)
    config_file().write_text('[backends.library]\nstamp = "hunter2"\n')

    settings = load()

    assert settings.backends == {"library": {"stamp": "hunter2"}}
    assert "hunter2" not in f"{settings!r} {settings} {settings.model_dump_json()}"


# --- the example ------------------------------------------------------------------------------------------------------

EXAMPLE = ROOT / "examples" / "lending-library"
STAMP = "a stamp that nobody else knows"

DOCUMENT = """
wizard: 1
account:
  memberships:
    - {slug: yoga-club, name: Yoga Club, levels: [silver, gold]}
products:
  - slug: yoga
    general: {name: Yoga}
    pricing: {prices: [{type: one_time, amount: "29.00"}]}
    post_sale:
      access: {kind: hosted_membership, membership: yoga-club, levels: [gold]}
"""


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder into which the example is built and installed, without any network."""
    folder = tmp_path_factory.mktemp("site")
    source = shutil.copytree(EXAMPLE, folder / "source", ignore=shutil.ignore_patterns("__pycache__", ".pytest_cache"))
    pip = [sys.executable, "-m", "pip", "install", "--disable-pip-version-check", "--quiet", "--no-index"]
    done = subprocess.run(
        [*pip, "--no-deps", "--no-build-isolation", "--target", str(folder / "lib"), str(source)],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return folder / "lib"


@pytest.fixture
def with_example(site: Path, data_dir: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs Python where the example is installed beside the wizard."""

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, *arguments],
            env=os.environ | {"PYTHONPATH": os.pathsep.join((str(ROOT), str(site)))},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    return run


WIZARD = ("-c", "import sys; from wizard.cli import main; sys.exit(main())")


def test_the_example_is_installed_listed_and_fired(
    with_example: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    library = tmp_path / "library"
    config_file().parent.mkdir(parents=True)
    config_file().write_text(f'[backends.lending-library]\nfolder = "{library}"\nstamp = "{STAMP}"\n')
    (tmp_path / "yoga.yaml").write_text(DOCUMENT)

    listed = with_example(*WIZARD, "backends", "--json")
    applied = with_example(*WIZARD, "apply", str(tmp_path / "yoga.yaml"))
    fired = with_example(*WIZARD, "fire", "yoga", "--backend", "lending-library", "--json")

    assert listed.returncode == 0, listed.stderr
    found = {one["backend"]: one for one in json.loads(listed.stdout)["backends"]}
    assert found["sandbox"]["leaves_out"] == []
    assert {"register_attendee", "assign_tag", "integrated_membership"} < set(found["lending-library"]["leaves_out"])
    assert set(found) >= {"lending-library", "sandbox"}
    assert found["lending-library"]["detail"] == f"The library in {library} is open."
    assert found["lending-library"]["package"] == "lending-library 0.1.0"
    schema = found["lending-library"]["settings"]
    Draft202012Validator.check_schema(schema)
    assert schema["required"] == ["folder", "stamp"]
    assert schema["properties"]["stamp"]["format"] == "password"
    assert "Where the library keeps" in schema["properties"]["folder"]["description"]
    assert applied.returncode == 0, applied.stderr
    assert fired.returncode == 0, fired.stdout + fired.stderr
    run = json.loads(fired.stdout)
    assert (run["backend"], run["verdict"]) == ("lending-library", "passed")
    assert run["reason"] == "The reader came with the card from the letter and read yoga-club/gold."
    [letter, *_] = [json.loads(path.read_text()) for path in sorted((library / "letters").iterdir())]
    assert letter["to"] == run["buyer"]
    stored = b"".join(path.read_bytes() for path in (tmp_path / "data").glob("wizard.db*"))
    assert STAMP.encode() not in stored


def test_the_example_keeps_the_contract(
    with_example: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    tests = shutil.copytree(EXAMPLE / "tests", tmp_path / "tests")

    done = with_example("-m", "pytest", "-q", "-p", "no:cacheprovider", f"--rootdir={tests}", str(tests))

    assert done.returncode == 0, done.stdout + done.stderr
    assert "20 passed" in done.stdout


def test_the_examples_manifest_is_read_without_its_backend(
    with_example: Callable[..., subprocess.CompletedProcess[str]],
) -> None:
    done = with_example(
        "-c",
        "import sys; from wizard.delivery.registry import manifest_of; print(manifest_of('lending-library').label)\n"
        "print(sorted({'httpx', 'lending_library.backend', 'lending_library.library'} & set(sys.modules)))",
    )

    assert done.stdout == "Lending library: a folder of JSON files\n[]\n", done.stderr


def test_the_example_says_which_setting_is_missing(
    with_example: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    (tmp_path / "yoga.yaml").write_text(DOCUMENT)
    with_example(*WIZARD, "apply", str(tmp_path / "yoga.yaml"))

    fired = with_example(*WIZARD, "fire", "yoga", "--backend", "lending-library")

    assert fired.returncode == 2
    assert fired.stderr.strip() == f"folder in [backends.lending-library] of {config_file()}: field required."


def test_the_guide_names_every_action_with_its_fields_and_all_that_a_request_says() -> None:
    guide = (ROOT / "examples" / "README.md").read_text()
    rows = [line for line in guide.splitlines() if line.startswith("| `")]

    for kind in get_args(get_args(Action)[0]):
        names = get_args(kind.model_fields["action"].annotation)
        fields = set(kind.model_fields) - PLANS - {"action"}
        for name in names:
            row = next(line for line in rows if f"`{name}`" in line.split("|")[1])
            assert all(f"`{field}`" in row for field in fields), f"{name}: {fields}"
    moment = Moment(title="Purchase", at=NOW, event=Event.PURCHASE)
    context = Context("run", "product", Buyer(), lambda: NOW, "key", occasion=Occasion(moment, 1, 1, 1))
    occasion = told_of(context)["occasion"]
    assert isinstance(occasion, dict)
    assert all(f"`{name}`" in guide for name in occasion)
    assert all(f"`{name}`" in guide for name in KINDS)
