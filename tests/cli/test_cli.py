"""The command line: what each command prints, as text and as JSON, and the status it exits with."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from models.characters import visible
from models.events import Verdict
from tests.support.hostile import LEGITIMATE
from wizard import cli
from wizard.cli import app_options, main
from wizard.cli.program import program, run
from wizard.sale.lives import LIVES
from wizard.sample import DOCUMENT, fill
from wizard.sandbox import drills
from wizard.settings import load
from wizard.store import open_store

COMMANDS = {
    *("apply", "backends", "check", "connections", "demo-mode", "export", "fire", "keys", "live", "products"),
    *("publish", "resume", "run", "runs", "sandbox", "scenario", "schema", "show", "unpublish"),
}


@pytest.fixture(scope="session")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with the sample in it, made once."""
    folder = tmp_path_factory.mktemp("sample")
    with open_store(load(data_dir=folder)) as store:
        fill(store)
    return folder


@pytest.fixture
def sample(filled: Path, data_dir: Path) -> None:
    shutil.copytree(filled, data_dir)


def printed(capsys: pytest.CaptureFixture[str], *arguments: str, status: int = 0) -> str:
    assert main(arguments) == status, capsys.readouterr().err
    return capsys.readouterr().out


def as_json(capsys: pytest.CaptureFixture[str], *arguments: str, status: int = 0) -> Any:
    return json.loads(printed(capsys, *arguments, "--json", status=status))


def complaint(capsys: pytest.CaptureFixture[str], *arguments: str, status: int) -> str:
    """What is said on standard error; on standard output nothing is."""
    assert main(arguments) == status
    captured = capsys.readouterr()
    assert captured.out == ""
    return captured.err


# --- the shapes of `--json` ------------------------------------------------------------------------------------------


def test_products(sample: None, capsys: pytest.CaptureFixture[str]) -> None:
    found = as_json(capsys, "products")

    assert [row["product"] for row in found["products"]] == [
        *("coaching-hour", "cork-mat", "breathing-evening", "morning-yoga-workbook", "studio-season", "summer-retreat"),
        "yoga-masterclass",
    ]
    assert found["products"][1] == {
        "product": "cork-mat",
        "name": "Cork Mat",
        "mode": "demo",
        "published": False,
        "access": "no_access_page",
        "complete": True,
        "revision": 1,
    }


def test_show(sample: None, capsys: pytest.CaptureFixture[str]) -> None:
    found = as_json(capsys, "show", "summer-retreat")

    assert [step["step"] for step in found["steps"]][:2] == ["general", "pricing"]
    [pricing, _] = found["steps"][1]["modules"]
    assert pricing["module"] == "pricing.product_pricing"
    assert [missing["field"] for missing in pricing["missing"]] == ["pricing.prices"]
    assert "add a price point" in printed(capsys, "show", "summer-retreat")


