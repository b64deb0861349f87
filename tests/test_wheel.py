"""The wheel works where there is no checkout: in an environment of its own, with nothing else of this folder."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

import homefeed

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "homefeed"
WHAT_IT_BRINGS = """
import asyncio, sys
import homefeed
from homefeed.apps import built_in, find_recipe
from homefeed.dashboard.pages import _assets, _page
from homefeed.maps.projection import land
from homefeed.store import open_store

async def migrated():
    async with open_store("sqlite:///new.db"):
        pass

assert homefeed.__file__.startswith(sys.prefix), homefeed.__file__
assert len(_assets()) > 10 and _page("dashboard.html").content
assert len(land()) > 100
assert [find_recipe(name).app for name in built_in()]
asyncio.run(migrated())
print("complete")
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built without a network."""
    folder = tmp_path_factory.mktemp("wheel")
    options = ["--quiet", "--no-deps", "--no-index", "--no-build-isolation", "--wheel-dir", str(folder)]
    subprocess.run([sys.executable, "-m", "pip", "wheel", *options, str(ROOT)], check=True)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path) -> Path:
    """The folder of an environment with the wheel, and with the dependencies of the one that tests run in."""
    folder = wheel.parent / "venv"
    venv.create(folder, with_pip=False, symlinks=True)
    options = ["--quiet", "--no-deps", "--no-index"]
    pip = [sys.executable, "-m", "pip", "--python", str(folder / "bin" / "python")]
    subprocess.run([*pip, "install", *options, str(wheel)], check=True)
    (site,) = (folder / "lib").glob("python*/site-packages")
    # The .pth files of a folder that is named in one are not read: the checkout stays out.
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return folder


def ran(installed: Path, folder: Path, *command: str) -> str:
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("HOMEFEED_", "PYTHON"))
    }
    environment |= {"HOMEFEED_HOME": str(folder / "data"), "COLUMNS": "200"}
    first, *rest = command
    done = subprocess.run(
        [installed / "bin" / first, *rest],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_all_files_of_the_package_are_in_it(wheel: Path) -> None:
    files = {path.relative_to(SOURCE.parent).as_posix() for path in SOURCE.rglob("*") if path.is_file()}
    wanted = {file for file in files if "__pycache__" not in file}
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    assert wanted - names == set()
    assert {"homefeed/samples/NOTICE", "homefeed/maps/land.json", "homefeed/apps/live/recipe.toml"} <= names
    assert [name for name in names if name.endswith("licenses/LICENSE")]
    assert {name.partition("/")[0] for name in names} == {"homefeed", f"homefeed-{homefeed.__version__}.dist-info"}


@pytest.mark.slow
def test_it_runs_without_the_checkout(installed: Path, tmp_path: Path) -> None:
    assert ran(installed, tmp_path, "homefeed", "--version").strip() == f"homefeed {homefeed.__version__}"
    assert ran(installed, tmp_path, "python", "-P", "-c", WHAT_IT_BRINGS).split()[-1] == "complete"
    sizes = ("--users", "20", "--streams", "30", "--interactions", "200")
    assert "users.parquet" in ran(installed, tmp_path, "homefeed", "generate", "live", "--out", "sample", *sizes)
