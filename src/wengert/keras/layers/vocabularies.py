"""Words and numbers of a vocabulary as their places in it: StringLookup, IntegerLookup, TextVectorization."""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from wengert.data.dataset import Dataset
from wengert.functions import array, hashing, strings
from wengert.ground.dtypes import as_dtype
from wengert.ground.errors import InvalidArgumentError
from wengert.ground.types import NumPyArray
from wengert.keras.configuration import floatx
from wengert.keras.layers.categories import Encoded, batches
from wengert.tensor.tensor import EagerTensor, Tensor, TensorLike, convert

__all__ = ["IntegerLookup", "StringLookup", "TextVectorization"]

Token = bytes | int
Given = str | bytes | int
Tokens = Dataset | TensorLike | None
"""Tokens, or texts of them: an array, a list, a dataset of batches; of a vocabulary also the name of a file."""
_PUNCTUATION = re.compile(("[" + re.escape(string.punctuation) + "]").encode())


class _Lookup(Encoded):
    """Places in a vocabulary: the mask's first, then those of what is not in it, then the tokens'."""

    _arguments = ("max_tokens", "num_oov_indices", "mask_token", "oov_token", "invert", "output_mode", "sparse",
                  "pad_to_max_tokens", "vocabulary_dtype", "idf_weights", "vocabulary")  # fmt: skip
    _modes = ("int", "one_hot", "multi_hot", "count", "tf_idf")
    vocabulary_dtype: str
    oov_method = "floormod"

    def _begin(
        self, max_tokens: int | None, num_oov_indices: int, mask_token: Given | None, oov_token: Given, invert: bool,
        pad_to_max_tokens: bool, salt: int | Sequence[int] | None,
    ) -> None:  # fmt: skip
        """Take the choices.

        Raises:
            ValueError: for those that do not go together.
        """
        if max_tokens is not None and max_tokens <= 1:
            raise ValueError(f"If set, `max_tokens` must be greater than 1. Received: max_tokens={max_tokens}")
        if pad_to_max_tokens and max_tokens is None:
            raise ValueError(f"If pad_to_max_tokens is True, must set `max_tokens`. Received: max_tokens={max_tokens}")
        if num_oov_indices < 0:
            raise ValueError(f"`num_oov_indices` must be greater than or equal to 0. Received: num_oov_indices={num_oov_indices}")
        if invert and self.output_mode != "int":
            raise ValueError(f"`output_mode` must be `'int'` when `invert` is true. Received: output_mode={self.output_mode}")
        self.max_tokens, self.num_oov_indices, self.mask_token = max_tokens, num_oov_indices, mask_token
        self.oov_token, self.invert, self.pad_to_max_tokens = oov_token, bool(invert), bool(pad_to_max_tokens)
        self.salt = [salt, salt] if isinstance(salt, int) else salt
        self._tokens: list[Token] = []
        self._idf: NumPyArray | None = None
        self._known = False
        """Whether the vocabulary was given, and `adapt` is not to be called."""
        self.reset_state()

    def _token(self, value: Given | None) -> Token:
        """Return a token as it is compared."""
        raise NotImplementedError

    @property
    def vocabulary(self) -> list[Any] | None:
        """The tokens, None before there are any."""
        return self.get_vocabulary(include_special_tokens=False) if self._tokens else None

    @property
    def idf_weights(self) -> list[float] | None:
        """How much a token counts, which is in few documents; without those that are not in the vocabulary."""
        return None if self._idf is None else self._idf[self._first :].tolist()

    @property
    def _oov(self) -> int:
        """The place of the first that is not in the vocabulary."""
        return int(self.mask_token is not None and self.output_mode == "int")

    @property
    def _first(self) -> int:
        """The place of the first token."""
        return self._oov + self.num_oov_indices

    def get_vocabulary(self, include_special_tokens: bool = True) -> list[Any]:
        """Return the tokens in the order of their places."""
        tokens: list[Any] = [t.decode() if isinstance(t, bytes) else t for t in self._tokens]
        special = [self.mask_token] * self._oov + [self.oov_token] * self.num_oov_indices
        return [*special, *tokens] if include_special_tokens else tokens

    def vocabulary_size(self) -> int:
        """Return how many places there are."""
        return self._first + len(self._tokens)

    def set_vocabulary(self, vocabulary: Tokens, idf_weights: TensorLike | None = None) -> None:
        """Let the vocabulary be a list of tokens, or the lines of a file.

        Raises:
            ValueError: for an empty one, one with a token twice or with the tokens that stand for others, and one too long.
        """
        if isinstance(vocabulary, str):
            vocabulary = Path(vocabulary).read_text(encoding="utf-8").splitlines()
        given = [self._token(v) for v in np.asarray(vocabulary).ravel().tolist()]
        if not given:
            raise ValueError("Cannot set an empty vocabulary.")
        if (self.output_mode == "tf_idf") != (idf_weights is not None):
            raise ValueError(
                "`idf_weights` must be set if, and only if, output_mode is 'tf_idf'. "
                f"Received: output_mode={self.output_mode} and idf_weights={idf_weights}"
            )
        mask = None if self.mask_token is None else self._token(self.mask_token)
        special = [mask] * self._oov + [self._token(self.oov_token)] * self.num_oov_indices
        led = given[: self._first] == special
        tokens = given[self._first :] if led else given
        twice = [t for t, n in Counter(tokens).items() if n > 1]
        if twice:
            raise ValueError(
                "The passed vocabulary has at least one repeated term. Please uniquify your dataset. "
                f"The repeated terms are: {twice}"
            )
        if mask is not None and mask in tokens:
            raise ValueError(f"Found reserved mask token at unexpected location in `vocabulary`: {self.mask_token!r}")
        if self.invert and self._token(self.oov_token) in tokens:
            raise ValueError(f"Found reserved OOV token at unexpected location in `vocabulary`: {self.oov_token!r}")
        if self.max_tokens is not None and self._first + len(tokens) > self.max_tokens:
            raise ValueError(
                "Attempted to set a vocabulary larger than the maximum vocab size. Received vocabulary size is "
                f"{self._first + len(tokens)}; `max_tokens` is {self.max_tokens}."
            )
        self._place(tokens)
        self._known = True
        if idf_weights is not None:
            weights = np.asarray(idf_weights, float)
            if weights.shape != (len(given),):
                raise ValueError(
                    "`idf_weights` must be the same length as vocabulary. "
                    f"len(idf_weights) is {len(weights)}; len(vocabulary) is {len(given)}"
                )
            self._weigh(weights[self._first :] if led else weights, weights[: self._first] if led else None)

    def _place(self, tokens: list[Token]) -> None:
        self._tokens = tokens
        self._places: dict[Token, int] = {t: self._first + i for i, t in enumerate(tokens)}

    def _weigh(self, weights: NumPyArray, special: NumPyArray | None = None) -> None:
        """Take the weights of the tokens; what is not in the vocabulary counts as these do on average."""
        lead = np.full(self._first, weights.mean()) if special is None else special
        self._idf = np.concatenate([lead, weights])

    def adapt(self, data: Tokens, batch_size: int | None = None, steps: int | None = None) -> None:
        """Let the vocabulary be the tokens of data, the most frequent first: of an array, or of a dataset's batches."""
        self.reset_state()
        for batch in batches(data, steps):
            self.update_state(batch)
        self.finalize_state()

    def reset_state(self) -> None:
        """Forget the batches so far."""
        self._counts: Counter[Hashable] = Counter()
        self._documents: Counter[Hashable] = Counter()
        self._document_count = 0

    def update_state(self, data: Tokens) -> None:
        """Count the tokens of a batch, whose rows are documents.

        Raises:
            ValueError: for a layer whose vocabulary was given.
        """
        if self._known:
            raise ValueError(
                f"Cannot adapt layer '{self.name}' after setting a static vocabulary via `vocabulary` argument or "
                "`set_vocabulary()` method."
            )
        rows = data.array if isinstance(data, EagerTensor) else np.asarray(data)
        rows = rows.reshape(1, -1) if rows.ndim < 2 else rows.reshape(len(rows), -1)
        self._count([[self._token(v) for v in row] for row in rows.tolist()])

    def _count(self, rows: Sequence[Sequence[Token]]) -> None:
        for row in rows:
            self._counts.update(row)
            self._documents.update(set(row))
        self._document_count += len(rows)

    def finalize_state(self) -> None:
        """Let the vocabulary be the tokens counted so far."""
        if self._known or not self._counts:
            return
        for special in (self.mask_token, self.oov_token):
            if special is not None:
                self._counts.pop(self._token(special), None)
        order: Any = sorted(self._counts, key=lambda t: (self._counts[t], t), reverse=True)
        order = order if self.max_tokens is None else order[: self.max_tokens - self._first]
        self._place(order)
        if self.output_mode == "tf_idf":
            self._weigh(np.log(1 + self._document_count / (1 + np.array([self._documents[t] for t in order], float))))
        self.reset_state()

    # --- looking up ------------------------------------------------------------------------------------------------

    def _looked_up(self, values: NumPyArray) -> NumPyArray:
        """Return the places of tokens, or the tokens of places.

        Raises:
            InvalidArgumentError: for what is not in the vocabulary, where there is no place for that.
        """
        flat = [self._token(v) if not self.invert else int(v) for v in values.ravel().tolist()]
        if self.invert:
            tokens: dict[Token, Token] = dict(enumerate(self._tokens, self._first))
            other: Any = self._token(self.oov_token)
            if self.mask_token is not None:
                tokens[0] = self._token(self.mask_token)
            return np.array([tokens.get(v, other) for v in flat], as_dtype(self.vocabulary_dtype).numpy).reshape(values.shape)
        places = dict(self._places)
        if self.mask_token is not None:  # in vectors the mask has no place
            places[self._token(self.mask_token)] = 0 if self.output_mode == "int" else -1
        missing = [v for v in flat if v not in places]
        if missing and not self.num_oov_indices:
            raise InvalidArgumentError(
                "When `num_oov_indices=0` all inputs should be in vocabulary, found OOV values "
                f"{missing[:3]}, consider setting `num_oov_indices=1`."
            )
        found = [places[v] if v in places else self._oov + self._other(v) for v in flat]
        return np.array(found, np.int64).reshape(values.shape)

    def _other(self, token: Token) -> int:
        """Return which of the places for other tokens a token has."""
        if self.num_oov_indices == 1:
            return 0
        if isinstance(token, int):
            return token % self.num_oov_indices
        return (hashing.fingerprint(token) if self.salt is None else hashing.keyed(token, self.salt)) % self.num_oov_indices

    def call(self, inputs: TensorLike) -> Any:
        """Return the places, or the vectors that the mode says."""
        x = convert(inputs)
        if not self.invert and self.vocabulary_dtype != "string" and x.nptype.kind not in "iu":
            x = array.cast(x, self.vocabulary_dtype)
        kind = as_dtype(self.vocabulary_dtype if self.invert else "int64")
        found = strings.computed("lookup", self._looked_up, [x], kind.numpy, x.shape)
        if self.output_mode == "int":
            return found
        return self._vectors(found)

    def _vectors(self, found: Tensor) -> Any:
        depth = self.max_tokens if self.pad_to_max_tokens and self.max_tokens is not None else self.vocabulary_size()
        if self.output_mode != "tf_idf":
            return self._encoded(found, depth, "int64")
        if self._idf is None:
            raise ValueError("When `output_mode` is `'tf_idf'`, `idf_weights` must be provided.")
        self.output_mode = "count"
        try:
            counts = self._encoded(found, depth, floatx())
        finally:
            self.output_mode = "tf_idf"
        return counts * np.pad(self._idf, (0, depth - len(self._idf))).astype(floatx())

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make it, with the vocabulary that it has."""
        return {**super().get_config(), "salt": self.salt, "oov_method": self.oov_method}


class StringLookup(_Lookup):
    """Strings as their places in a vocabulary, which is given or found by `adapt`; the other way round if ``invert``.

    >>> layer = StringLookup(vocabulary=["a", "b"])
    >>> layer([["a", "z"], ["b", "a"]]).numpy()
    array([[1, 0],
           [2, 1]])
    >>> StringLookup(vocabulary=["a", "b"], invert=True)([2, 0]).numpy().tolist()
    [b'b', b'[UNK]']
    """

    vocabulary_dtype = "string"

    def __init__(
        self, max_tokens: int | None = None, num_oov_indices: int = 1, mask_token: str | None = None, oov_token: str = "[UNK]",
        vocabulary: Tokens = None, idf_weights: TensorLike | None = None, invert: bool = False, output_mode: str = "int",
        pad_to_max_tokens: bool = False, sparse: bool = False, encoding: str = "utf-8", name: str | None = None,
        salt: int | Sequence[int] | None = None, **keywords: Any,
    ) -> None:  # fmt: skip
        """Take how long the vocabulary is at most, how many places there are for what is not in it, and the choices."""
        super().__init__(name=name, **_without(keywords))
        self._choose(output_mode, sparse)
        self._begin(max_tokens, num_oov_indices, mask_token, oov_token, invert, pad_to_max_tokens, salt)
        self.encoding = encoding
        if vocabulary is not None:
            self.set_vocabulary(vocabulary, idf_weights)

    def _token(self, value: Given | None) -> Token:
        return value if isinstance(value, bytes) else str(value).encode()

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make it, with the vocabulary that it has."""
        return {**super().get_config(), "encoding": self.encoding}