def test_apply_says_what_changes_and_a_dry_run_changes_nothing(
    data_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    dry = as_json(capsys, "apply", str(DOCUMENT), "--dry-run")
    assert as_json(capsys, "products") == {"products": []}

    assert as_json(capsys, "apply", str(DOCUMENT)) == dry
    again = as_json(capsys, "apply", str(DOCUMENT))

    assert set(dry) == {"changes"}
    assert set(dry["changes"][0]) == {"object", "name", "change", "fields", "warnings"}
    assert {change["change"] for change in dry["changes"]} == {"created"}
    assert {change["change"] for change in again["changes"]} == {"unchanged"}


def test_apply_warns_of_variables_that_nobody_fills(
    data_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    document = tmp_path / "mat.yaml"
    mails = "{order_confirmation: {subject: Hi, body: 'Dear {first_name}'}}"
    document.write_text(
        f"wizard: 1\nproducts:\n  - general: {{name: Mat}}\n    post_sale: {{notifications: {mails}}}\n"
    )
    message = "Order confirmation to buyer: buyers would read {first_name} as it stands; write {buyer_name}."

    [change] = as_json(capsys, "apply", str(document))["changes"]
    assert (change["change"], change["warnings"]) == (
        "created",
        [{"field": "post_sale.notifications.order_confirmation.body", "message": message}],
    )
    assert main(["apply", str(document)]) == 0
    captured = capsys.readouterr()
    assert captured.out == "= product mat unchanged\n"
    assert captured.err == f"! mat cannot go live with this: {message}\n"
    assert message in printed(capsys, "check", "mat", status=1)


def test_check(sample: None, capsys: pytest.CaptureFixture[str]) -> None:
    good = as_json(capsys, "check", "cork-mat")
    bad = as_json(capsys, "check", "summer-retreat", status=1)

    assert (good["product"], good["ok"]) == ("cork-mat", True)
    assert not bad["ok"]
    assert bad["findings"][0] == {
        "rule": "PF-01",
        "level": "error",
        "field": "pricing.prices",
        "message": bad["findings"][0]["message"],
    }


def test_fire_runs_and_run(sample: None, capsys: pytest.CaptureFixture[str]) -> None:
    fired = as_json(capsys, "fire", "coaching-hour")

    assert set(fired) == {"run", "product", "event", "backend", "buyer", "verdict", "reason", "steps", "page"}
    assert (fired["event"], fired["backend"], fired["verdict"]) == ("purchase", "sandbox", "passed")
    assert set(fired["steps"][0]) == {"action", "target", "status", "attempts", "ms", "detail", "evidence"}
    assert fired["steps"][0]["evidence"]["proven_by"] == "buyer"
    assert fired["page"]["source"] == "calendar"
    assert fired["page"]["text"].startswith("You are booked.")
    assert as_json(capsys, "run", fired["run"]) == fired
    [row] = as_json(capsys, "runs", "coaching-hour")["runs"]
    assert (row["run"], row["product"], row["verdict"]) == (fired["run"], "coaching-hour", "passed")
    assert as_json(capsys, "runs", "cork-mat") == {"runs": []}
    assert "PF-13" not in printed(capsys, "check", "coaching-hour")


def test_fire_prints_each_step_and_the_verdict(sample: None, capsys: pytest.CaptureFixture[str]) -> None:
    lines = printed(capsys, "fire", "morning-yoga-workbook", "--event", "refund").splitlines()

    assert any(line.strip().startswith("1 Make the download link: workbook.pdf: passed") for line in lines)
    assert any("Stop the download link: passed" in line for line in lines)
    assert any(line.startswith("Passed: ") for line in lines)


def test_a_proof_says_each_moment_and_ends_with_what_was_proven(
    sample: None, capsys: pytest.CaptureFixture[str]
) -> None:
    said = printed(capsys, "fire", "coaching-hour", "--prove")

    assert "UTC – The same purchase arrives again" in said
    assert "UTC – Access is taken away" in said
    assert "Passed: The buyer was let in, nothing happened twice" in said
    proven = as_json(capsys, "runs")["runs"][0]
    assert (proven["life"], proven["verdict"]) == ("prove", "passed")
    told = as_json(capsys, "run", proven["run"])
    assert told["life"] == "prove"
    assert [moment["title"] for moment in told["moments"]][-1] == "Clean up"
    assert {step["moment"] for step in told["steps"]} == {1, 2, 3, 4, 5}
    assert "Proof of coaching-hour" in printed(capsys, "run", proven["run"])


def test_a_proof_of_an_event_is_refused(sample: None, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["fire", "coaching-hour", "--prove", "--event", "refund"]) == 2
    assert "leave --event away" in capsys.readouterr().err


def test_a_drill_ends_as_the_fault_says_and_is_kept_as_one(sample: None, capsys: pytest.CaptureFixture[str]) -> None:
    drilled = as_json(capsys, "fire", "coaching-hour", "--fault", "error_inside")

    noticed = {"fault": "error_inside", "noticed": True, "ended": "failed", "must_end": "failed"}
    assert (drilled["fault"], drilled["verdict"], drilled["drill"]) == ("error_inside", "passed", noticed)
    assert "with an error inside" in drilled["reason"]
    assert re.search(r"purchase, drill: error_inside +sandbox +drill: noticed", printed(capsys, "runs"))
    assert (as_json(capsys, "runs")["runs"][0]["verdict"], as_json(capsys, "runs")["runs"][0]["drill"]) == (
        "passed", noticed,
    )  # fmt: skip
    assert "Drill: noticed. The run failed, as it must: Step 1" in printed(capsys, "run", drilled["run"])
    assert "drill" not in as_json(capsys, "fire", "coaching-hour")
    slow = as_json(capsys, "fire", "cork-mat", "--fault", "slow")
    assert (slow["verdict"], slow["drill"]["noticed"], slow["drill"]["ended"]) == ("passed", True, "passed")
    assert "PF-13" in printed(capsys, "check", "cork-mat"), "a drill that passes is no test-fire that passed"


def test_a_step_that_waits_says_for_how_long_while_it_does(sample: None, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fire", "cork-mat", "--fault", "rate_limited"]) == 0
    said = capsys.readouterr()
    waits = " 2 The sandbox answered 429: too many requests. Try 2 of 5, gives up in 60 s.\n"

    assert said.err.count(waits) == 1
    assert "Try 2" not in said.out

    assert main(["fire", "cork-mat", "--fault", "rate_limited", "--json"]) == 0
    assert capsys.readouterr().err == ""


def test_a_drill_that_could_show_nothing_is_refused_with_what_to_choose(
    sample: None, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["fire", "yoga-masterclass", "--fault", "lies_about_revoking"]) == 2
    assert capsys.readouterr().err == (
        "--fault: “Lies about revoking” can show nothing here: nothing is taken away. Choose it with Refund, "
        "Chargeback or Proof.\n"
    )
    assert main(["fire", "cork-mat", "--fault", "lies_about_revoking", "--event", "refund"]) == 2
    assert "this product gives nothing that is taken away" in capsys.readouterr().err
    assert as_json(capsys, "runs")["runs"] == []


def test_a_drill_that_is_not_noticed_is_status_1(
    sample: None, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # A sandbox that does not do as it was told.
    monkeypatch.setattr(drills, "fault_of", lambda request: None)
    drilled = as_json(capsys, "fire", "coaching-hour", "--fault", "html", status=1)

    assert (drilled["verdict"], drilled["drill"]["noticed"], drilled["drill"]["ended"]) == ("failed", False, "passed")
    assert "Drill: not noticed. The run passed, and must not: " in printed(capsys, "run", drilled["run"])
    assert "drill: not noticed" in printed(capsys, "runs")


def test_a_product_whose_last_try_failed_does_not_go_live(sample: None, capsys: pytest.CaptureFixture[str]) -> None:
    fired = as_json(capsys, "fire", "cork-mat", "--prove")
    assert fired["verdict"] == "passed"
    with open_store(load()) as store:
        store.close_run(
            fired["run"], verdict=Verdict.FAILED, reason="No mail arrived.", finished_at=datetime.now(UTC), page=None
        )

    found = as_json(capsys, "check", "cork-mat", status=1)

    [told] = [finding for finding in found["findings"] if finding["rule"] == "PF-13"]
    assert (told["level"], found["ok"]) == ("error", False)
    assert re.fullmatch(
        r"Proof was tried on \d+ \w+ \d{4} at \d\d:\d\d and failed: No mail arrived. Put that right, then "
        r"test-fire again.",
        told["message"],
    )
    assert told["message"] in printed(capsys, "live", "cork-mat", status=1)
    assert as_json(capsys, "fire", "cork-mat")["verdict"] == "passed"
    assert "PF-13" not in printed(capsys, "check", "cork-mat")


def test_scenarios_are_listed_with_the_reason_why_one_cannot_be_had(
    sample: None, capsys: pytest.CaptureFixture[str]
) -> None:
    listed = {one["scenario"]: one for one in as_json(capsys, "scenario", "coaching-hour", "--list")["scenarios"]}

    assert set(listed) == set(LIVES)
    assert listed["refunds"]["not_possible"] == ""
    assert "paid once" in listed["trial_fails"]["not_possible"]
    assert printed(capsys, "scenario", "coaching-hour").startswith("one_time_purchase")


def test_a_scenario_is_gone_through(sample: None, capsys: pytest.CaptureFixture[str]) -> None:
    said = printed(capsys, "scenario", "studio-season", "failed_payments")

    assert "UTC – Payment failed, try 4 of 4 (day 9)" in said
    assert "Passed: At each of 5 moments the buyer held what they should." in said


def test_a_scenario_that_there_is_not_or_that_does_not_fit_is_refused(
    sample: None, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["scenario", "coaching-hour", "lottery"]) == 2
    assert "There are one_time_purchase, " in capsys.readouterr().err
    assert run(["scenario", "coaching-hour", "trial_fails"]) == 1
    assert "pricing.prices.0.type: This price is paid once" in capsys.readouterr().err


def test_the_switches(sample: None, capsys: pytest.CaptureFixture[str]) -> None:
    assert as_json(capsys, "publish", "cork-mat")["published"] is True
    assert as_json(capsys, "live", "cork-mat") == {
        "product": "cork-mat",
        "mode": "live",
        "published": True,
        "revision": 3,
    }
    assert as_json(capsys, "live", "cork-mat")["revision"] == 3
    assert as_json(capsys, "demo-mode", "cork-mat")["mode"] == "demo"
    assert as_json(capsys, "unpublish", "cork-mat")["published"] is False


def test_live_is_refused_while_an_error_stands_and_lists_it(sample: None, capsys: pytest.CaptureFixture[str]) -> None:
    refused = as_json(capsys, "live", "summer-retreat", status=1)

    assert {finding["level"] for finding in refused["findings"]} == {"error"}
    assert as_json(capsys, "show", "summer-retreat")["mode"] == "demo"


def test_backends_and_the_check_of_a_connection(sample: None, capsys: pytest.CaptureFixture[str]) -> None:
    [sandbox, *_] = [one for one in as_json(capsys, "backends")["backends"] if one["backend"] == "sandbox"]
    checked = as_json(capsys, "connections", "check", "studio")

    assert sandbox["ok"] is True
    assert (checked["connection"], checked["ok"]) == ("studio", True)
    listed = {one["connection"]: one for one in as_json(capsys, "connections")["connections"]}
    assert (listed["studio"]["kind"], listed["studio"]["check"]["ok"]) == ("sandbox", True)
    assert re.search(r"^studio +.+ +sandbox +works, \d{4}-", printed(capsys, "connections"), re.MULTILINE)
    found = as_json(capsys, "check", "studio-season", status=1)["findings"]
    assert [each["rule"] for each in found if each["level"] == "error"] == ["PF-17"], "it is played, and works"


def test_a_connection_that_cannot_give_what_a_product_gives_does_not_work(
    sample: None, data_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with open_store(load(data_dir=data_dir)) as store:
        store.record_check("studio", True, "It answers.", datetime.now(UTC), {"gold": "It has no tier “gold”."})

    listed = {one["connection"]: one for one in as_json(capsys, "connections")["connections"]}
    assert (listed["studio"]["check"]["ok"], listed["studio"]["check"]["works"]) == (True, False)
    assert re.search(r"^studio +.+ +sandbox +does not work, ", printed(capsys, "connections"), re.MULTILINE)


def test_schema(data_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = as_json(capsys, "schema")

    assert found["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert json.loads(printed(capsys, "schema")) == found


def test_export_to_standard_output_says_on_the_other_stream_what_is_not_included(
    sample: None, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["export", "morning-yoga-workbook"]) == 0
    captured = capsys.readouterr()

    assert captured.out.startswith("wizard: 1\n")
    assert captured.err.startswith("Not included: workbook.pdf.")


def test_export_to_a_file_brings_its_files_and_applies_on_an_empty_data_folder(
    sample: None, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "out" / "workbook.yaml"
    target.parent.mkdir()
    printed(capsys, "export", "morning-yoga-workbook", "-o", str(target))
    before = as_json(capsys, "export", "morning-yoga-workbook")["document"]

    monkeypatch.setenv("WIZARD_DATA_DIR", str(tmp_path / "empty"))
    printed(capsys, "apply", str(target))

    assert (target.parent / "workbook.pdf").read_bytes() == DOCUMENT.with_name("workbook.pdf").read_bytes()
    assert target.read_text(encoding="utf-8") == before
    assert as_json(capsys, "export", "morning-yoga-workbook")["document"] == before
    assert as_json(capsys, "check", "morning-yoga-workbook")["ok"] is True


def test_a_file_that_changed_in_its_place_is_added_again(
    data_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    book, document = tmp_path / "book.txt", tmp_path / "book.yaml"
    document.write_text("wizard: 1\naccount:\n  files: [{slug: book, name: Book, path: book.txt}]\n")
    changes = []
    for text in ("first edition", "second edition", "second edition"):
        book.write_text(text)
        changes.append(as_json(capsys, "apply", str(document))["changes"][0]["change"])

    assert changes == ["created", "updated", "unchanged"]
    with open_store(load()) as store:
        assert store.open_file("book").read_text() == "second edition"


# --- what goes wrong --------------------------------------------------------------------------------------------------

WRONG = {
    "a command that is none": (["prodcts"], 2, "prodcts"),
    "an option that is none": (["products", "--jsn"], 2, "--jsn"),
    "an argument that is missing": (["show"], 2, "PRODUCT"),
    "a theme without a name": (["--theme"], 2, "--theme"),
    "a product that is none": (["show", "cork-matt"], 2, "Did you mean cork-mat?"),
    "a price that is none": (["fire", "cork-mat", "--price", "2"], 2, "There is no price 2"),
    "a price of 0": (["fire", "cork-mat", "--price", "0"], 2, "--price"),
    "an event that is none": (["fire", "cork-mat", "--event", "refnd"], 2, "refnd"),
    "a backend that is none": (["fire", "cork-mat", "--backend", "none"], 2, "Installed are: "),
    "an address that is none": (["fire", "cork-mat", "--buyer", "nobody"], 2, "--buyer: not an e-mail address"),
    "a product that cannot be sold": (["fire", "summer-retreat"], 1, "pricing.prices: Add a price point"),
    "a run that is none": (["run", "0000"], 2, "There is no run"),
    "a connection that is none": (["connections", "check", "x"], 2, "You have studio."),
    "a document that is not there": (["apply", "no.yaml"], 2, "no.yaml:1: there is no such file"),
    "a folder that is not there": (["export", "cork-mat", "-o", "no/where.yaml"], 3, "no"),
}


@pytest.mark.parametrize("case", WRONG)
def test_it_is_one_clear_message_and_a_status(case: str, sample: None, capsys: pytest.CaptureFixture[str]) -> None:
    arguments, status, expected = WRONG[case]

    message = complaint(capsys, *arguments, status=status)

    assert expected in message
    assert "Traceback" not in message
    assert len(message.splitlines()) == 1


def test_a_setting_that_is_wrong_is_named(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WIZARD_DATABASE_URL", "mysql://example.com")

    assert "WIZARD_DATABASE_URL" in complaint(capsys, "products", status=2)


def test_a_database_that_is_none_is_something_outside(data_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    open_store(load()).close()
    for file in data_dir.glob("*.db*"):
        file.write_bytes(b"not a database" * 100)

    assert complaint(capsys, "products", status=3)


def test_interrupted_by_the_user(
    sample: None, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("wizard.preflight.inspect", interrupted)

    assert main(["check", "cork-mat"]) == 130


@pytest.mark.parametrize("case", LEGITIMATE)
def test_what_sellers_write_is_shown_as_it_is(case: str, data_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    name = LEGITIMATE[case][:120]
    with open_store(load()) as store:
        stored = store.create(name, "seller").answers.general.name

    text = printed(capsys, "products")

    assert stored is not None
    assert stored in text
    assert as_json(capsys, "products")["products"][0]["name"] == stored
    assert "\x1b" not in text


# --- help and start-up ------------------------------------------------------------------------------------------------


def test_every_command_of_the_specification_is_offered_and_no_other() -> None:
    named = {info.name or info.callback.__name__ for info in program.registered_commands if info.callback}

    assert named | {str(group.name) for group in program.registered_groups} == COMMANDS


@pytest.mark.parametrize(
    "command", [*([name] for name in sorted(COMMANDS)), ["connections", "check"], ["keys", "rotate"], []]
)
def test_help_ends_with_an_example_that_the_command_understands(
    command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([*command, "--help"]) == 0

    last = capsys.readouterr().out.strip().splitlines()[-1].strip()
    assert last.startswith(f"Example: wizard {' '.join(command)}".strip())
    assert visible(last) == last


def test_the_app_is_opened_without_a_command(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[tuple[str | None, str | None]] = []
    monkeypatch.setattr(cli, "is_terminal", lambda: True)

    def open_app(data_dir: str | None, theme: str | None) -> int:
        opened.append((data_dir, theme))
        return 0

    monkeypatch.setattr(cli, "open_app", open_app)

    assert main([]) == 0
    assert main(["--theme", "dracula", "--data-dir=/somewhere"]) == 0

    assert opened == [(None, None), ("/somewhere", "dracula")]


@pytest.mark.parametrize("arguments", [["products"], ["--plain"], ["--help"], ["--theme"], ["--theme", "x", "show"]])
def test_the_short_way_is_for_the_app_alone(arguments: list[str]) -> None:
    assert app_options(arguments) is None


def wizard(*arguments: str, stdin: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", "import sys; from wizard.cli import main; sys.exit(main())", *arguments],
        input=stdin,
        env=os.environ | environment,
        text=True,
        encoding="utf-8",
        capture_output=True,
        timeout=120,
        check=False,
    )


def test_without_a_terminal_it_asks_line_by_line_and_says_so(data_dir: Path) -> None:
    found = wizard(stdin="n\nYoga\n:q\n")

    assert found.returncode == 0, found.stderr
    assert found.stderr.startswith("This is not a terminal")
    assert found.stdout.endswith("Saved. Until next time.\n")
    assert json.loads(wizard("products", "--json").stdout)["products"][0]["product"] == "yoga"


def test_a_reader_that_has_seen_enough_is_no_error(sample: None) -> None:
    command = f'"{sys.executable}" -c "import sys; from wizard.cli import main; sys.exit(main())" schema'

    found = subprocess.run(
        ["bash", "-c", f"{command} | head -c 1; exit ${{PIPESTATUS[0]}}"],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert (found.returncode, found.stderr) == (0, "")


def test_an_output_without_unicode_is_no_error(sample: None) -> None:
    found = wizard("show", "cork-mat", PYTHONIOENCODING="ascii")

    assert found.returncode == 0, found.stderr
    assert "Cork Mat" in found.stdout


def test_the_way_to_the_app_imports_nothing_heavy() -> None:
    heavy = {"typer", "rich", "sqlalchemy", "sqlmodel", "alembic", "httpx", "starlette", "ruamel", "textual"}
    script = (
        "import sys, wizard.cli as cli; cli.is_terminal = lambda: True; cli.open_app = lambda *_: 0; cli.main([]);"
        "print(*{name.partition('.')[0] for name in sys.modules})"
    )

    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120, check=True)

    assert heavy.isdisjoint(found.stdout.split())


@pytest.mark.parametrize(
    ("arguments", "told", "leads_to"),
    [
        (["fire", "coaching-hour", "--event", "bought"], "'--event': 'bought' is not one of", "fire --help"),
        (["fire", "coaching-hour", "--price", "0"], "greater than or equal to 1. See:", "fire --help"),
        (["connections", "check"], "Missing argument 'NAME'. See:", "connections check --help"),
        (["fly"], "No such command 'fly'. See:", "wizard --help"),
    ],
)
def test_a_wrong_command_is_told_in_a_sentence_with_the_way_to_its_own_help(
    arguments: list[str], told: str, leads_to: str, sample: None, capsys: pytest.CaptureFixture[str]
) -> None:
    said = complaint(capsys, *arguments, status=2)

    assert told in said
    assert "Value error" not in said
    assert said.rstrip().endswith(leads_to)
