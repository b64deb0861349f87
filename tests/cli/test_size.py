"""`homefeed size` tells what an app takes, in words and as JSON."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from homefeed.cli.main import cli
from homefeed.sizing import Wanted, size_of

MILLION = ["size", "--items", "1000000", "--users", "200000", "--events", "5000000", "--rps", "300"]


def test_json_is_what_the_formulas_say() -> None:
    ran = CliRunner().invoke(cli, [*MILLION, "--json"])
    found = size_of(Wanted(1_000_000, 200_000, 5_000_000, 300))
    told = json.loads(ran.output)
    assert (told["replicas"], told["train_mb"], told["engine"]) == (found.replicas, found.train_mb, "local")


def test_text_has_units_and_says_why() -> None:
    ran = CliRunner().invoke(cli, [*MILLION, "--train-gb", "1"])
    assert ran.exit_code == 0
    lines = dict(line.split(":", 1) for line in ran.output.splitlines())
    assert lines["engine of training"].strip().startswith("spark: one machine takes")
    assert lines["engine of training"].endswith("more than 1 GB and 6 h")
    assert "GB" in lines["training on one machine"]
    assert "a core each" in lines["processes"]


@pytest.mark.parametrize("wrong", [["--items", "-1"], ["--rps", "many"], ["--train-gb", "0"]])
def test_what_is_no_size_is_refused(wrong: list[str]) -> None:
    ran = CliRunner().invoke(cli, [*MILLION, *wrong])
    assert ran.exit_code == 2
    assert wrong[0] in ran.output
