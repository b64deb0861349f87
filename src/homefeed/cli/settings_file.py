"""The file of settings, changed without losing what people wrote in it."""

from __future__ import annotations

import os
import shutil
import tempfile
import tomllib
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
    text = text.removeprefix("\ufeff")
    try:
        document = tomlkit.parse(text)
        before = tomllib.loads(text)
    except (ParseError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"{SETTINGS_FILE}: not valid TOML: {error}") from None
    apps: Any = document.get("apps")
    if apps is None:
        # Keys of the top stand before the first table, or they would be its own.
        return f"apps = [{tomlkit.string(app).as_string()}]\n" + text
    if isinstance(apps, str):
        names = [each.strip() for each in apps.split(",") if each.strip()]
        document["apps"] = ",".join(dict.fromkeys([*names, app]))
        return tomlkit.dumps(document)
    if not isinstance(apps, list):
        raise SettingsError(f"{SETTINGS_FILE}: apps: expected a list of names and paths")
    if app in apps:
        return text
    wanted = [*before["apps"], app]
    apps.append(app)
    changed = tomlkit.dumps(document)
    if _says(changed, before | {"apps": wanted}):
        return changed
    # tomlkit writes no comma where a comment follows the last element.
    document["apps"] = wanted
    return tomlkit.dumps(document)


def add_app(app: str) -> None:
    """Name an app in homefeed.toml of the working folder, which is made where there is none.

    Raises:
        SettingsError: as `with_app`, or it is not UTF-8.
    """
    # A link stays one, and a file that is there keeps its mode and the ends of its lines.
    file = SETTINGS_FILE.resolve()
    try:
        text = file.read_bytes().decode() if file.exists() else ""
    except UnicodeDecodeError:
        raise SettingsError(f"{SETTINGS_FILE}: not valid UTF-8; save it as UTF-8") from None
    content = with_app(text, app).encode()
    if not file.exists():
        file.write_bytes(b"")
    descriptor, name = tempfile.mkstemp(prefix=f".{file.name}-", dir=file.parent)
    try:
        with os.fdopen(descriptor, "wb") as written:
            written.write(content)
        shutil.copymode(file, name)
        Path(name).replace(file)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _says(text: str, expected: dict[str, Any]) -> bool:
    try:
        return tomllib.loads(text) == expected
    except tomllib.TOMLDecodeError:
        return False
