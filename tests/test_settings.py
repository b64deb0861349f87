"""Settings: where they come from, which wins, and how a wrong one is told."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from pydantic import ValidationError
from sqlalchemy.engine import make_url

from homefeed.errors import SettingsError
from homefeed.settings import Settings, load_settings

URL = "postgresql://u:sekret@host/db"


@pytest.fixture(autouse=True)
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The homefeed.toml of a working folder of the test's own; no setting is in the environment."""
    for name in list(os.environ):
        if name.upper().startswith(("HOMEFEED_", "REDIS_")):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return tmp_path / "homefeed.toml"


def test_the_defaults_serve_one_machine() -> None:
    settings = load_settings()
    assert (settings.host, settings.port) == ("127.0.0.1", 8000)
    assert settings.store_url == "sqlite:///homefeed-data/homefeed.db"
    assert settings.models_folder == Path("homefeed-data/models")
    assert settings.apps == ("community", "live", "marketplace", "shop", "streaming")
    assert (settings.impressions_days, settings.events_days) == (90, None)


def test_the_file_sets(file: Path) -> None:
    file.write_text('port = 9000\nhome = "here"\napps = ["streaming", "mine/recipe.toml"]\nreplicas = true\n')
    settings = load_settings()
    assert (settings.port, settings.replicas) == (9000, True)
    assert settings.store_url == "sqlite:///here/homefeed.db"
    assert settings.apps == ("streaming", "mine/recipe.toml")


def test_the_environment_sets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOMEFEED_PORT", "9001")
    monkeypatch.setenv("HOMEFEED_REPLICAS", "true")
    monkeypatch.setenv("HOMEFEED_DATABASE_URL", URL)
    settings = load_settings()
    assert (settings.port, settings.replicas, settings.store_url) == (9001, True, URL)


