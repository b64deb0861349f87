"""The rules of the house that a machine can check."""

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import homefeed

ROOT = Path(__file__).parents[1]
SOURCES = sorted((ROOT / "src").rglob("*.py"))
LONGEST_FILE = 400
PICKLES = {"pickle", "_pickle", "cloudpickle", "dill", "joblib", "shelve", "marshal"}


def test_imports_run_downward_only() -> None:
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    linted = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert linted.returncode == 0, linted.stdout + linted.stderr


def test_there_are_sources() -> None:
    assert len(SOURCES) > 50


def test_files_are_short() -> None:
    lengths = {path.relative_to(ROOT): len(path.read_text(encoding="utf-8").splitlines()) for path in SOURCES}
    assert {path: length for path, length in lengths.items() if length > LONGEST_FILE} == {}


def test_nothing_is_ever_unpickled() -> None:
    found = {path.relative_to(ROOT): unpickling(ast.parse(path.read_text(encoding="utf-8"))) for path in SOURCES}
    assert {path: what for path, what in found.items() if what} == {}


def unpickling(tree: ast.Module) -> list[str]:
    """What in a module could execute what a file holds."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names if alias.name.split(".")[0] in PICKLES]
        elif isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] in PICKLES:
            found.append(node.module)
        elif isinstance(node, ast.keyword) and node.arg == "allow_pickle":
            is_false = isinstance(node.value, ast.Constant) and node.value.value is False
            found += [] if is_false else ["allow_pickle"]
    return found


def test_every_module_says_what_it_is() -> None:
    silent = [path for path in SOURCES if not ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))]
    assert silent == []


def test_the_version_is_that_of_the_project() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert homefeed.__version__ == project["version"]
    assert re.fullmatch(r"\d+\.\d+\.\d+(\.dev\d+|(a|b|rc)\d+)?", homefeed.__version__)
