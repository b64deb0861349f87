"""Settings: `homefeed.toml` in the working folder, overridden by the environment, `HOMEFEED_*`."""

from __future__ import annotations

import re
import tomllib
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import parse_qsl, urlsplit

from pydantic import AliasChoices, Field, SecretStr, ValidationError, field_validator
from pydantic_core import ErrorDetails
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)
from pydantic_settings import SettingsError as NotParsedError
from sqlalchemy.engine import URL

from homefeed.errors import SettingsError

_REDIS_URL = re.compile(r"(redis|rediss|unix)://.+")
_REDIS_OPTIONS = frozenset(("db", "ssl_ca_certs", "ssl_cert_reqs", "ssl_certfile", "ssl_keyfile"))
_SECRET_BYTES = 32  # RFC 7518, 3.2
_HOST = re.compile(r"\*|(\*\.)?[\w.-]+|[0-9a-fA-F:.]+")
_RATE = re.compile(r"[1-9][0-9]{0,8}/([1-9][0-9]{0,3} ?)?(second|minute|hour)s?")
_FIELD = re.compile(r'field "(\w+)"')
_ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*://([a-z0-9._-]+|\[[0-9a-f:]+\])(:[0-9]{1,5})?")


def _or_plain(name: str) -> AliasChoices:
    """In the environment with the prefix or, as others name it, without."""
    return AliasChoices(f"homefeed_{name}", name)


class _TomlFile(TomlConfigSettingsSource):
    def _read_file(self, file_path: Path | Traversable) -> dict[str, Any]:
        # Editors of Windows begin a file with a byte order mark.
        return tomllib.loads(file_path.read_text(encoding="utf-8-sig"))


