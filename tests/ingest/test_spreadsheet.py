"""Sheets of Excel files, here written by hand: a zip file of a few documents."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from homefeed.errors import DataError
from homefeed.ingest.readers import open_table
from homefeed.recipe import Source

_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"


def workbook(path: Path, **sheets: list[list[str | float]]) -> Path:
    """An Excel file: a cell is a text, or a number; a text that begins with = is a day of a date."""

    def cell(value: str | float) -> str:
        if isinstance(value, str) and value.startswith("="):
            return f'<c s="1"><v>{value[1:]}</v></c>'
        return (
            f'<c t="inlineStr"><is><t>{value}</t></is></c>' if isinstance(value, str) else f"<c><v>{value}</v></c>"
        )

    names = list(enumerate(sheets, 1))
    listed = "".join(f'<sheet name="{name}" sheetId="{n}" r:id="r{n}"/>' for n, name in names)
    related = "".join(f'<Relationship Id="r{n}" Type="{_OFFICE}/worksheet" Target="s{n}.xml"/>' for n, _ in names)
    styles = '<cellXfs><xf numFmtId="0"/><xf numFmtId="14" applyNumberFormat="1"/></cellXfs>'
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types"/>',
        "_rels/.rels": f'<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="w" '
        f'Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>{listed}</sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">{related}'
        f'<Relationship Id="st" Type="{_OFFICE}/styles" Target="styles.xml"/></Relationships>',
        "xl/styles.xml": f'<styleSheet xmlns="{_MAIN}">{styles}</styleSheet>',
    }
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in parts.items():
            archive.writestr(name, text)
        for n, rows in enumerate(sheets.values(), 1):
            cells = "".join(f"<row>{''.join(cell(value) for value in row)}</row>" for row in rows)
            archive.writestr(
                f"xl/s{n}.xml", f'<worksheet xmlns="{_MAIN}"><sheetData>{cells}</sheetData></worksheet>'
            )
    return path


def test_cells_become_the_text_that_a_csv_file_would_have(tmp_path: Path) -> None:
    rows: list[list[str | float]] = [
        ["id", " sku", "day", "price"],
        [1, "A1", "=46027", 2.5],
        [2, "7", "=46028", 3],
    ]
    table = open_table(workbook(tmp_path / "items.xlsx", Items=rows))
    assert (table.columns, table.total) == (("id", "sku", "day", "price"), 2)
    (batch,) = table.batches()
    assert batch.frame.rows() == [("1", "A1", "2026-01-05", "2.5"), ("2", "7", "2026-01-06", "3")]
    assert batch.rows.tolist() == [1, 2]


def test_a_sheet_is_named_or_the_first(tmp_path: Path) -> None:
    path = workbook(tmp_path / "all.xlsx", Users=[["user_id"], ["u1"]], Items=[["item_id"], ["i1"]])
    assert open_table(path).columns == ("user_id",)
    assert open_table(path, Source(sheet="Items")).columns == ("item_id",)
    with pytest.raises(DataError, match='no sheet "Events"; its sheets are: Users, Items'):
        open_table(path, Source(sheet="Events"))


def test_what_cannot_be_read_is_said(tmp_path: Path) -> None:
    (tmp_path / "items.xlsx").write_text("no Excel")
    with pytest.raises(DataError, match="not a readable Excel file"):
        open_table(tmp_path / "items.xlsx")
    with pytest.raises(DataError, match="is empty"):
        open_table(workbook(tmp_path / "empty.xlsx", Items=[]))
    with pytest.raises(DataError, match="no such file"):
        open_table(tmp_path / "none.xlsx")


def test_a_repeated_name_is_refused_and_one_like_it_is_not(tmp_path: Path) -> None:
    path = workbook(tmp_path / "items.xlsx", Items=[["id", "title", "title"], [1, "A", "B"]])
    with pytest.raises(DataError, match='column "title" is there twice'):
        open_table(path)
    path = workbook(tmp_path / "good.xlsx", Items=[["id", "title", "title_1"], [1, "A", "B"]])
    assert open_table(path).columns == ("id", "title", "title_1")
