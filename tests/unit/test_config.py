from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lib.errors import ConfigError
from lib.life.config import Config, load


def test_defaults_run_the_embedded_servers() -> None:
    config = load({})
    assert config == Config()
    assert config.dsn == config.redis_url == ""
    assert config.expire_days == 45


def test_a_variable_wins_over_the_file(tmp_path: Path) -> None:
    file = tmp_path / "vakanz.toml"
    file.write_text('api_port = 9000\nhost = "w1"\nallowed_networks = ["10.0.0.0/8"]\n')
    config = load({"VAKANZ_CONFIG": str(file), "VAKANZ_API_PORT": "9001"})
    assert (config.api_port, config.host, config.allowed_networks) == (9001, "w1", ("10.0.0.0/8",))


def test_a_secret_comes_from_a_file_and_is_stripped(tmp_path: Path) -> None:
    secret = tmp_path / "dsn"
    secret.write_text("postgresql://db/vakanz\n")
    assert load({"VAKANZ_DSN_FILE": str(secret)}).dsn == "postgresql://db/vakanz"


def test_credentials_win_over_the_file_and_lose_against_variables(tmp_path: Path) -> None:
    file = tmp_path / "vakanz.toml"
    file.write_text('dsn = "postgresql://file/x"\nredis_url = "redis://file"\ncontact = "a@file.example"\n')
    credentials = tmp_path / "credentials"
    credentials.mkdir()
    (credentials / "dsn").write_text("postgresql://credential/x\n")
    (credentials / "redis_url").write_text("\n")
    (credentials / "contact").write_text("a@credential.example")
    (credentials / "somebody_else").write_text("no setting of ours")
    given = {"VAKANZ_CONFIG": str(file), "CREDENTIALS_DIRECTORY": str(credentials)}
    config = load(given | {"VAKANZ_CONTACT": "a@variable.example"})
    assert config.dsn == "postgresql://credential/x"
    assert config.redis_url == "redis://file"
    assert config.contact == "a@variable.example"
    (tmp_path / "contact").write_text("a@named.example")
    assert load(given | {"VAKANZ_CONTACT_FILE": str(tmp_path / "contact")}).contact == "a@named.example"


def test_a_credential_that_is_no_text_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "dsn").write_bytes(b"\xff\xfe")
    (tmp_path / "proxies").mkdir()
    with pytest.raises(ConfigError) as caught:
        load({"CREDENTIALS_DIRECTORY": str(tmp_path)})
    assert len(caught.value.problems) == 2


def test_every_problem_is_listed(tmp_path: Path) -> None:
    file = tmp_path / "vakanz.toml"
    file.write_text("colour = 'red'\nhost_rate = -1\n")
    with pytest.raises(ConfigError) as caught:
        load(
            {
                "VAKANZ_CONFIG": str(file),
                "VAKANZ_API_PORT": "a door",
                "VAKANZ_POOLED": "perhaps",
                "VAKANZ_DSN": "mysql://x",
                "VAKANZ_REDIS_URL_FILE": str(tmp_path / "none"),
                "VAKANZ_ALLOWED_NETWORKS": "10.0.0.0/8, here",
            }
        )
    text = "\n".join(caught.value.problems)
    for word in ("colour", "host_rate", "api_port", "pooled", "dsn", "REDIS_URL_FILE", "allowed_networks"):
        assert word in text


@pytest.mark.parametrize(
    ("variable", "problem"),
    [
        ("VAKANZ_HOST_RAT", "host_rat: no such setting; is host_rate meant?"),
        ("VAKANZ_CONSENTED_SOURCE", "consented_source: no such setting; is consented_sources meant?"),
        ("VAKANZ_DNS_FILE", "dns: no such setting; is dsn meant?"),
        ("VAKANZ_XYLOPHONE", "xylophone: no such setting"),
    ],
)
def test_a_misspelt_variable_is_told_with_the_setting_that_is_nearest(
    tmp_path: Path, variable: str, problem: str
) -> None:
    value = tmp_path / "value"
    value.write_text("x")
    with pytest.raises(ConfigError) as caught:
        load({variable: str(value)})
    assert caught.value.problems == [problem]


@pytest.mark.parametrize(
    ("variable", "value", "problem"),
    [
        ("VAKANZ_API_PORT", "a door", "api_port: a whole number expected, not 'a door'"),
        ("VAKANZ_HOST_RATE", "4,5", "host_rate: a number expected, not '4,5'"),
        ("VAKANZ_HOST_RATE", "nan", "host_rate: a number expected, not 'nan'"),
        ("VAKANZ_CONTACT", "me", "contact: a mail address or the https:// address of a page is expected"),
    ],
)
def test_a_wrong_value_is_told_with_what_is_expected(variable: str, value: str, problem: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load({variable: value})
    assert caught.value.problems == [problem]


def test_what_others_are_told_is_no_misspelt_setting() -> None:
    assert load({"VAKANZ_REAL_DATA": "/data", "VAKANZ_CONFIG": "", "HOME": "/root"}) == Config()


@pytest.mark.parametrize("name", ["DSN", "REDIS_URL", "BLOB_URL", "SIMULATOR"])
def test_an_address_that_is_none_is_a_problem_not_a_crash(name: str) -> None:
    with pytest.raises(ConfigError, match=f"{name.lower()}: .* address is expected"):
        load({f"VAKANZ_{name}": "postgresql://[bad"})


@pytest.mark.parametrize("content", ["= nonsense", "\x00", "[a"])
def test_a_broken_file_is_a_problem_not_a_crash(tmp_path: Path, content: str) -> None:
    file = tmp_path / "vakanz.toml"
    file.write_text(content)
    with pytest.raises(ConfigError, match="VAKANZ_CONFIG"):
        load({"VAKANZ_CONFIG": str(file)})


def test_children_get_the_same_configuration() -> None:
    config = load({"VAKANZ_ALLOWED_NETWORKS": "10.0.0.0/8,127.0.0.0/8", "VAKANZ_HOST_RATE": "2.5"})
    again = load(config.environment())
    assert again.environment() == config.environment()
    assert again.allowed_networks == config.allowed_networks


@example({"VAKANZ_HOME": "~nobody-of-this-name/x"})
@given(st.dictionaries(st.sampled_from(sorted(Config().environment())), st.text(max_size=20)))
def test_any_environment_gives_a_configuration_or_its_problems(environment: dict[str, str]) -> None:
    try:
        assert isinstance(load(environment), Config)
    except ConfigError as error:
        assert error.problems