class Settings(BaseSettings):
    """All of Homefeed's settings, with defaults that serve one machine."""

    model_config = SettingsConfigDict(
        env_prefix="HOMEFEED_", toml_file="homefeed.toml", extra="forbid", frozen=True
    )

    home: Annotated[Path, Field(description="Folder of the database and the models.")] = Path("homefeed-data")
    database_url: Annotated[
        SecretStr | None,
        Field(description="postgresql://user:password@host/name; without it SQLite in the home folder."),
    ] = None
    apps: Annotated[
        tuple[str, ...],
        NoDecode,
        Field(description="Apps to serve: names of built-in ones or paths of recipe.toml files."),
    ] = ("community", "live", "marketplace", "shop", "streaming")
    recipes: Annotated[
        dict[str, dict[str, Any]],
        Field(description="By app, tables that replace those of its recipe, key by key; JSON in the environment."),
    ] = {}
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65_535)] = 8000
    allowed_hosts: Annotated[
        tuple[str, ...],
        NoDecode,
        Field(
            description="Names that requests may ask for, besides localhost and host: names, *.name for all below "
            "one, * for any."
        ),
    ] = ()
    cors_origins: Annotated[
        tuple[str, ...],
        NoDecode,
        Field(
            description="Origins of web pages that may ask for feeds and tell events from a browser: "
            "https://news.example; * alone for any."
        ),
    ] = ()
    insecure: Annotated[
        bool, Field(description="Without any key, answer everybody who reaches the server, not its machine alone.")
    ] = False
    token_secrets: Annotated[
        dict[str, tuple[SecretStr, ...]],
        Field(description="By app, secrets of user tokens, of which the first signs; JSON in the environment."),
    ] = {}
    max_token_seconds: Annotated[
        float, Field(ge=1, le=86_400, description="User tokens that last longer are refused.")
    ] = 3_600.0
    max_connections: Annotated[
        int, Field(ge=1, description="How many connections a process may have; of more the silent are closed.")
    ] = 1_000
    receive_seconds: Annotated[
        float,
        Field(gt=0, description="How long a request may take to arrive, and a second more for every 500 bytes."),
    ] = 20.0
    max_queue_seconds: Annotated[
        float, Field(gt=0, le=60, description="Feeds that would wait longer for their turn are answered 503.")
    ] = 0.5
    rate_limit_key: Annotated[
        str | None, Field(description="How often a key may ask, such as 600/minute; without it as it likes.")
    ] = None
    rate_limit_user: Annotated[str | None, Field(description="The same of each user.")] = None
    shutdown_seconds: Annotated[
        int, Field(ge=1, description="How long requests may go on once the server was told to end.")
    ] = 5
    poll_seconds: Annotated[
        float, Field(gt=0, description="How often to look for what other processes wrote, and new models.")
    ] = 0.5
    replicas: Annotated[
        bool,
        Field(description="Other processes take events too: read each user's events from the store every time."),
    ] = False
    redis_url: Annotated[
        SecretStr | None,
        Field(
            validation_alias=_or_plain("redis_url"),
            description="redis://user:password@host:port/number, rediss:// or unix://: what replicas share.",
        ),
    ] = None
    redis_host: Annotated[
        str | None,
        Field(validation_alias=_or_plain("redis_host"), min_length=1, description="The same by host and port."),
    ] = None
    redis_port: Annotated[int, Field(validation_alias=_or_plain("redis_port"), ge=1, le=65_535)] = 6379
    redis_prefix: Annotated[
        str,
        Field(
            pattern=r"^[\w.-]{1,63}$",
            description="What begins every key in Redis: each deployment that shares one needs its own.",
        ),
    ] = "homefeed"
    redis_timeout_seconds: Annotated[
        float, Field(gt=0, le=10, description="How long a request waits for Redis before it goes on without.")
    ] = 0.02
    user_cache_megabytes: Annotated[
        float, Field(gt=0, description="How much memory each app's users may take, the latest requested first.")
    ] = 32.0
    slate_cache: Annotated[int, Field(ge=1, description="How many slates to keep for their next pages.")] = 1_000
    reuse_cache_megabytes: Annotated[
        float, Field(gt=0, description="How much memory each app's answers of the last reuse_seconds may take.")
    ] = 16.0
    impressions_days: Annotated[
        float,
        Field(ge=0, le=36_500, description="How long to keep what feeds have shown; 0 writes none."),
    ] = 90.0
    events_days: Annotated[
        float | None, Field(gt=0, le=36_500, description="How long to keep events; without it for ever.")
    ] = None
    max_prune_share: Annotated[
        float,
        Field(
            gt=0,
            le=1,
            description="Larger shares of an app's events, or impressions, need `homefeed prune --yes`.",
        ),
    ] = 0.5
    database_connections: Annotated[
        int,
        Field(ge=4, le=1_000, description="How many connections to PostgreSQL a process that serves may have."),
    ] = 28
    max_store_wait_seconds: Annotated[
        float, Field(gt=0, le=600, description="How long a request waits for the store before it is answered 503.")
    ] = 5.0
    text_model: Annotated[
        str | None,
        Field(
            min_length=1,
            description="`wordllama`, a folder of sentence-transformers or model2vec, or `none`: TF-IDF and SVD; "
            "without it wordllama where it is installed.",
        ),
    ] = None
    max_body_megabytes: Annotated[float, Field(gt=0)] = 16.0
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["console", "json"] = "console"
    traces: Annotated[
        bool, Field(description="Send OpenTelemetry traces, as the variables OTEL_* say; needs the extra otel.")
    ] = False
    access_log: Annotated[bool, Field(description="Log each request, not only at level debug.")] = False
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 0

    @field_validator("apps", "allowed_hosts", "cors_origins", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return (
            tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value
        )

    @field_validator("allowed_hosts")
    @classmethod
    def _check_hosts(cls, hosts: tuple[str, ...]) -> tuple[str, ...]:
        for host in hosts:
            if not _HOST.fullmatch(host):
                raise ValueError(f'"{host}" is none: expected a name or an address alone, *.name or *')
        return hosts

    @field_validator("rate_limit_key", "rate_limit_user")
    @classmethod
    def _check_rate(cls, rate: str | None) -> str | None:
        if rate is not None and not _RATE.fullmatch(rate):
            raise ValueError(f'"{rate}" is none: expected a number above 0 and second, minute or hour: 600/minute')
        return rate

    @field_validator("cors_origins")
    @classmethod
    def _check_origins(cls, origins: tuple[str, ...]) -> tuple[str, ...]:
        for origin in origins:
            if origin != "*" and not _ORIGIN.fullmatch(origin):
                raise ValueError(
                    f'"{origin}" is none: expected a scheme and a host in lower case, as browsers send them, '
                    "without a path, such as https://news.example or http://localhost:3000, or * alone"
                )
        if "*" in origins and len(origins) > 1:
            raise ValueError("* is any origin: leave it away, or the others")
        return origins

    @field_validator("token_secrets")
    @classmethod
    def _check_secrets(cls, secrets: dict[str, tuple[SecretStr, ...]]) -> dict[str, tuple[SecretStr, ...]]:
        for app, some in secrets.items():
            if any(len(secret.get_secret_value().encode()) < _SECRET_BYTES for secret in some):
                raise ValueError(f"{app}: expected secrets of {_SECRET_BYTES} bytes at least, by chance")
        return secrets

    @field_validator("redis_url", "redis_host", mode="before")
    @classmethod
    def _unless_blank(cls, value: object) -> object:
        return None if value == "" else value

    @field_validator("redis_port", mode="before")
    @classmethod
    def _port_alone(cls, value: object) -> object:
        # Kubernetes sets REDIS_PORT=tcp://10.0.0.1:6379 wherever there is a service of that name.
        return (value.rpartition(":")[2] or 6379) if isinstance(value, str) else value

    @field_validator("redis_url")
    @classmethod
    def _check_redis_url(cls, url: SecretStr | None) -> SecretStr | None:
        if url is None:
            return None
        text = url.get_secret_value()
        try:
            parts = urlsplit(text)
            known = {name for name, _ in parse_qsl(parts.query, keep_blank_values=True)} <= _REDIS_OPTIONS
            well_formed = _REDIS_URL.fullmatch(text) is not None and parts.port != 0 and known
        except ValueError:  # the port is no number; the error would tell what stands there, such as a password
            well_formed = False
        if not well_formed:
            options = ", ".join(sorted(_REDIS_OPTIONS))
            raise ValueError(
                "expected redis://user:password@host:port, rediss://... or unix:///path; after a ? these can be "
                f"said: {options}"
            )
        return url

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments, then the environment, then the file."""
        return init_settings, env_settings, _TomlFile(settings_cls)

    @property
    def store_url(self) -> str:
        """The URL of the store. It may contain a password: never log it."""
        if self.database_url is not None:
            return self.database_url.get_secret_value()
        # Built by SQLAlchemy, so a folder with a question mark in its name is still that folder.
        url = URL.create("sqlite", database=str(self.home / "homefeed.db"))
        return url.render_as_string(hide_password=False)

    @property
    def redis_address(self) -> str | None:
        """The URL of the Redis that replicas share, if there is one. It may contain a password: never log it."""
        if self.redis_url is not None:
            return self.redis_url.get_secret_value()
        if self.redis_host is None:
            return None
        host = f"[{self.redis_host}]" if ":" in self.redis_host else self.redis_host
        return f"redis://{host}:{self.redis_port}"

    @property
    def models_folder(self) -> Path:
        """Where trained models are published."""
        return self.home / "models"


def load_settings(**overrides: object) -> Settings:
    """The settings in force, with `overrides` on top.

    Raises:
        SettingsError: naming each setting that is wrong and what was expected.
    """
    try:
        return Settings(**overrides)  # type: ignore[arg-type]
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"homefeed.toml: not valid TOML: {error}") from None
    except UnicodeDecodeError:
        raise SettingsError("homefeed.toml: not valid UTF-8; save it as UTF-8") from None
    except NotParsedError as error:
        named = _FIELD.search(str(error))
        name = named[1] if named else "recipes or token_secrets"
        told = f"setting {name}: expected JSON in HOMEFEED_{name.upper()}: {error.__cause__}"
        raise SettingsError(told) from None
    except ValidationError as error:
        lines = [
            f"setting {'.'.join(map(str, e['loc'])).removeprefix('homefeed_')}: {_format_problem(e)}"
            for e in error.errors(include_input=False)
        ]
        raise SettingsError("\n".join(lines)) from None


def _format_problem(problem: ErrorDetails) -> str:
    if problem["type"] == "extra_forbidden":
        known = ", ".join(Settings.model_fields)
        return f"no such setting; remove it from homefeed.toml or check its spelling: {known}"
    return problem["msg"]
