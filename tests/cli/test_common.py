import sys
from pathlib import Path

import pytest

from homefeed.cli.common import printable, progress, settings_in_force
from homefeed.errors import SettingsError


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("Café 東京\u3000🎬 [REC] \\", "Café 東京\u3000🎬 [REC] \\"),
        ("one\ntwo\ttabs\r", "one\\ntwo\\ttabs\\r"),
        ("\x1b[31mred\x9b0m\x7f\x00", "\\x1b[31mred\\x9b0m\\x7f\\x00"),
        ("line\u2028paragraph\u2029", "line\\u2028paragraph\\u2029"),
    ],
)
def test_printable_shows_control_characters_as_escapes(text: str, shown: str) -> None:
    assert printable(text) == shown


def test_progress_goes_to_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    with progress(False) as report:
        report("reading", 1, 2)
        report("reading", 2, 2)
        report("training", 1, 1)
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "reading" in printed.err
    assert "2/2" in printed.err
    assert "training" in printed.err


def test_progress_prints_nothing_when_quiet_or_before_any_work(capsys: pytest.CaptureFixture[str]) -> None:
    with progress(True) as report:
        report("reading", 1, 1)
    with progress(False):
        pass
    assert capsys.readouterr() == ("", "")


def test_progress_ends_with_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    def work() -> None:
        with progress(False) as report:
            report("reading", 1, 2)
            raise ValueError("in the middle")

    with pytest.raises(ValueError, match="in the middle"):
        work()
    print("after", file=sys.stderr)
    assert capsys.readouterr().err.endswith("after\n")


def test_settings_are_those_of_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("HOMEFEED_PORT", raising=False)
    Path("homefeed.toml").write_text("port = 9000\n")
    assert settings_in_force().port == 9000
    monkeypatch.setenv("HOMEFEED_PORT", "many")
    with pytest.raises(SettingsError, match="setting port: "):
        settings_in_force()
