"""Settings: flags before the environment before the configuration file, and a wrong one is named by where it stands."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from wizard.mail.address import SmtpAddress, smtp_address
from wizard.settings import BadSettings, Settings, config_file, load
from wizard.store import Unreachable, open_store


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The place of the configuration file of this test."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "share"))
    monkeypatch.delenv("WIZARD_DATA_DIR", raising=False)
    path = config_file()
    path.parent.mkdir(parents=True)
    return path


def test_without_any_setting_everything_has_a_place(config: Path, tmp_path: Path) -> None:
    settings = load()

    assert settings.data_dir.is_relative_to(tmp_path / "share")
    assert (settings.backend, settings.host_name, settings.database_address, settings.smtp_url) == (
        "sandbox",
        "Kartra",
        None,
        None,
    )


def test_a_flag_comes_before_the_environment_and_that_before_the_file(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config.write_text('backend = "from-file"\nhost_name = "File"\ndata_dir = "/file"\n')
    monkeypatch.setenv("WIZARD_BACKEND", "from-environment")
    monkeypatch.setenv("WIZARD_DATA_DIR", "/environment")

    settings = load(data_dir="/flag", backend=None)

    assert (str(settings.data_dir), settings.backend, settings.host_name) == ("/flag", "from-environment", "File")


def test_settings_made_in_code_look_up_the_rest_as_well(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WIZARD_HOST_NAME", "Acme")

    assert Settings(backend="webhook") == load(backend="webhook")
    assert Settings(backend="webhook").host_name == "Acme"


def test_private_hosts_are_off_limits_unless_the_environment_says_otherwise(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert load().allow_private_hosts is False
    monkeypatch.setenv("WIZARD_ALLOW_PRIVATE_HOSTS", "1")
    assert load().allow_private_hosts is True


def test_an_empty_variable_is_not_set(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DATA_DIR", "DATABASE_URL", "BACKEND", "SMTP_URL", "HOST_NAME"):
        monkeypatch.setenv(f"WIZARD_{name}", "")

    assert load() == Settings()
    assert load().host_name == "Kartra"


def test_a_data_folder_may_be_written_from_the_home_folder(
    config: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))

    assert load(data_dir="~/shop").data_dir == tmp_path / "shop"


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_a_postgresql_address_may_be_written_in_any_usual_way(config: Path, scheme: str) -> None:
    settings = load(database_url=f"{scheme}://ada:pw@db/shop")

    assert settings.database_address == "postgresql+psycopg://ada:pw@db/shop"


def test_no_password_shows_when_settings_are_printed(config: Path) -> None:
    settings = load(database_url="postgresql://ada:hunter2@db/shop", smtp_url="smtp://ada:hunter2@mail:587")

    assert "hunter2" not in f"{settings!r} {settings} {settings.model_dump_json()}"


@pytest.mark.parametrize(
    ("variable", "value", "says"),
    [
        ("WIZARD_DATABASE_URL", "mysql://ada:hunter2@db/shop", "postgresql://user:password@host:5432/database"),
        ("WIZARD_SMTP_URL", "mail.example.com:hunter2", "smtp://user:password@host:587"),
        ("WIZARD_SMTP_URL", "smtp://mail:hunter2", "smtp://user:password@host:587"),
        ("WIZARD_SMTP_URL", "smtp://ada:hunter2@mail.example.com?tls=none", "only for a server on this machine"),
        ("WIZARD_SMTP_URL", "smtp://ada:hunter2@localhost?tls=none", "without a password"),
        ("WIZARD_SMTP_URL", "smtps://127.0.0.1?tls=none", "goes with smtp://"),
        ("WIZARD_SMTP_URL", "smtp://mail.example.com?verify=hunter2", "?ca=/path/of/certificates.pem or ?tls=none"),
        ("WIZARD_SMTP_URL", "smtp://:hunter2@mail.example.com", "a password a user"),
        ("WIZARD_MAIL_FROM", "hunter2", "not an e-mail address"),
        ("WIZARD_HOST_NAME", "hunter2\x1b[31m", "invisible U+001B escape"),
        ("WIZARD_DATA_DIR", __file__, "is a file"),
    ],
)
def test_a_wrong_variable_is_named_and_its_value_is_not_repeated(
    config: Path, monkeypatch: pytest.MonkeyPatch, variable: str, value: str, says: str
) -> None:
    monkeypatch.setenv(variable, value)

    with pytest.raises(BadSettings) as wrong:
        load()

    assert str(wrong.value).startswith(f"{variable}: ")
    assert says in str(wrong.value)
    assert "hunter2" not in str(wrong.value)


def test_a_wrong_flag_is_named_as_it_is_typed(config: Path) -> None:
    with pytest.raises(BadSettings, match=r"^--data-dir: .* is a file"):
        load(data_dir=__file__)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b'colour = "red"', "there is no such setting. There are data_dir, database_url"),
        (b"backend = 3", "backend in .*: input should be a valid string"),
        (b"a = 1\nbackend = ?", "is not TOML: .*line 2"),
        (b"\xff\xfe", "is not TOML"),
    ],
)
def test_a_mistake_in_the_configuration_file_names_the_file(config: Path, content: bytes, says: str) -> None:
    config.write_bytes(content)

    with pytest.raises(BadSettings, match=says) as wrong:
        load()

    assert str(config) in str(wrong.value)


def test_a_configuration_file_that_cannot_be_read_is_named(config: Path) -> None:
    config.mkdir()

    with pytest.raises(BadSettings, match=r"config.toml cannot be read: Is a directory"):
        load()


def test_a_stronger_source_hides_a_mistake_of_a_weaker_one(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config.write_text("backend = 3\n")
    monkeypatch.setenv("WIZARD_BACKEND", "webhook")

    assert load().backend == "webhook"


def test_reading_settings_imports_no_database_and_no_library_for_it() -> None:
    script = "import sys, wizard.settings; print(sorted({n.split('.')[0] for n in sys.modules}))"
    output = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout

    assert not [name for name in ("sqlalchemy", "sqlmodel", "alembic", "pydantic_settings") if name in output]


@pytest.mark.parametrize(
    ("url", "means"),
    [
        ("smtp://mail.example.com", SmtpAddress("mail.example.com", 587, "starttls")),
        ("smtps://mail.example.com", SmtpAddress("mail.example.com", 465, "implicit")),
        ("smtp://127.0.0.1:25?tls=none", SmtpAddress("127.0.0.1", 25, "none")),
        ("smtp://[::1]:25?tls=none", SmtpAddress("::1", 25, "none")),
        (
            "smtp://ada%40example.com:p%2Fw@mail.example.com:2525?ca=/ca.pem",
            SmtpAddress("mail.example.com", 2525, "starttls", "ada@example.com", "p/w", Path("/ca.pem")),
        ),
    ],
)
def test_the_address_of_a_mail_server_says_how_to_speak_to_it(url: str, means: SmtpAddress) -> None:
    assert smtp_address(url) == means
    assert "p/w" not in repr(means)


def test_mails_come_from_a_reserved_address_until_another_is_set(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert load().mail_from == "shop@example.com"

    monkeypatch.setenv("WIZARD_MAIL_FROM", "hello@shop.example.com")

    assert load().mail_from == "hello@shop.example.com"


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("Yoga Schule Müller <shop@example.com>", "Yoga Schule Müller <shop@example.com>"),
        ('"Müller, Yoga" <shop@example.com>', "Müller, Yoga <shop@example.com>"),
        ("<shop@example.com>", "shop@example.com"),
        ("  shop@example.com ", "shop@example.com"),
    ],
)
def test_a_sender_may_have_a_name(written: str, read: str, config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WIZARD_MAIL_FROM", written)

    assert load().mail_from == read


@pytest.mark.parametrize("written", ["Müller <shop@example>", "shop@", "a@example.com, b@example.com", "<>"])
def test_a_wrong_sender_is_told_in_one_sentence_with_one_full_stop(
    written: str, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WIZARD_MAIL_FROM", written)

    with pytest.raises(BadSettings, match=r"^WIZARD_MAIL_FROM: .*[^.]\.$"):
        load()


def test_a_data_folder_without_a_name_is_refused(config: Path) -> None:
    with pytest.raises(BadSettings, match=r"^--data-dir: name a folder; write \. for the one you are in"):
        load(data_dir="")


@pytest.mark.parametrize("address", ["sqlite://", "sqlite:///", "sqlite:///:memory:", "sqlite://host/shop.db"])
def test_a_database_that_would_be_gone_at_the_end_is_none(address: str, data_dir: Path):
    with pytest.raises(Unreachable, match="sqlite:////the/whole/path"):
        open_store(load(database_url=address, data_dir=data_dir))
