"""The documents' commands run, and what they are said to print they print.

A fenced block ```console holds commands, `$ command`, gone on with by `> line`, and lines that a command prints,
maybe among others: in that order, `...` standing for anything. Another block is a file if a line with nothing but
its path and a colon stands above it. All commands and files of a document are one session of bash that ends at the
first failure, in an empty folder, with this environment's `homefeed` and a free port for 8000.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[2]
DOCUMENTS: Final = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
MOST_SECONDS: Final = 300

INSTALLED: Final = f"eval \"$('{sys.executable}' '{Path(__file__).with_name('installed.py')}')\""
INSTEAD: Final = {
    r"make setup": (":", "the tests run in what it sets up"),
    r"make demo": (":", "it serves until it is stopped, at a port of its own choice"),
    r"git clone \S+( \S+)?": (":", "the tests run in what it fetches, and without a network"),
    r"pip install -e \.": (INSTALLED, "it needs a network; a stand-in puts package and entry points on the path"),
}
"""What is not run as it stands: the whole command, what runs in its place, and why."""


@dataclass(frozen=True, slots=True)
class Command:
    """A command as a document gives it: the line it stands at, its text, and the lines it is said to print."""

    line: int
    text: str
    shown: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Ran:
    """What a session did: what each command begun printed, and how the last of them ended."""

    printed: tuple[str, ...]
    status: str


def _commands(text: str) -> list[Command]:
    """The commands of a document's console blocks, and those that write its files."""
    found: list[Command] = []
    above = ""
    fence: tuple[int, str, list[str]] | None = None
    for number, line in enumerate(text.splitlines(), 1):
        if fence is not None and line.startswith("```"):
            start, language, lines = fence
            if language == "console":
                found += _prompted(start, lines)
            elif path := re.fullmatch(r"`([\w./-]+)`:", above):
                found.append(_written(start, path[1], lines))
            fence = None
        elif fence is not None:
            fence[2].append(line)
        elif line.startswith("```"):
            fence = number, line.removeprefix("```"), []
        elif line:
            above = line
    assert fence is None, "a fence is not closed"
    return found


def _prompted(start: int, lines: list[str]) -> list[Command]:
    """The commands of a console block that begins after line `start`."""
    found: list[Command] = []
    for number, line in enumerate(lines, start + 1):
        last = found[-1] if found else None
        if line.startswith("$ "):
            found.append(Command(number, line[2:], ()))
            continue
        assert last is not None, f"line {number}: output without a command"
        if not last.shown and (line.startswith("> ") or line == ">"):
            found[-1] = Command(last.line, f"{last.text}\n{line[2:]}", ())
        else:
            found[-1] = Command(last.line, last.text, (*last.shown, line))
    return found


def _written(start: int, path: str, lines: list[str]) -> Command:
    content = "\n".join(lines)
    return Command(
        start, f"mkdir -p \"$(dirname {path})\"; cat > {path} <<'END OF FILE'\n{content}\nEND OF FILE", ()
    )


def _missing(shown: tuple[str, ...], printed: str) -> str | None:
    """The first line shown that is not among those printed after the ones before it."""
    rest = iter([line.strip() for line in printed.splitlines()])
    for line in shown:
        pattern = ".*".join(map(re.escape, line.strip().split("...")))
        if line.strip() not in {"", "..."} and not any(re.fullmatch(pattern, real) for real in rest):
            return line
    return None


def _script(commands: list[Command], folder: Path) -> str:
    """Bash that runs the commands, each one's output going to a file of its own."""
    lines = ["set -euo pipefail"]
    for number, command in enumerate(commands):
        stand_ins = [instead for whole, (instead, _) in INSTEAD.items() if re.fullmatch(whole, command.text)]
        text = stand_ins[0] if stand_ins else command.text
        lines += [f"{{\n{text}\n}} > '{folder}/{number}' 2>&1"]
    return "\n".join(lines) + "\n"