class IntegerLookup(_Lookup):
    """Whole numbers as their places in a vocabulary, which is given or found by `adapt`; the other way round if ``invert``.

    >>> IntegerLookup(vocabulary=[12, 36], output_mode="multi_hot")([[12, 5], [36, 36]]).numpy()
    array([[1, 1, 0],
           [0, 0, 1]])
    """

    def __init__(
        self, max_tokens: int | None = None, num_oov_indices: int = 1, mask_token: int | None = None, oov_token: int = -1,
        vocabulary: Tokens = None, vocabulary_dtype: str = "int64", idf_weights: TensorLike | None = None, invert: bool = False,
        output_mode: str = "int", sparse: bool = False, pad_to_max_tokens: bool = False, oov_method: str = "floormod",
        salt: int | Sequence[int] | None = None, name: str | None = None, **keywords: Any,
    ) -> None:  # fmt: skip
        """Take how long the vocabulary is at most, how many places there are for what is not in it, and the choices.

        Raises:
            ValueError: for an ``oov_method`` other than "floormod" and "farmhash", and a salt without the latter.
        """
        super().__init__(name=name, **_without(keywords))
        if oov_method not in ("floormod", "farmhash") or (salt is not None and oov_method != "farmhash"):
            raise ValueError(f"IntegerLookup: oov_method={oov_method!r} and salt={salt!r} do not go together.")
        self._choose(output_mode, sparse)
        self._begin(max_tokens, num_oov_indices, mask_token, oov_token, invert, pad_to_max_tokens, salt)
        self.oov_method, self.vocabulary_dtype = oov_method, vocabulary_dtype
        if vocabulary is not None:
            self.set_vocabulary(vocabulary, idf_weights)

    def _token(self, value: Given | None) -> Token:
        return int(value or 0)

    def _other(self, token: Token) -> int:
        return super()._other(str(token).encode() if self.oov_method == "farmhash" else token)


