"""Endpoints that speak the OpenAI protocol, as the operator declares them in a TOML file (docs/endpoints.md).

No page writes this file, and keys stand in the environment: nobody who uses the site can send a stored key elsewhere.
The file is read anew each time, so that a change needs no restart.
"""

import hashlib
import json
import re
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from django.conf import settings
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from annotator.errors import Invalid

# What every request carries by itself: an endpoint may not say these again.
OURS = ("messages", "model", "response_format", "stream")


def http_url(text: str) -> str:
    """An address without a name, a password, a query or a fragment: they would end up in logs and on pages."""
    try:
        parts = urlsplit(text)
        port_is_a_number = parts.port is None or parts.port > 0
    except ValueError as error:
        raise ValueError(str(error)) from error
    if parts.scheme not in ("http", "https") or not parts.hostname or not port_is_a_number:
        raise ValueError("give an address such as https://host.example/v1")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ValueError("leave out names, passwords, ? and #; a key is named by key_env")
    return text.rstrip("/")


def variable_name(text: str) -> str:
    if text and not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,99}", text):
        raise ValueError("name an environment variable; the key itself must not stand in this file")
    return text


def sendable(extra: dict[str, Any]) -> dict[str, Any]:
    """TOML holds dates and nan, a request's body does not."""
    try:
        json.dumps(extra, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise ValueError("it holds what JSON cannot: a date, a time, nan or inf") from error
    return extra


Url = Annotated[str, AfterValidator(http_url)]


class Endpoint(BaseModel):
    """One endpoint and what may be asked of it.

    concurrency: requests at once.  timeout: seconds for one request.  Prices are per million tokens; 0 is free.
    json_mode ("json" in the file): how it is told the shape of a reply.  extra: more of the request's body, going
    before what a method asks; omit and rename: parameters it does not know, or knows by another name.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, populate_by_name=True)

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,39}$")
    base_url: Url
    model: str = Field(min_length=1, max_length=200)
    key_env: Annotated[str, AfterValidator(variable_name)] = ""
    concurrency: int = Field(default=8, ge=1, le=512)
    requests_per_minute: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    requests_per_second: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    prompt_price: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    completion_price: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    currency: str = Field(default="USD", min_length=1, max_length=8)
    timeout: float = Field(default=120.0, gt=0, le=3600)
    json_mode: Literal["schema", "object", "none"] = Field(default="schema", alias="json")
    extra: Annotated[dict[str, Any], AfterValidator(sendable)] = {}
    omit: tuple[str, ...] = ()
    rename: dict[str, str] = {}
    proxy: Url | None = None

    @model_validator(mode="after")
    def _one_rate_and_nothing_of_ours(self) -> Self:
        if self.requests_per_minute and self.requests_per_second:
            raise ValueError("give requests_per_minute or requests_per_second, not both")
        taken = sorted({*self.extra, *self.omit, *self.rename, *self.rename.values()} & set(OURS))
        if taken:
            raise ValueError(f"extra, omit and rename may not touch {', '.join(taken)}")
        return self

    @property
    def per_second(self) -> float | None:
        """Requests a second it may be sent; None: as many as its concurrency allows."""
        return (
            self.requests_per_second or (self.requests_per_minute and self.requests_per_minute / 60) or None
        )

    def identity(self) -> dict[str, Any]:
        """All that decides what comes back for a request: where it goes, and what is done to it on the way.

        base_url is in it: what is shown to reviewers is `identity_digest`.
        """
        return {
            "base_url": self.base_url,
            "model": self.model,
            "extra": self.extra,
            "omit": sorted(self.omit),
            "rename": self.rename,
            "json": self.json_mode,
        }

    def identity_digest(self) -> str:
        """The SHA-256 (hex) of the identity."""
        text = json.dumps(self.identity(), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    def cost(self, prompt_tokens: int, completion_tokens: int) -> float:
        """What a request costs, in the endpoint's currency."""
        return (prompt_tokens * self.prompt_price + completion_tokens * self.completion_price) / 1_000_000

    def key(self) -> str:
        """The key, read when it is needed and kept nowhere; "" where none is. Raises Invalid if it is not set."""
        if not self.key_env:
            return ""
        key = str(settings.KEY_NAMED(self.key_env)).strip()
        if not key or not key.isascii() or not key.isprintable():
            raise Invalid(
                f"The endpoint {self.name} needs its key in the environment variable {self.key_env}.",
                field="endpoint",
            )
        return key


def load(path: Path | None = None) -> dict[str, Endpoint]:
    """All endpoints by name, in the file's order; none where there is no file.

    Raises Invalid with the file and the field where it cannot be used, and where ENDPOINTS_FILE names no file.
    """
    named = Path(settings.ENDPOINTS_FILE)
    path = path or named
    if not path.exists() and path == Path(settings.DATA_DIR) / "endpoints.toml":
        return {}
    return parse(_text(path), str(path))


def find(name: str) -> Endpoint:
    """The endpoint of this name. Raises Invalid, naming those there are."""
    known = load()
    if name in known:
        return known[name]
    there = f"there are: {', '.join(known)}" if known else "none is declared (docs/endpoints.md says how)"
    raise Invalid(f"There is no endpoint “{name[:60]}”; {there}.", field="endpoint")


def parse(text: str, file: str = "endpoints.toml") -> dict[str, Endpoint]:
    """The endpoints of a TOML text: one table [endpoints.NAME] each. Raises Invalid with file and field."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise Invalid(f"{file}: not TOML: {error}.", field="endpoints") from error
    tables = data.get("endpoints", {})
    if not isinstance(tables, dict):
        raise Invalid(f"{file}: endpoints: write one table [endpoints.NAME] for each.", field="endpoints")
    return {name: _endpoint(name, table, file) for name, table in tables.items()}


def _endpoint(name: str, table: Any, file: str) -> Endpoint:
    where = f"{file}: endpoints.{name}"
    if not isinstance(table, dict) or "name" in table:
        raise Invalid(f"{where}: write a table [endpoints.{name}]; its name is the name.", field="endpoints")
    try:
        return Endpoint.model_validate({"name": name, **table})
    except ValidationError as error:
        raise Invalid(
            "; ".join(f"{where}{_said(one)}" for one in error.errors()), field="endpoints"
        ) from error


def _said(one: Any) -> str:
    """One complaint, without the value: it may be a key that stands where it should not."""
    field = "".join(f".{part}" for part in one["loc"])
    if one["type"] == "extra_forbidden":
        hint = " (a key stands in the environment; name its variable in key_env)" if "key" in field else ""
        return f"{field}: there is no such setting{hint}"
    return f"{field}: {one['msg'].removeprefix('Value error, ')}"


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        said = error.strerror if isinstance(error, OSError) else "not UTF-8"
        raise Invalid(f"{path}: cannot be read: {said}.", field="endpoints") from error