def test_arguments_win_over_the_environment_and_that_over_the_file(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file.write_text('port = 1\nhost = "file"\nseed = 1\n')
    monkeypatch.setenv("HOMEFEED_PORT", "2")
    monkeypatch.setenv("HOMEFEED_HOST", "environment")
    settings = load_settings(port=3)
    assert (settings.port, settings.host, settings.seed) == (3, "environment", 1)


@pytest.mark.parametrize(
    ("text", "apps"),
    [
        ("streaming", ("streaming",)),
        ("streaming,shop", ("streaming", "shop")),
        (" a , b/recipe.toml ,", ("a", "b/recipe.toml")),
    ],
)
def test_apps_are_a_list_with_commas_in_the_environment(
    monkeypatch: pytest.MonkeyPatch, text: str, apps: tuple[str, ...]
) -> None:
    monkeypatch.setenv("HOMEFEED_APPS", text)
    assert load_settings().apps == apps


@pytest.mark.parametrize(
    ("variables", "address"),
    [
        ({}, None),
        ({"REDIS_HOST": "r"}, "redis://r:6379"),
        ({"REDIS_HOST": "r", "REDIS_PORT": "7000"}, "redis://r:7000"),
        ({"REDIS_HOST": "::1"}, "redis://[::1]:6379"),
        ({"REDIS_PORT": "7000"}, None),
        ({"REDIS_HOST": "", "REDIS_PORT": ""}, None),
        # What Kubernetes sets for a service of that name.
        ({"REDIS_HOST": "r", "REDIS_PORT": "tcp://10.0.0.1:7000"}, "redis://r:7000"),
        ({"REDIS_URL": "rediss://u:p@r/2", "REDIS_HOST": "other"}, "rediss://u:p@r/2"),
        ({"HOMEFEED_REDIS_URL": "redis://mine", "REDIS_URL": "redis://others"}, "redis://mine"),
        ({"HOMEFEED_REDIS_HOST": "mine", "REDIS_HOST": "others"}, "redis://mine:6379"),
    ],
)
def test_redis_is_named_by_host_and_port_or_by_a_url(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], address: str | None
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert load_settings().redis_address == address


def test_the_file_and_arguments_name_a_redis_too(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file.write_text('redis_url = "redis://file"\nredis_prefix = "mine"\n')
    assert (load_settings().redis_address, load_settings().redis_prefix) == ("redis://file", "mine")
    monkeypatch.setenv("REDIS_URL", "redis://environment")
    assert load_settings().redis_address == "redis://environment"
    assert load_settings(redis_url="redis://argument").redis_address == "redis://argument"


@pytest.mark.parametrize(
    "url",
    ["redis://u:sekret@host:port", "http://u:sekret@host", "sekret@host", "redis://u:sekret@host?protocol=9"],
)
def test_a_wrong_url_of_redis_is_not_repeated(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("REDIS_URL", url)
    with pytest.raises(SettingsError, match=r"setting redis_url: .*expected redis://") as caught:
        load_settings()
    assert "sekret" not in str(caught.value)
    monkeypatch.setenv("REDIS_URL", "redis://u:sekret@host")
    assert "sekret" not in repr(load_settings())


@pytest.mark.parametrize("hosts", [(), ("*",), ("feeds.example", "*.shop.example", "10.0.0.1", "::1")])
def test_allowed_hosts_are_names_and_addresses(monkeypatch: pytest.MonkeyPatch, hosts: tuple[str, ...]) -> None:
    monkeypatch.setenv("HOMEFEED_ALLOWED_HOSTS", " , ".join(hosts))
    assert load_settings().allowed_hosts == hosts


@pytest.mark.parametrize(
    "origins", [(), ("*",), ("https://news.example", "http://localhost:3000", "http://[::1]:80", "app://news")]
)
def test_origins_are_as_browsers_send_them(monkeypatch: pytest.MonkeyPatch, origins: tuple[str, ...]) -> None:
    monkeypatch.setenv("HOMEFEED_CORS_ORIGINS", " , ".join(origins))
    assert load_settings().cors_origins == origins


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("PORT", "ten", "setting port: Input should be a valid integer"),
        ("PORT", "70000", "setting port: Input should be less than or equal to 65535"),
        ("POLL_SECONDS", "0", "setting poll_seconds: Input should be greater than 0"),
        ("REDIS_PORT", "0", "setting redis_port: Input should be greater than or equal to 1"),
        ("REDIS_PREFIX", "a:b", "setting redis_prefix: "),
        ("LOG_LEVEL", "loud", "setting log_level: Input should be 'debug', 'info', 'warning' or 'error'"),
        ("REPLICAS", "perhaps", "setting replicas: Input should be a valid boolean"),
        ("ALLOWED_HOSTS", "a.example,https://b.example", 'setting allowed_hosts: .*"https://b.example" is none: '),
        ("ALLOWED_HOSTS", "a.example:80", "expected a name or an address alone"),
        ("CORS_ORIGINS", "news.example", 'setting cors_origins: .*"news.example" is none: expected a scheme'),
        ("CORS_ORIGINS", "https://news.example/", "without a path"),
        ("CORS_ORIGINS", "https://News.example", "in lower case"),
        ("CORS_ORIGINS", "null", "setting cors_origins: "),
        ("CORS_ORIGINS", "*,https://news.example", r"\* is any origin"),
        ("ALLOWED_HOSTS", "a.*.example", "setting allowed_hosts: "),
    ],
)
def test_a_wrong_value_is_named_with_what_was_expected(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, text: str
) -> None:
    monkeypatch.setenv(f"HOMEFEED_{name}", value)
    with pytest.raises(SettingsError, match=text):
        load_settings()


def test_all_errors_are_reported_at_once(file: Path) -> None:
    file.write_text('port = "x"\nprot = 1\nlog_level = "loud"\n')
    with pytest.raises(SettingsError) as caught:
        load_settings()
    assert {line.split(":")[0] for line in str(caught.value).splitlines()} == {
        "setting port",
        "setting prot",
        "setting log_level",
    }


def test_an_unknown_argument_is_named() -> None:
    with pytest.raises(SettingsError, match="setting prot: "):
        load_settings(prot=1)


def test_a_secret_is_never_shown(file: Path) -> None:
    file.write_text(f'database_url = "{URL}"\n')
    settings = load_settings()
    for shown in (repr(settings), str(settings), f"{settings.model_dump()}", settings.model_dump_json()):
        assert "sekret" not in shown
    assert settings.store_url == URL


def test_a_wrong_secret_is_not_in_the_error(file: Path) -> None:
    file.write_text('database_url = ["sekret"]\n')
    with pytest.raises(SettingsError, match="setting database_url: ") as caught:
        load_settings()
    assert "sekret" not in str(caught.value)


def test_settings_do_not_change() -> None:
    with pytest.raises(ValidationError):
        Settings().port = 1  # type: ignore[misc]


def test_a_settings_file_that_is_not_toml_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "homefeed.toml").write_text("port = = 8000\n")
    with pytest.raises(SettingsError, match=r"homefeed\.toml: not valid TOML"):
        load_settings()


def test_a_settings_file_may_begin_with_a_byte_order_mark(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "homefeed.toml").write_bytes(b"\xef\xbb\xbfport = 8123\n")
    assert load_settings().port == 8123
    (tmp_path / "homefeed.toml").write_bytes(b"# caf\xe9\n")
    with pytest.raises(SettingsError, match=r"homefeed\.toml: not valid UTF-8"):
        load_settings()


def test_a_home_of_any_name_is_that_folder(tmp_path: Path) -> None:
    home = tmp_path / "what? 100% #1"
    assert make_url(load_settings(home=home).store_url).database == str(home / "homefeed.db")


@pytest.mark.parametrize("name", ["impressions_days", "events_days"])
@pytest.mark.parametrize("days", [float("inf"), float("nan"), 1e9, -1.0])
def test_no_retention_is_longer_than_a_century(name: str, days: float) -> None:
    with pytest.raises(SettingsError, match=name):
        load_settings(**{name: days})


def test_secrets_that_are_no_json_are_told_without_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOMEFEED_TOKEN_SECRETS", '{"shop": "sekret')
    with pytest.raises(
        SettingsError, match=r"^setting token_secrets: expected JSON in HOMEFEED_TOKEN_SECRETS: "
    ) as told:
        load_settings()
    assert "sekret" not in str(told.value)
