"""keys: one is printed once and alone, lists never hold it, and servers and doctor go by it."""

from __future__ import annotations

import json
from pathlib import Path

import jwt
import pytest
from tests.cli.running import done, run

from homefeed.cli import run as command
from homefeed.errors import ConflictError, InvalidError, NotFoundError, SettingsError
from homefeed.settings import Settings

SECRET = "s" * 32


def test_a_key_is_printed_alone_and_never_again(tmp_path: Path) -> None:
    printed = done(tmp_path, "keys", "create", "site", "--right", "read", "--app", "shop")
    assert printed.startswith("hf_")
    assert printed.count("\n") == 1
    secret = printed.strip().split("_", 2)[2]
    told = done(tmp_path, "keys", "list") + done(tmp_path, "keys", "list", "--json")
    assert secret not in told
    (key,) = json.loads(done(tmp_path, "keys", "list", "--json"))
    assert (key["name"], key["app"], key["right"], key["used_at"], key["revoked_at"]) == (
        "site",
        "shop",
        "read",
        None,
        None,
    )
    assert "Revoked site" in done(tmp_path, "keys", "revoke", key["key_id"])
    assert "revoked 2" in done(tmp_path, "keys", "list")
    assert secret.encode() not in (tmp_path / "homefeed.db").read_bytes()


@pytest.mark.parametrize(
    ("args", "kind"),
    [
        (("create", "x", "--right", "root"), InvalidError),
        (("create", "a b", "--right", "read"), InvalidError),
        (("create", "x", "--right", "read", "--app", "nowhere"), InvalidError),
        (("create", "site", "--right", "admin"), ConflictError),
        (("revoke", "nobody"), NotFoundError),
        (("token", "shop", "u"), InvalidError),
        (("token", "live", "u"), InvalidError),
    ],
)
def test_what_cannot_be_done_is_said(tmp_path: Path, args: tuple[str, ...], kind: type[Exception]) -> None:
    done(tmp_path, "keys", "create", "site", "--right", "read")
    result = run(tmp_path, "keys", *args, HOMEFEED_APPS="shop")
    assert isinstance(result.exception, kind), result.exception
    assert result.stdout == ""


def test_a_token_for_trying_is_signed_by_the_first_secret(tmp_path: Path) -> None:
    secrets = json.dumps({"shop": [SECRET, "t" * 32]})
    text = done(tmp_path, "keys", "token", "shop", "u1", HOMEFEED_TOKEN_SECRETS=secrets).strip()
    claims = jwt.decode(text, SECRET, algorithms=["HS256"], audience="shop")
    assert (claims["sub"], claims["exp"] - claims["iat"]) == ("u1", 600)
    late = run(tmp_path, "keys", "token", "shop", "u1", "--seconds", "3601", HOMEFEED_TOKEN_SECRETS=secrets)
    assert isinstance(late.exception, InvalidError)


def test_a_short_secret_is_refused_and_not_told(tmp_path: Path) -> None:
    result = run(tmp_path, "keys", "list", HOMEFEED_TOKEN_SECRETS='{"shop": ["hunter2"]}')
    assert isinstance(result.exception, SettingsError)
    assert "32 bytes" in str(result.exception)
    assert "hunter2" not in str(result.exception)


def test_without_a_key_a_server_listens_at_no_other_address_unless_told_so(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    for host in ("127.0.0.1", "::1", "localhost"):
        command._require_key(settings, host, False)
    command._require_key(settings, "0.0.0.0", True)
    for host in ("0.0.0.0", "::", "192.0.2.7", "feeds.example"):
        with pytest.raises(SettingsError, match="homefeed keys create"):
            command._require_key(settings, host, False)
    done(tmp_path, "keys", "create", "site", "--right", "read")
    command._require_key(settings, "0.0.0.0", False)


def test_doctor_tells_about_keys(tmp_path: Path) -> None:
    def told(**settings: str) -> tuple[bool, str]:
        checks = json.loads(run(tmp_path, "doctor", "--json", HOMEFEED_APPS="nowhere.toml", **settings).stdout)
        (found,) = (each for each in checks if each["check"] == "keys")
        return found["ok"], found["detail"]

    assert told() == (True, "none yet: everything is allowed, from this machine alone")
    assert not told(HOMEFEED_HOST="0.0.0.0")[0]
    assert told(HOMEFEED_HOST="0.0.0.0", HOMEFEED_INSECURE="true")[0]
    done(tmp_path, "keys", "create", "site", "--right", "read", "--app", "shop")
    assert "apps that are not served: shop" in told()[1]
    done(tmp_path, "keys", "revoke", "site")
    assert told() == (False, "all were revoked, and one is needed: homefeed keys create NAME --right admin")
