"""A backup: a folder with the whole store as a SQLite file, the models, and a note of what it is.

The models are copied first: what they have counted is then in the log, so that a server goes on from there.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import mkdtemp
from typing import Final, Literal

import orjson
import sqlalchemy as sa
from pydantic import TypeAdapter, ValidationError
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DBAPIError

from homefeed.errors import ArtifactError, HomefeedError, InvalidError
from homefeed.store import tables
from homefeed.store.copies import copy_plain, open_plain, sha256_of, sync
from homefeed.store.copying import Progress, copy_store
from homefeed.store.key_copies import keep_keys, keys_of_file
from homefeed.store.keys import ApiKey, list_keys
from homefeed.store.model_copies import CopiedModels, copy_models
from homefeed.store.private import make_private, make_private_folder
from homefeed.store.session import open_store
from homefeed.store.sqlite_files import check_database, replace_database, require_unused, save_database

NOTE: Final = "homefeed-backup.json"
"""The file that tells a backup from other folders; it is written last."""

_DATABASE: Final = "homefeed.db"
_MODELS: Final = "models"
_LARGEST_NOTE: Final = 1 << 24
_TOLD: Final = 5
"""How many faults of a backup an error names."""
_ANOTHER: Final = "use another backup"


@dataclass(frozen=True, slots=True)
class Note:
    """What a backup is: by which version and when it was made, the SHA-256 of its database, and of what it is.

    `database` is empty where it holds models alone. `models` are its versions, as APP/MODEL/VERSION, of which
    those that are `serving` are named to serve.
    """

    homefeed: str
    made_at: str
    database: str
    models: tuple[str, ...]
    serving: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was saved or restored: so many versions of models; `refused` were not intact (path: why).

    `revived` are the keys that are valid in what was restored and that the store before did not know: of those it
    cannot be told whether they were revoked since.
    """

    note: Note
    models: int
    refused: Mapping[str, str]
    revived: tuple[ApiKey, ...] = ()


async def back_up(
    url: str,
    models: Path,
    folder: Path,
    *,
    homefeed: str,
    made_at: str,
    progress: Progress,
    only: Literal["store", "models"] | None = None,
) -> Outcome:
    """Save a store and the models, or `only` one of them, to a folder that is not there yet.

    It is there when all is in it, and durable. The note tells the version `homefeed` and the time `made_at`.

    Servers and jobs go on. On SQLite nothing is brought up to date by it.

    Raises:
        HomefeedError: the store cannot be read.
    """
    make_private_folder(folder.parent)
    with _draft_of(folder) as draft:
        copied = CopiedModels((), (), {})
        if only != "store":
            copied = copy_models(models, draft / _MODELS, in_use=True)
        if only != "models":
            await _save_store(url, draft / _DATABASE, progress)
        sha256 = sha256_of(draft / _DATABASE) if only != "models" else ""
        note = Note(homefeed, made_at, sha256, copied.versions, copied.serving)
        (draft / NOTE).write_bytes(orjson.dumps(asdict(note), option=orjson.OPT_INDENT_2) + b"\n")
        for path in (draft / NOTE, draft):
            sync(path)
        draft.replace(folder)
        sync(folder.parent)
    return Outcome(note, len(copied.versions), copied.refused)


async def restore(
    folder: Path, url: str, models: Path, progress: Progress, *, without_models: bool = False
) -> Outcome:
    """Put a backup in the place of the store and of the models, or of what of these it holds.

    On PostgreSQL the database must be one without data. What is there stays until all of the backup was read,
    checked and brought up to date. Killed in between there may be no models: then do it again. The models of a
    backup, of which every version must be there, can be left out; then there are none. The keys of the store that
    is there stay: those that were made since are valid, and those that were revoked since are not.

    Raises:
        InvalidError: it is no backup, or is not whole.
        UnavailableError: another process has the SQLite file open.
        ConflictError: there is data in the PostgreSQL database.
        HomefeedError: the database is damaged, or a newer Homefeed made it.
    """
    note = read_note(folder)
    file, models = _places(url, models)
    beside = models.parent if file is None else file.parent
    make_private_folder(beside)
    make_private_folder(models.parent)
    if note.database and file is not None:
        require_unused(file)
    with _draft_of(beside / "restored") as draft, _draft_of(models.parent / "models") as new:
        count = _stage_models(folder, new / _MODELS, note, without_models)
        revived: tuple[ApiKey, ...] = ()
        if note.database:
            await _stage(folder, draft / _DATABASE, note)
            async with open_store(_url_of(draft / _DATABASE)) as source:
                if file is not None:
                    revived = await keep_keys(source, keys_of_file(file))
                else:
                    async with open_store(url) as target:
                        revived = await keep_keys(source, await list_keys(target))
                        await copy_store(source, target, progress)
        # Models of another log would count wrongly: there are none while the store is replaced.
        with _put_away(models, new / "before"):
            if note.database and file is not None:
                replace_database(draft / _DATABASE, file)
            (new / _MODELS).rename(models)
        sync(models.parent)
    return Outcome(note, count, {}, revived)


