"""Text to tokens and back for one model; text from outside never becomes a control token."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from typing import Any, NamedTuple

import llama_cpp

from engine.answers.neutralize import Neutralizer, looks_like_marker

# The binding is typed loosely (ctypes objects); `Any` here keeps that out of the rest.
_api: Any = llama_cpp

_PIECE_BYTES = 512


class Segment(NamedTuple):
    """A piece of a prompt. Only `trusted` text may become control tokens.

    `kept`: a passage; what is computed up to its beginning and its end is worth keeping.
    `bound`: it belongs to the passage before it, whose end is then its own. `turn`: it ends
    an earlier turn; what is computed up to its end is worth keeping.
    """

    text: str
    trusted: bool
    kept: bool = False
    bound: bool = False
    turn: bool = False


class Tokens(NamedTuple):
    """A tokenized prompt.

    `cuts` are rising positions in `ids`, none at its very end: where the first kept segment
    begins, where each one ends, and where each earlier turn ends. `brief` are those of them
    that only the next question of a conversation comes back to: where a passage between the
    first and the last ends.
    """

    ids: list[int]
    cuts: list[int]
    brief: frozenset[int] = frozenset()


class Vocabulary:
    """The tokens of a loaded model.

    Args:
        model: llama.cpp's model pointer; has to outlive this object.
    """

    def __init__(self, model: Any) -> None:
        self._vocab: Any = _api.llama_model_get_vocab(model)
        self.size = int(_api.llama_vocab_n_tokens(self._vocab))
        self.bos = self._special(_api.llama_vocab_bos(self._vocab))
        self.eos = self._special(_api.llama_vocab_eos(self._vocab))
        self.ending_ids = frozenset(
            i for i in range(self.size) if _api.llama_vocab_is_eog(self._vocab, i)
        )
        self._read_controls()

    @property
    def pointer(self) -> Any:
        """llama.cpp's vocabulary pointer, for what else works with these tokens."""
        return self._vocab

    def _special(self, token: int) -> int | None:
        return token if 0 <= token < self.size else None

    def _read_controls(self) -> None:
        """Find the tokens that steer the model; text from outside must never become one."""
        ids: set[int] = set()
        texts: set[str] = set()
        control = _api.LLAMA_TOKEN_ATTR_CONTROL | _api.LLAMA_TOKEN_ATTR_UNKNOWN
        for token in range(self.size):
            attribute = int(_api.llama_vocab_get_attr(self._vocab, token))
            defined = attribute & _api.LLAMA_TOKEN_ATTR_USER_DEFINED
            if not (attribute & control or defined or token in self.ending_ids):
                continue
            text = self.text(token)
            if defined and token not in self.ending_ids and not looks_like_marker(text):
                continue  # some models define runs of spaces or HTML tags: plain writing
            ids.add(token)
            texts.add(text)
        self.control_ids = frozenset(ids)
        self._neutralizer = Neutralizer(
            texts, ids, lambda text: self._tokenize(text, parse_special=False)
        )

    def text(self, token: int | None) -> str:
        """The written form of a token such as the beginning-of-text marker; "" for None."""
        if token is None:
            return ""
        return (_api.llama_vocab_get_text(self._vocab, token) or b"").decode("utf-8", "replace")

    def prompt(self, segments: Sequence[Segment]) -> Tokens:
        """Tokens of a prompt made of segments, and where its kept parts lie.

        The beginning-of-text token is put in front when the model wants it and the prompt
        does not bring it.
        """
        ids: list[int] = []
        starts: list[int] = []
        passages: list[int] = []
        turns: list[int] = []
        for text, trusted, is_kept, is_bound, is_turn in segments:
            if not text:
                continue
            if is_kept:
                starts.append(len(ids))
            if trusted:
                ids.extend(self._tokenize(text, parse_special=True, joined=bool(ids)))
            else:
                ids.extend(self._neutralizer.tokens(text))
            if is_kept:
                passages.append(len(ids))
            elif is_bound and passages:
                passages[-1] = len(ids)
            if is_turn:
                turns.append(len(ids))
        shift = 0
        wants_bos = self.bos is not None and _api.llama_vocab_get_add_bos(self._vocab)
        if wants_bos and self.bos is not None and ids[:1] != [self.bos]:
            ids.insert(0, self.bos)
            shift = 1
        cuts = (
            {at + shift for at in (*starts[:1], *passages, *turns)} if passages else set[int]()
        )
        return Tokens(
            ids,
            sorted(cut for cut in cuts if 0 < cut < len(ids)),
            frozenset(at + shift for at in passages[1:-1]),
        )

    def untrusted(self, text: str) -> list[int]:
        """Tokens of text from outside; never a control token."""
        return self._neutralizer.tokens(text)

    def _tokenize(self, text: str, parse_special: bool, joined: bool = True) -> list[int]:
        """Tokens of `text`; `joined` when it continues what stands before it.

        SentencePiece vocabularies put a space before each separately tokenized text. It is
        kept off by tokenizing after a line break and dropping that again.
        """
        spaced = joined and _api.llama_vocab_type(self._vocab) == _api.LLAMA_VOCAB_TYPE_SPM
        if not spaced:
            return self._raw_tokens(text, parse_special)
        lead = self._raw_tokens("\n", parse_special)
        ids = self._raw_tokens("\n" + text, parse_special)
        if ids[: len(lead)] != lead:
            return self._raw_tokens(text, parse_special)
        return ids[len(lead) :]

    def _raw_tokens(self, text: str, parse_special: bool) -> list[int]:
        data = text.encode("utf-8", "replace")
        room = len(data) + 8
        buffer = (_api.llama_token * room)()
        count = _api.llama_tokenize(
            self._vocab, data, len(data), buffer, room, False, parse_special
        )
        if count < 0:
            room = -count
            buffer = (_api.llama_token * room)()
            count = _api.llama_tokenize(
                self._vocab, data, len(data), buffer, room, False, parse_special
            )
        return list(buffer[:count])

    def piece(self, token: int) -> bytes:
        """The bytes a token stands for; control tokens stand for nothing."""
        buffer = ctypes.create_string_buffer(_PIECE_BYTES)
        size = _api.llama_token_to_piece(self._vocab, token, buffer, _PIECE_BYTES, 0, False)
        if size < 0:
            buffer = ctypes.create_string_buffer(-size)
            size = _api.llama_token_to_piece(self._vocab, token, buffer, -size, 0, False)
        return buffer.raw[: max(size, 0)]
