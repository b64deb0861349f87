"""The file of settings, changed without losing what people wrote in it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import tomlkit
from tomlkit.exceptions import ParseError

from homefeed.errors import SettingsError

SETTINGS_FILE: Final = Path("homefeed.toml")


def with_app(text: str, app: str) -> str:
    """The text of homefeed.toml with an app among its `apps`; comments and all else stay as they are.

    Raises:
        SettingsError: it is no TOML, or `apps` is neither a list nor a text.
    """
    try:
        document = tomlkit.parse(text)
    except ParseError as error:
        raise SettingsError(f"{SETTINGS_FILE}: not valid TOML: {error}") from None
    apps: Any = document.get("apps")
    if apps is None:
        # Keys of the top stand before the first table, or they would be its own.
        return f"apps = [{tomlkit.string(app).as_string()}]\n" + text
    if isinstance(apps, str):
        names = [each.strip() for each in apps.split(",") if each.strip()]
        document["apps"] = ",".join(dict.fromkeys([*names, app]))
    elif isinstance(apps, list):
        if app not in apps:
            apps.append(app)
    else:
        raise SettingsError(f"{SETTINGS_FILE}: apps: expected a list of names and paths")
    return tomlkit.dumps(document)


def add_app(app: str) -> None:
    """Name an app in homefeed.toml of the working folder, which is made where there is none.

    Raises:
        SettingsError: as `with_app`.
    """
    text = SETTINGS_FILE.read_text(encoding="utf-8") if SETTINGS_FILE.exists() else ""
    SETTINGS_FILE.write_text(with_app(text, app), encoding="utf-8")