def read_note(folder: Path) -> Note:
    """What a backup is.

    Raises:
        InvalidError: it is none.
    """
    if not (folder / NOTE).is_file():
        raise InvalidError(f"{folder} is no backup: there is no {NOTE} in it")
    try:
        with open_plain(folder, NOTE) as file:
            note = TypeAdapter(Note).validate_json(file.read(_LARGEST_NOTE), strict=True)
    except ArtifactError as error:
        raise InvalidError(f"{folder}: {error}; {_ANOTHER}") from None
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        what = ": ".join((*map(str, first["loc"]), first["msg"]))
        raise InvalidError(f"{folder / NOTE} is damaged: {what}; {_ANOTHER}") from None
    if not note.database and (folder / _DATABASE).exists():
        raise InvalidError(
            f"{folder / NOTE} is damaged: it tells of no database, and {_DATABASE} is there; {_ANOTHER}"
        )
    return note


def database_file(url: str) -> Path | None:
    """The file of a store on SQLite; None on PostgreSQL."""
    parsed = make_url(url)
    return Path(str(parsed.database)) if parsed.get_backend_name() == "sqlite" else None


def _places(url: str, models: Path) -> tuple[Path | None, Path]:
    """What is replaced: where these are links, such as to another disk, what they lead to."""
    file = database_file(url)
    return None if file is None else file.resolve(), models.resolve()


async def _save_store(url: str, target: Path, progress: Progress) -> None:
    file = database_file(url)
    if file is not None:
        save_database(file, target)
        return
    async with open_store(url) as source, open_store(_url_of(target)) as copy:
        await copy_store(source, copy, progress)
    sync(target)


def _stage_models(folder: Path, staged: Path, note: Note, without: bool) -> int:
    """Copy the models of a backup, or none; returns how many versions."""
    if without:
        if not note.database:
            raise InvalidError(f"{folder} has models alone: without them nothing is left to restore")
        make_private_folder(staged)
        return 0
    if (folder / _MODELS).is_symlink():
        raise InvalidError(f"{folder / _MODELS} is a symbolic link, which a backup never holds; {_ANOTHER}")
    copied = copy_models(folder / _MODELS, staged, in_use=False)
    wrong = [f"{path}: {why}" for path, why in copied.refused.items()]
    found = {*copied.versions, *copied.refused}
    wrong += [f"{path} is missing" for path in note.models if path not in found]
    wrong += [f"{path} is not of this backup" for path in copied.versions if path not in note.models]
    if not wrong and copied.serving != note.serving:
        wrong = [f"the versions named to serve are not {', '.join(note.serving) or 'none'}"]
    if wrong:
        more = f"; and {len(wrong) - _TOLD} more" if len(wrong) > _TOLD else ""
        raise InvalidError(
            f"the models of {folder} are not whole: {'; '.join(wrong[:_TOLD])}{more}. {_ANOTHER.capitalize()}, or "
            "restore the store alone, with --without-models, and train"
        )
    return len(copied.versions)


async def _stage(folder: Path, staged: Path, note: Note) -> None:
    """Copy the database of a backup, and bring the copy up to date."""
    saved = folder / _DATABASE
    try:
        copy_plain(folder, _DATABASE, staged.parent)
    except ArtifactError as error:
        raise InvalidError(f"{folder} is not whole: {error}; {_ANOTHER}") from None
    make_private(staged)
    if sha256_of(staged) != note.database:
        raise InvalidError(f"{saved} is damaged: its SHA-256 is not the one that {NOTE} says; {_ANOTHER}")
    check_database(staged, saved)
    try:
        async with open_store(_url_of(staged)) as store, store.read() as connection:
            for table in tables.metadata.sorted_tables:
                await connection.execute(sa.select(table).limit(0))
    except (HomefeedError, DBAPIError) as error:
        # What is wrong is told of the backup: nobody knows the copy.
        cause = error if isinstance(error, DBAPIError) else error.__cause__
        why = getattr(cause, "orig", None) or cause or error
        raise HomefeedError(f"{saved} cannot be restored: {why}; nothing was replaced") from error


@contextmanager
def _draft_of(folder: Path) -> Iterator[Path]:
    """A folder beside another, on the same disk, that is gone in the end."""
    draft = Path(mkdtemp(prefix=f".{folder.name}.", dir=folder.absolute().parent))
    try:
        yield draft
    finally:
        shutil.rmtree(draft, ignore_errors=True)


@contextmanager
def _put_away(folder: Path, place: Path) -> Iterator[None]:
    """Move a folder, if there is one, and back if what is done meanwhile fails."""
    moved = folder.exists()
    if moved:
        folder.rename(place)
    try:
        yield
    except BaseException:
        if moved:
            place.rename(folder)
        raise


def _url_of(file: Path) -> str:
    # Built by SQLAlchemy, so a folder with a question mark in its name is still that folder.
    return URL.create("sqlite", database=str(file)).render_as_string(hide_password=False)
