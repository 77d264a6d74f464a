"""`wizard sandbox`: the command that serves the buyer's side, and how it begins and ends."""

from __future__ import annotations

import json
import logging
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from models.events import Verdict
from tests.support.served import served
from tests.support.shop import CHEAP, DAMAGED, small_world, sold, workbook
from wizard.cli import main
from wizard.runs.fire import Workplace, fire
from wizard.sample import fill
from wizard.sandbox.serving import listening_on
from wizard.sandbox.world import HOME, World
from wizard.settings import Settings
from wizard.store import open_store

ROOT = Path(__file__).parents[2]
COMMAND = "import sys; from wizard.cli import main; sys.exit(main())"


@contextmanager
def wizard_sandbox(*options: str) -> Iterator[subprocess.Popen[str]]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", COMMAND, "sandbox", *options]
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
        # A shell gives what it starts in the background a SIGINT that is ignored, and that is handed on.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    ) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()


def read_document(process: subprocess.Popen[str]) -> dict[str, str]:
    """The one document that is printed when the sandbox is ready."""
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line)
        if line.rstrip() == "}":
            return dict(json.loads("".join(lines)))
    raise AssertionError(process.stderr and process.stderr.read())


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_it_says_where_it_is_ready_and_ends_cleanly(number: signal.Signals, status: int, data_dir: Path):
    with wizard_sandbox("--port", "0", "--json") as process:
        document = read_document(process)
        page = httpx.get(document["address"], trust_env=False)
        during = World(data_dir, hasher=CHEAP)
        home = during.home
        process.send_signal(number)
        out, err = process.communicate(timeout=20)

    assert document["data_dir"] == str(data_dir)
    assert "The buyer's side" in page.text
    assert home == document["address"]
    assert (out, err, process.returncode) == ("", "", status)
    assert during.home == HOME
    during.close()


def test_without_json_it_prints_the_address_to_open():
    with wizard_sandbox("--port", "0") as process:
        assert process.stdout is not None
        first = process.stdout.readline()
        found = re.fullmatch(r"The buyer's side: (http://127\.0\.0\.1:\d+)\n", first)
        assert found, first
        assert httpx.get(found[1], trust_env=False).status_code == 200
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 130


def test_over_ssh_it_says_how_to_reach_it_from_ones_own_machine(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SSH_CONNECTION", "203.0.113.7 50122 198.51.100.4 22")
    monkeypatch.setenv("LOGNAME", "maria")
    with wizard_sandbox("--port", "0") as process:
        assert process.stdout is not None
        address, nobody_else, here, way = (process.stdout.readline().strip() for _ in range(4))
        process.send_signal(signal.SIGINT)
        process.wait(20)

    port = address.rpartition(":")[2]
    assert nobody_else == "Open it in a browser on this machine; nobody else can. Ctrl+C ends it."
    assert here.startswith("You are here by SSH: on your own machine, run the next line")
    assert way == f"ssh -L {port}:127.0.0.1:{port} maria@198.51.100.4"


def test_the_first_page_says_of_each_run_what_was_fired_and_how_it_ended(data_dir: Path):
    with open_store(Settings(data_dir=data_dir)) as store:
        fill(store)
    assert main(["fire", "cork-mat"]) == 0
    assert main(["fire", "coaching-hour", "--prove"]) == 0
    with wizard_sandbox("--port", "0", "--json") as process:
        address = read_document(process)["address"]
        page = httpx.get(address, trust_env=False).text
        ada = re.search(r'href="(/runs/\w+)">Purchase: cork-mat</a> <small>Passed · ada\.\w+@example\.com', page)
        assert ada, page
        run = httpx.get(f"{address}{ada[1]}", trust_env=False).text
        process.send_signal(signal.SIGINT)
        process.wait(20)

    assert ": Purchase of cork-mat, passed</p>" in run


def test_a_port_that_is_taken_is_told_with_the_way_out(capsys: pytest.CaptureFixture[str]):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main(["sandbox", "--port", str(port)]) == 3

    said = capsys.readouterr()
    assert said.out == ""
    assert said.err == (
        f"Port {port} is taken: is a sandbox being served already? "
        "Choose another with --port, or any that is free: --port 0.\n"
    )


def test_a_damaged_database_is_told_in_a_sentence(data_dir: Path, capsys: pytest.CaptureFixture[str]):
    data_dir.mkdir()
    (data_dir / "sandbox.sqlite").write_bytes(DAMAGED)

    assert main(["sandbox", "--port", "0"]) == 3
    assert "cannot be used" in capsys.readouterr().err


@pytest.mark.parametrize("port", ["-1", "65536", "eight"])
def test_a_port_that_is_none_is_refused(port: str, capsys: pytest.CaptureFixture[str]):
    assert main(["sandbox", f"--port={port}"]) == 2
    assert "--port" in capsys.readouterr().err


async def test_a_run_in_another_process_writes_the_address_where_it_is_served(data_dir: Path):
    with wizard_sandbox("--port", "0", "--json") as process:
        address = read_document(process)["address"]
        run = await fire(sold("file"), at=Workplace(data_dir, path_of_file=lambda slug: workbook(data_dir)))
        async with httpx.AsyncClient(base_url=address, trust_env=False) as person:
            listing = await person.get("/mailbox", params={"to": run.buyer.email})
            numbers = re.findall(r'href="/mailbox/(\d+)"', listing.text)
            mails = [(await person.get(f"/mailbox/{number}")).text for number in numbers]
            (link,) = {found for mail in mails for found in re.findall(r'href="([^"]*/d/[^"]*)"', mail)}
            got = await person.get(link)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)

    assert run.verdict is Verdict.PASSED, run.reason
    assert link.startswith(f"{address}/d/")
    assert got.content == workbook(data_dir).read_bytes()
    assert (out, err) == ("", "")


def test_no_log_line_holds_the_token_of_a_link(caplog: pytest.LogCaptureFixture):
    app = small_world()
    with caplog.at_level(logging.DEBUG), served(app) as home:
        for path in ("/d/a-secret-token", "/platform/my-site/sign-in?token=a-secret-token"):
            httpx.get(home + path, trust_env=False)
    app.state.world.close()

    said = [record for record in caplog.records if record.name.startswith("uvicorn")]
    assert said, "the server said nothing at all: is it heard?"
    assert "a-secret-token" not in " ".join(record.getMessage() for record in said)


def test_it_listens_on_loopback_alone():
    with wizard_sandbox("--port", "0", "--json") as process:
        port = int(read_document(process)["address"].rpartition(":")[2])
        listening = Path("/proc/net/tcp").read_text() if Path("/proc/net/tcp").exists() else ""
        process.send_signal(signal.SIGINT)
        process.wait(20)

    if not listening:
        pytest.skip("this system does not tell who listens where")
    mine = [line.split()[1] for line in listening.splitlines() if line.split()[1].endswith(f":{port:04X}")]
    assert {address.partition(":")[0] for address in mine} == {"0100007F"}


def test_no_reply_waits_for_an_acknowledgement():
    with listening_on(0) as listening, socket.create_connection(listening.getsockname()) as _:
        connection, _ = listening.accept()
        with connection:
            assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
