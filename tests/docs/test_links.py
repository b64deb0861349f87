"""Links in the documents lead somewhere, and no document speaks of the machine it was written on."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[2]
DOCUMENTS: Final = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])

in_each_document = pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))


def _without_code(text: str) -> str:
    return re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)


@cache
def _anchors(document: Path) -> set[str]:
    """The anchors of a document's headings, as GitHub makes them."""
    anchors: set[str] = set()
    for heading in re.findall(r"^#+ (.+)$", _without_code(document.read_text(encoding="utf-8")), re.MULTILINE):
        words = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading).strip().lower()
        slug = anchor = re.sub(r"[^\w\- ]", "", words).replace(" ", "-")
        count = 0
        while anchor in anchors:
            count += 1
            anchor = f"{slug}-{count}"
        anchors.add(anchor)
    return anchors


@in_each_document
def test_relative_links_lead_to_what_is_there(document: Path) -> None:
    text = re.sub(r"`[^`\n]*`", "", _without_code(document.read_text(encoding="utf-8")))
    targets = re.findall(r"\]\(([^)\s]+)\)", text)
    assert not [target for target in targets if not (re.match(r"[a-z]+:", target) or _exists(document, target))]


def _exists(document: Path, target: str) -> bool:
    path, _, anchor = target.partition("#")
    file = (document.parent / path).resolve() if path else document
    if not (file.is_relative_to(ROOT) and file.exists()):
        return False
    return not anchor or (file.suffix == ".md" and anchor in _anchors(file))


@in_each_document
def test_no_document_names_a_path_of_the_machine_it_was_written_on(document: Path) -> None:
    found = re.findall(r"(?<![\w.])/(?:work|root|home|Users|tmp)/\S*", document.read_text(encoding="utf-8"))
    assert not found


def test_anchors_are_those_of_github(tmp_path: Path) -> None:
    document = tmp_path / "a.md"
    document.write_text("# A `b`: c, [d](e.md)\n```sh\n# not this\n```\n## Twice\n## Twice\n")
    assert _anchors(document) == {"a-b-c-d", "twice", "twice-1"}