def _run(commands: list[Command], folder: Path) -> Ran:
    """Run the commands, and end whatever they left running."""
    work, output = folder / "work", folder / "output"
    work.mkdir()
    output.mkdir()
    ours = {name: value for name, value in os.environ.items() if not name.startswith(("HOMEFEED_", "PYTEST_"))}
    ours |= {
        "PATH": f"{Path(sys.executable).parent}:{ours['PATH']}",
        "HOME": str(work),
        "COLUMNS": "100",
        "NO_COLOR": "1",
        "OMP_NUM_THREADS": "1",
        "PYTHONWARNINGS": "error",
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
    }
    with (folder / "complaint").open("wb") as complaint:
        session = subprocess.Popen(
            ["bash", "-c", _script(commands, output)],
            cwd=work,
            env=ours,
            stdin=subprocess.DEVNULL,
            stdout=complaint,
            stderr=complaint,
            start_new_session=True,
        )
    try:
        status = f"status {session.wait(MOST_SECONDS)}"
    except subprocess.TimeoutExpired:
        status = f"no status after {MOST_SECONDS} s"
    finally:
        with suppress(ProcessLookupError):
            os.killpg(session.pid, signal.SIGKILL)
        session.wait()
    files = sorted(output.iterdir(), key=lambda path: int(path.name))
    printed = [path.read_text(encoding="utf-8") for path in files]
    assert printed, f"bash cannot read the commands: {(folder / 'complaint').read_text(encoding='utf-8')}"
    return Ran(tuple(printed), status)


def _check(text: str, folder: Path, name: str) -> None:
    """Run a document and assert that all is as it says."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    text = re.sub(r"(?<=127\.0\.0\.1:)8000\b|(?<=port )8000\b|(?<=PORT=)8000\b", str(port), text)
    commands = [Command(0, f"export HOMEFEED_PORT={port}", ()), *_commands(text)]
    ran = _run(commands, folder)
    last = commands[len(ran.printed) - 1]
    problem = f"{name}:{last.line}: ended with {ran.status}\n$ {last.text}\n{ran.printed[-1]}"
    assert ran.status == "status 0", problem
    for command, printed in zip(commands, ran.printed, strict=True):
        missing = _missing(command.shown, printed)
        assert missing is None, f"{name}:{command.line}: not printed: {missing}\n$ {command.text}\n{printed}"


@pytest.mark.slow
@pytest.mark.parametrize(
    "document",
    [path for path in DOCUMENTS if _commands(path.read_text(encoding="utf-8"))],
    ids=lambda path: str(path.relative_to(ROOT)),
)
def test_every_command_does_what_its_document_says(document: Path, tmp_path: Path) -> None:
    if shutil.which("curl") is None and "curl " in document.read_text(encoding="utf-8"):
        pytest.skip("there is no curl here")
    _check(document.read_text(encoding="utf-8"), tmp_path, document.name)


def _document(*lines: str) -> str:
    return "\n".join(["```console", *lines, "```", ""])


def test_a_session_keeps_its_variables_and_folder_and_takes_heredocs(tmp_path: Path) -> None:
    text = _document(
        "$ mkdir here && cd here", "$ word=told", "$ cat > said <<END", "> $word", ">", "> x", "> END"
    )
    text += "Words between, and `code`.\n\n" + _document("$ cat ../here/said", "told", "...", "x")
    _check(text, tmp_path, "it")


def test_a_block_under_a_path_is_a_file(tmp_path: Path) -> None:
    text = "`a/b.py`:\n\n```python\nprint('$x')\n```\n\nAnd:\n\n```python\nno\n```\n" + _document(
        "$ python a/b.py", "$x"
    )
    _check(text, tmp_path, "it")


def test_what_is_not_printed_is_found(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match=r"it:2: not printed: one and 3"):
        _check(_document("$ echo one and two", "one and 3"), tmp_path, "it")


def test_lines_are_compared_whole_and_in_order() -> None:
    assert _missing(("a ... d", "...", "e"), "x\na b c d\ny\n  e\n") is None
    assert _missing(("a b",), "a b c\n") == "a b"
    assert _missing(("b", "a"), "a\nb\n") == "a"


def test_a_failing_command_is_found(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match=r"it:3: ended with status 3"):
        _check(_document("$ true", "$ sh -c 'exit 3' | cat", "$ true"), tmp_path, "it")


def test_a_process_left_running_is_ended(tmp_path: Path) -> None:
    _check(_document("$ while echo here; do sleep 0.01; done & sleep 0.1"), tmp_path, "it")
    printed = tmp_path / "output" / "1"
    size = printed.stat().st_size
    time.sleep(0.1)
    assert printed.stat().st_size == size > 0
