"""What a template asks of a tokenizer, and the tokenizers that have it: fast ones, since positions come from where in
the text a token lies."""

import json
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, NamedTuple, Protocol

from annotator.errors import Invalid

Span = tuple[int, int]  # characters, the second exclusive
ROLES: Final = ("bos", "eos", "pad")


class Encoded(NamedTuple):
    """Token ids and where in the text each lies; tokens of one character share its span."""

    ids: Sequence[int]
    spans: Sequence[Span]


class Tokens(Protocol):
    """special: texts that become one token wherever they stand, and mean something to the model.
    digest: changes when ids may."""

    special: frozenset[str]
    digest: str

    def encode(self, text: str) -> Encoded:
        """Without bos or eos; the special texts in it become their tokens."""

    def id_of(self, token: str) -> int | None:
        """The id of a token by its name in the vocabulary, such as "▁ки"."""

    def named(self, role: str) -> str | None:
        """The token of a role: bos, eos, pad."""

    def __len__(self) -> int:
        """The size of the vocabulary, added tokens included."""


class FastTokens:
    """A fast tokenizer (a `tokenizers.Tokenizer`) and which of its tokens has which role."""

    def __init__(self, backend: Any, roles: Mapping[str, str]) -> None:
        self.backend, self.roles = backend, roles
        backend.no_truncation()
        backend.no_padding()
        added = backend.get_added_tokens_decoder().values()
        self.special = frozenset(token.content for token in added if token.special)
        self.digest = sha256(
            f"{json.dumps(dict(roles), sort_keys=True)}{backend.to_str()}".encode()
        ).hexdigest()

    def encode(self, text: str) -> Encoded:
        encoding = self.backend.encode(text, add_special_tokens=False)
        return Encoded(encoding.ids, encoding.offsets)

    def id_of(self, token: str) -> int | None:
        found: int | None = self.backend.token_to_id(token)
        return found

    def named(self, role: str) -> str | None:
        return self.roles.get(role)

    def __len__(self) -> int:
        return int(self.backend.get_vocab_size(with_added_tokens=True))


def of_transformers(tokenizer: Any) -> FastTokens:
    """A tokenizer that transformers has loaded. Raises Invalid for a slow one: it says no offsets."""
    backend = getattr(tokenizer, "backend_tokenizer", None)
    if backend is None:
        raise Invalid("This needs a fast tokenizer (tokenizer.json).", field="model")
    named = {role: getattr(tokenizer, f"{role}_token") for role in ROLES}
    return FastTokens(backend, {role: str(token) for role, token in named.items() if token is not None})


def of_folder(folder: Path) -> FastTokens:
    """The tokenizer.json of a model's folder, as it stands there: for some models transformers 5 puts a pipeline of its
    own in its place, which gives other ids after special tokens. Raises Invalid."""
    from tokenizers import AddedToken, Tokenizer

    try:
        backend = Tokenizer.from_file(str(folder / "tokenizer.json"))
    except Exception as error:  # the library raises a bare Exception for whatever is wrong
        raise Invalid(f"{folder}: no tokenizer.json that can be read: {error}", field="model") from error
    settings = {**_json(folder / "special_tokens_map.json"), **_json(folder / "tokenizer_config.json")}
    for number, token in sorted(
        settings.get("added_tokens_decoder", {}).items(), key=lambda item: int(item[0])
    ):
        if backend.token_to_id(token["content"]) is None:
            backend.add_special_tokens([AddedToken(token["content"], normalized=False)])
            if backend.token_to_id(token["content"]) != int(number):
                raise Invalid(f"{folder}: {token['content']} cannot be token {number}.", field="model")
    return FastTokens(
        backend, {role: text for role in ROLES if (text := _text(settings.get(f"{role}_token")))}
    )


def _text(token: Any) -> str:
    """A token as settings have it: its text, or a table with it."""
    return str(token["content"] if isinstance(token, Mapping) else token or "")


def _json(path: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(path.read_text("utf-8")) if path.is_file() else {}
    except ValueError as error:
        raise Invalid(f"{path}: {error}", field="model") from error
    return found
