"""What a template asks of a tokenizer, and the tokenizers that have it: fast ones, since positions come from where in
the text a token lies."""

from collections.abc import Sequence
from hashlib import sha256
from typing import Any, NamedTuple, Protocol

from annotator.errors import Invalid

Span = tuple[int, int]  # characters, the second exclusive


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
    """A fast tokenizer of transformers. Raises Invalid for one that says no offsets."""

    def __init__(self, tokenizer: Any) -> None:
        backend = getattr(tokenizer, "backend_tokenizer", None)
        if backend is None:
            raise Invalid("This needs a fast tokenizer (tokenizer.json).", field="model")
        self.tokenizer, self.backend = tokenizer, backend
        backend.no_truncation()
        backend.no_padding()
        added = backend.get_added_tokens_decoder().values()
        self.special = frozenset(token.content for token in added if token.special)
        self.digest = sha256(backend.to_str().encode()).hexdigest()

    def encode(self, text: str) -> Encoded:
        encoding = self.backend.encode(text, add_special_tokens=False)
        return Encoded(encoding.ids, encoding.offsets)

    def id_of(self, token: str) -> int | None:
        found: int | None = self.backend.token_to_id(token)
        return found

    def named(self, role: str) -> str | None:
        token = getattr(self.tokenizer, f"{role}_token")
        return None if token is None else str(token)

    def __len__(self) -> int:
        return int(self.backend.get_vocab_size(with_added_tokens=True))
