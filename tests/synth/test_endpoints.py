"""The operator's file: what it may say, what is refused and where, and that no key is ever shown."""

import io
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from annotator.errors import Invalid
from synth import endpoints
from synth.endpoints import Endpoint, parse
from tests.fakes import llm
from tests.fakes.llm import FakeLLM

SMALL = '[endpoints.local]\nbase_url = "http://127.0.0.1:8000/v1"\nmodel = "qwen"\n'


def small(**more: str) -> str:
    return SMALL + "".join(f"{name} = {value}\n" for name, value in more.items())


@pytest.fixture
def file(tmp_path: Path, settings: Any) -> Path:
    settings.ENDPOINTS_FILE = tmp_path / "mine.toml"
    return settings.ENDPOINTS_FILE


def test_a_small_file_and_what_it_leaves_out() -> None:
    [endpoint] = parse(SMALL).values()
    assert endpoint == Endpoint(name="local", base_url="http://127.0.0.1:8000/v1", model="qwen")
    assert (endpoint.concurrency, endpoint.per_second, endpoint.json_mode) == (8, None, "schema")
    assert (endpoint.cost(10, 10), endpoint.key()) == (0, "")


def test_everything_it_may_say(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_KEY", " sk-1 ")
    text = small(
        key_env='"SOME_KEY"', concurrency="64", requests_per_minute="90", prompt_price="0.5", completion_price="2",
        currency='"EUR"', timeout="30.5", json='"object"', extra="{reasoning_effort = 'low'}", omit="['seed']",
        rename="{max_tokens = 'max_completion_tokens'}", proxy='"http://proxy.example:3128"',
    )  # fmt: skip
    endpoint = parse(text)["local"]
    assert (endpoint.per_second, endpoint.key(), endpoint.json_mode) == (1.5, "sk-1", "object")
    # 2 million at 0.50 and half a million at 2.00
    assert endpoint.cost(2_000_000, 500_000) == 2.0
    assert endpoint.extra == {"reasoning_effort": "low"}


@pytest.mark.parametrize(
    "changed",
    [
        {"base_url": '"http://127.0.0.1:9000/v1"'}, {"model": '"other"'}, {"extra": "{reasoning_effort = 'high'}"},
        {"omit": "['seed']"}, {"rename": "{max_tokens = 'max_completion_tokens'}"}, {"json": '"none"'},
    ],
)  # fmt: skip
def test_what_changes_a_reply_changes_the_identity(changed: dict[str, str]) -> None:
    [before] = parse(SMALL).values()
    left = "".join(line + "\n" for line in SMALL.splitlines() if line.split(" ")[0] not in changed)
    [after] = parse(left + "".join(f"{name} = {value}\n" for name, value in changed.items())).values()
    assert after.identity_digest() != before.identity_digest()


def test_what_changes_no_reply_leaves_the_identity() -> None:
    [before] = parse(small(omit="['seed', 'top_p']")).values()
    text = small(omit="['top_p', 'seed']", concurrency="64", prompt_price="2", timeout="9", key_env='"A_KEY"')
    [after] = parse(text).values()
    assert after.identity_digest() == before.identity_digest()


@pytest.mark.parametrize("value", ["2026-11-21", "nan", "inf"])
def test_an_extra_that_no_request_can_hold_is_refused(value: str) -> None:
    with pytest.raises(Invalid, match=r"endpoints.local.extra: it holds what JSON cannot"):
        parse(small(extra=f"{{since = {value}}}"))


def test_the_order_of_the_file_is_kept() -> None:
    assert list(parse(SMALL.replace("local", "z") + SMALL.replace("local", "a"))) == ["z", "a"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[endpoints", "e.toml: not TOML"),
        ("endpoints = 3", "e.toml: endpoints: write one table"),
        ("[endpoints]\nlocal = 3", "e.toml: endpoints.local: write a table"),
        (small(name='"other"'), "e.toml: endpoints.local: write a table"),
        ("[endpoints.local]\nmodel = 'm'", "e.toml: endpoints.local.base_url: Field required"),
        (SMALL.replace("local", "Lo-cal"), "e.toml: endpoints.Lo-cal.name: String should match"),
        (SMALL.replace("qwen", ""), "endpoints.local.model: String should have at least 1 character"),
        (small(concurrency="0"), "endpoints.local.concurrency: Input should be greater than or equal to 1"),
        (small(concurrency="'many'"), "endpoints.local.concurrency: Input should be a valid integer"),
        (small(timeout="0"), "endpoints.local.timeout"),
        (small(prompt_price="-1"), "endpoints.local.prompt_price"),
        (small(prompt_price="nan"), "endpoints.local.prompt_price"),
        (small(json='"yes"'), "endpoints.local.json: Input should be 'schema', 'object' or 'none'"),
        (small(colour='"red"'), "endpoints.local.colour: there is no such setting"),
        (small(extra="{model = 'other'}"), "extra, omit and rename may not touch model"),
        (small(rename="{max_tokens = 'stream'}"), "extra, omit and rename may not touch stream"),
        (small(requests_per_minute="1", requests_per_second="1"), "not both"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(text: str, said: str) -> None:
    with pytest.raises(Invalid) as error:
        parse(text, "e.toml")
    assert said in error.value.message
    assert error.value.message.startswith("e.toml: ")


@pytest.mark.parametrize(
    "url",
    ["", "ftp://host/v1", "host/v1", "http:///v1", "http://me:pw@host/v1", "http://host/v1?key=1", "http://h/v1#a",
     "http://host:port/v1", "http://[::1/v1"],
)  # fmt: skip
def test_addresses_that_are_none_or_hold_a_secret(url: str) -> None:
    with pytest.raises(Invalid, match=r"endpoints\.local\.base_url"):
        parse(SMALL.replace("http://127.0.0.1:8000/v1", url))


@pytest.mark.parametrize("line", ['key = "sk-secret"', 'api_key = "sk-secret"', 'key_env = "sk-secret"'])
def test_a_key_in_the_file_is_refused_and_not_shown(line: str) -> None:
    with pytest.raises(Invalid) as error:
        parse(SMALL + line)
    assert "environment" in error.value.message
    assert "secret" not in error.value.message


@pytest.mark.parametrize("value", [None, "", "  ", "schlüssel", "a\nb"])
def test_a_key_that_cannot_be_sent_names_its_variable(
    monkeypatch: pytest.MonkeyPatch, value: str | None
) -> None:
    monkeypatch.delenv("SOME_KEY", raising=False)
    if value is not None:
        monkeypatch.setenv("SOME_KEY", value)
    with pytest.raises(Invalid, match="environment variable SOME_KEY") as error:
        parse(small(key_env='"SOME_KEY"'))["local"].key()
    assert not value or not value.strip() or value not in error.value.message


# --- Files -------------------------------------------------------------------------------------------------


def test_no_file_means_no_endpoints(settings: Any, tmp_path: Path) -> None:
    settings.DATA_DIR, settings.ENDPOINTS_FILE = tmp_path, tmp_path / "endpoints.toml"
    assert endpoints.load() == {}
    with pytest.raises(Invalid, match=r"no endpoint “gpt”; none is declared"):
        endpoints.find("gpt")


def test_a_file_that_is_named_must_be_there(file: Path) -> None:
    with pytest.raises(Invalid, match=r"mine\.toml: cannot be read: No such file"):
        endpoints.load()


def test_a_file_that_is_no_text(file: Path) -> None:
    file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(Invalid, match=r"mine\.toml: cannot be read: not UTF-8"):
        endpoints.load()


def test_a_change_needs_no_restart(file: Path) -> None:
    file.write_text(SMALL)
    assert endpoints.find("local").model == "qwen"
    file.write_text(SMALL.replace("qwen", "llama"))
    assert endpoints.find("local").model == "llama"
    with pytest.raises(Invalid, match="there are: local"):
        endpoints.find("other")


# --- The command -------------------------------------------------------------------------------------------


def told(*args: Any) -> str:
    out = io.StringIO()
    call_command("endpoints", *args, stdout=out)
    return out.getvalue()


def test_the_command_lists_and_shows_no_key(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_KEY", "sk-secret")
    monkeypatch.delenv("NO_KEY", raising=False)
    other = small(key_env='"NO_KEY"').replace("local", "other")
    file.write_text(small(key_env='"SOME_KEY"', requests_per_second="2", prompt_price="0.15") + other)
    first, second = told().splitlines()
    assert first == (
        "local: qwen · http://127.0.0.1:8000/v1 · 8 at once, 120 a minute · 0.15 + 0 USD a million tokens · "
        "key in SOME_KEY"
    )
    assert second.endswith("free · NO_KEY IS NOT SET")
    assert told("other").splitlines() == [second]


def test_the_command_says_where_to_declare_one(settings: Any, tmp_path: Path) -> None:
    settings.DATA_DIR, settings.ENDPOINTS_FILE = tmp_path, tmp_path / "endpoints.toml"
    assert "No endpoint is declared" in told()


def test_the_check_sends_one_request_and_says_what_came(file: Path) -> None:
    with FakeLLM(default={"answer": 21}) as fake:
        file.write_text(SMALL.replace("http://127.0.0.1:8000/v1", fake.base_url))
        assert 'tokens: {"answer": 21}' in told("--check")
        fake.default = llm.BROKEN
        with pytest.raises(CommandError, match="1 of 1 did not answer"):
            told("--check")
        assert fake.n_requests == 2
    with pytest.raises(CommandError, match="there are: local"):
        told("nobody")


def test_the_check_of_an_endpoint_without_its_key_sends_nothing(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NO_KEY", raising=False)
    with FakeLLM() as fake:
        file.write_text(small(key_env='"NO_KEY"').replace("http://127.0.0.1:8000/v1", fake.base_url))
        with pytest.raises(CommandError):
            told("--check")
        assert fake.n_requests == 0
