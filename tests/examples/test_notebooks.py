"""The notebooks run from their first cell to their last, and are stored without what they print."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import matplotlib
import pytest

matplotlib.use("agg")

import matplotlib.pyplot as plt

EXAMPLES = Path(__file__).parents[2] / "examples"
NOTEBOOKS = sorted(EXAMPLES.glob("*.ipynb"))

in_each = pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.name)


def cells(notebook: Path, kind: str) -> list[dict[str, Any]]:
    stored = json.loads(notebook.read_text(encoding="utf-8"))
    assert (stored["nbformat"], stored["nbformat_minor"]) == (4, 5)
    return [cell for cell in stored["cells"] if cell["cell_type"] == kind]


def test_there_is_one() -> None:
    assert [path.name for path in NOTEBOOKS] == ["live.ipynb"]


@in_each
def test_it_holds_no_output(notebook: Path) -> None:
    for cell in cells(notebook, "code"):
        assert (cell["outputs"], cell["execution_count"]) == ([], None)


@in_each
def test_every_code_cell_has_words_before_it(notebook: Path) -> None:
    assert len(cells(notebook, "markdown")) >= len(cells(notebook, "code"))


@in_each
def test_every_cell_runs(
    notebook: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    drawn: list[str] = []

    def show() -> None:
        drawn.extend(axes.get_title() for number in plt.get_fignums() for axes in plt.figure(number).axes)
        plt.figure(plt.get_fignums()[-1]).canvas.draw()
        plt.close("all")

    monkeypatch.setattr(plt, "show", show)
    monkeypatch.setitem(plt.rcParams, "figure.dpi", 30)
    monkeypatch.setattr("tempfile.mkdtemp", lambda: str(tmp_path))
    names: dict[str, Any] = {"__name__": "__main__"}
    for cell in cells(notebook, "code"):
        exec(compile("".join(cell["source"]), f"{notebook.name}:{cell['id']}", "exec"), names)  # what is tested
    assert [title for title in drawn if not title] == []
    assert {"Users and streams", "Quality of streams", "What is watched, over what there is"} <= set(drawn)
    assert "1,000 users, 500 streams, 50,000 interactions" in capsys.readouterr().out