_BESIDES = ("has_input_vocabulary", "vocabulary_size", "vocabulary_dtype", "oov_method")


def _without(keywords: dict[str, Any]) -> dict[str, Any]:
    """Return keywords without what Keras's configurations hold besides."""
    return {k: v for k, v in keywords.items() if k not in _BESIDES}


class TextVectorization(Encoded):
    """Texts as the places of their words in a vocabulary, which is given or found by `adapt`; or as vectors of them.

    >>> layer = TextVectorization(output_sequence_length=4)
    >>> layer.adapt(["The cat sat.", "The dog!"])
    >>> layer.get_vocabulary()
    ['', '[UNK]', 'the', 'sat', 'dog', 'cat']
    >>> layer(["the bird sat"]).numpy()
    array([[2, 1, 3, 0]])
    """

    _arguments: ClassVar[tuple[str, ...] | None] = ()
    _modes = _Lookup._modes

    def __init__(
        self, max_tokens: int | None = None, standardize: str | Callable[..., Any] | None = "lower_and_strip_punctuation",
        split: str | Callable[..., Any] | None = "whitespace", ngrams: int | Sequence[int] | None = None,
        output_mode: str = "int", output_sequence_length: int | None = None, pad_to_max_tokens: bool = False,
        vocabulary: Tokens = None, idf_weights: TensorLike | None = None, sparse: bool = False, ragged: bool = False,
        encoding: str = "utf-8", name: str | None = None, **keywords: Any,
    ) -> None:  # fmt: skip
        """Take what is done to texts, how they are split, how many words stand together, and what results.

        Raises:
            ValueError: for choices that there are not.
            NotImplementedError: for ragged results.
        """
        super().__init__(name=name, **_without(keywords))
        self._choose(output_mode, sparse)
        for what, value, known in (
            ("standardize", standardize, ("lower_and_strip_punctuation", "lower", "strip_punctuation", None)),
            ("split", split, ("whitespace", "character", None)),
        ):
            if not callable(value) and value not in known:
                raise ValueError(f"TextVectorization: {what} is one of {known} or a function, not {value!r}.")
        if ragged:
            raise NotImplementedError("TextVectorization: ragged results are not there; rows are filled with 0.")
        if output_sequence_length is not None and self.output_mode != "int":
            raise ValueError(
                "`output_sequence_length` must not be set if `output_mode` is not 'int'. "
                f"Received output_sequence_length={output_sequence_length}."
            )
        self._standardize, self._split, self._ngrams, self._length = standardize, split, ngrams, output_sequence_length
        self._lookup = StringLookup(
            max_tokens, mask_token="", vocabulary=vocabulary, idf_weights=idf_weights, output_mode=self.output_mode,
            pad_to_max_tokens=pad_to_max_tokens, encoding=encoding,
        )  # fmt: skip

    def get_vocabulary(self, include_special_tokens: bool = True) -> list[str]:
        """Return the words in the order of their places."""
        return self._lookup.get_vocabulary(include_special_tokens)

    def vocabulary_size(self) -> int:
        """Return how many places there are."""
        return self._lookup.vocabulary_size()

    def set_vocabulary(self, vocabulary: Tokens, idf_weights: TensorLike | None = None) -> None:
        """Let the vocabulary be a list of words, or the lines of a file."""
        self._lookup.set_vocabulary(vocabulary, idf_weights)

    def adapt(self, data: Tokens, batch_size: int | None = None, steps: int | None = None) -> None:
        """Let the vocabulary be the words of data, the most frequent first: of an array, or of a dataset's batches."""
        self._lookup.reset_state()
        for batch in batches(data, steps):
            self.update_state(batch)
        self.finalize_state()

    def update_state(self, data: Tokens) -> None:
        """Count the words of a batch of texts."""
        rows, _ = self._rows(data.array if isinstance(data, EagerTensor) else np.asarray(data))
        if self._lookup._known:
            raise ValueError(f"Cannot adapt layer '{self.name}' after setting a static vocabulary.")
        self._lookup._count(rows)

    def finalize_state(self) -> None:
        """Let the vocabulary be the words counted so far."""
        self._lookup.finalize_state()

    def reset_state(self) -> None:
        """Forget the batches so far."""
        self._lookup.reset_state()

    def _rows(self, texts: NumPyArray) -> tuple[list[list[bytes]], bool]:
        """Return the words of each text, and whether there was one text alone.

        Raises:
            ValueError: for texts along more than one axis.
        """
        alone = texts.ndim == 0
        if self._split is not None and texts.ndim > 1:
            if texts.shape[-1] != 1 or texts.ndim > 2:
                raise ValueError(
                    "When using `TextVectorization` to tokenize strings, the input rank must be 1 or the last shape "
                    f"dimension must be 1. Received: inputs.shape={texts.shape} with rank={texts.ndim}"
                )
            texts = texts[..., 0]
        flat = [v if isinstance(v, bytes) else str(v).encode() for v in texts.ravel().tolist()]
        flat = [self._plain(v) for v in flat]
        if callable(self._standardize):
            flat = np.asarray(convert(self._standardize(array.constant(flat)))).tolist()
        if self._split == "whitespace":
            rows = [v.split() for v in flat]
        elif self._split == "character":
            rows = [[c.encode() for c in v.decode()] for v in flat]
        elif callable(self._split):
            rows = [np.asarray(convert(self._split(array.constant(v)))).ravel().tolist() for v in flat]
        else:
            width = texts.shape[-1] if texts.ndim > 1 else 1
            rows = [flat[i : i + width] for i in range(0, len(flat), width)]
        return [self._joined(row) for row in rows], alone

    def _plain(self, text: bytes) -> bytes:
        how = self._standardize if isinstance(self._standardize, str) else ""
        text = text.lower() if "lower" in how else text
        return _PUNCTUATION.sub(b"", text) if "strip" in how else text

    def _joined(self, row: list[bytes]) -> list[bytes]:
        """Return the words that stand together."""
        if self._ngrams is None:
            return row
        widths = range(1, self._ngrams + 1) if isinstance(self._ngrams, int) else self._ngrams
        return [b" ".join(row[i : i + n]) for n in widths for i in range(len(row) - n + 1)]

    def _placed(self, texts: NumPyArray) -> NumPyArray:
        """Return the places of the words of texts, filled up with 0 at the end, or with -1 where vectors are made of them."""
        rows, alone = self._rows(texts)
        found = [self._lookup._looked_up(np.array(row, object)).tolist() for row in rows]
        width = max(map(len, found), default=0) if self._length is None else self._length
        empty = 0 if self.output_mode == "int" else -1
        whole = np.array([[*row[:width], *[empty] * (width - len(row))] for row in found], np.int64).reshape(len(found), width)
        return whole[0] if alone else whole

    def call(self, inputs: TensorLike) -> Any:
        """Return the places of the words, or the vectors that the mode says."""
        x = convert(inputs)
        rank = len(x.sizes) - (1 if self._split is not None and len(x.sizes) > 1 else 0)
        sizes = [*x.sizes[:rank], self._length] if self._split is not None else [*x.sizes[:-1], self._length]
        found = strings.computed("split", self._placed, [x], np.int64, sizes)
        return found if self.output_mode == "int" else self._lookup._vectors(found)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make it, with the vocabulary that it has."""
        lookup = self._lookup
        return {
            **super().get_config(), "max_tokens": lookup.max_tokens, "standardize": self._standardize, "split": self._split,
            "ngrams": self._ngrams, "output_mode": self.output_mode, "output_sequence_length": self._length,
            "pad_to_max_tokens": lookup.pad_to_max_tokens, "sparse": False, "ragged": False,
            "vocabulary": lookup.vocabulary, "idf_weights": lookup.idf_weights, "encoding": lookup.encoding,
        }  # fmt: skip
