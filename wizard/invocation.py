"""How the wizard is called here: the command that a seller can copy into another terminal, and it works there.

A clone is not on the `PATH`, and a data folder may be named by an option. So wherever the program names one of its
commands, it asks this module for it. Only the examples of `--help` are written as after an installation.
"""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

NAME = "wizard"
"""What the program is called where it is installed."""


def command(*words: str) -> str:
    """A command of the wizard as it must be typed in a terminal of this machine: `command("resume", run)`.

    The program stands first: by name where the `PATH` leads to this very one, else by the path of its file. The data
    folder follows if an option named it when the program was called.
    """
    return " ".join([_program(), *_data_dir(sys.argv[1:]), *map(shlex.quote, words)])


def _program() -> str:
    called = Path(sys.argv[0])
    if called.stem != NAME or not called.is_file():
        return NAME  # called from Python, as tests do: there is no file to name
    found = shutil.which(NAME)
    if found is not None and os.path.samefile(found, called):
        return NAME
    # Absolute, since the other terminal may stand in another folder.
    path, home = called.absolute(), Path.home()
    if os.name == "posix" and path.is_relative_to(home):
        return f"~/{shlex.quote(str(path.relative_to(home)))}"
    return shlex.quote(str(path))


def _data_dir(arguments: Sequence[str]) -> Iterator[str]:
    """The option that named the data folder, with a path that is the same from everywhere."""
    option = "--data-dir"
    for at, argument in enumerate(arguments):
        name, equals, value = argument.partition("=")
        if name == option and (equals or at + 1 < len(arguments)):
            folder = value if equals else arguments[at + 1]
            yield from (option, shlex.quote(str(Path(folder).expanduser().absolute())))
            return


def forwarding(port: int, environment: Mapping[str, str]) -> str:
    """What brings a port of this machine to the computer that a seller sits at, where they came by SSH; else empty."""
    # The client's address and port, then the server's (sshd(8)).
    match environment.get("SSH_CONNECTION", "").split():
        case [_, _, server, at]:
            user = environment.get("USER") or environment.get("LOGNAME") or "you"
            other_port = "" if at == "22" else f" -p {at}"
            return f"ssh -L {port}:127.0.0.1:{port}{other_port} {user}@{server}"
    return ""
