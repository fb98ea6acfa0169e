"""Real, tiny GGUF models written by the tests; llama.cpp runs them in milliseconds."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path

import gguf
import numpy as np

CHATML = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n"
    "{{ message['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
WIDTH, HEADS, KV_HEADS, FEED, LAYERS = 64, 4, 2, 96, 2

# SentencePiece with byte fallback. "</", "s>" and their like are ordinary tokens from which
# a control marker could be merged together: bait for the tests of untrusted text.
_WORDS = ["▁", *"abcdefghijklmnopqrstuvwxyz", *"<>|/_[]", "</", "s>", "<|", "|>", "im", "_end"]
_CONTROLS = ["<|im_start|>", "<|im_end|>", "[INST]", "[/INST]"]
TOKENS = ["<unk>", "<s>", "</s>", *(f"<0x{b:02X}>" for b in range(256)), *_WORDS, *_CONTROLS]
BOS, EOS, FIRST_BYTE = 1, 2, 3
IM_START, IM_END = TOKENS.index("<|im_start|>"), TOKENS.index("<|im_end|>")


def byte_chain(text: str, first: int) -> list[int]:
    """Tokens that spell the UTF-8 bytes of `text`, after token `first`; all must differ."""
    chain = [first, *(FIRST_BYTE + byte for byte in text.encode())]
    assert len(set(chain)) == len(chain), "a chain cannot pass through a token twice"
    return chain


def write_tiny_gguf(
    path: Path,
    chain: Sequence[int] | None = None,
    template: str | None = CHATML,
    context: int = 2048,
    seed: int = 0,
    architecture: str = "llama",
) -> Path:
    """A llama of two layers and 64 dimensions.

    Args:
        path: where to write it.
        chain: when given, the model is made so that each of these tokens is followed by the
            next one, greedily, whatever came before; else its weights are random.
        template: chat template; None for a base model.
        context: its context length.
        seed: of the random weights.
        architecture: the name it gives itself.
    """
    random = np.random.default_rng(seed)
    writer = gguf.GGUFWriter(path, architecture)
    writer.add_name("Tiny test model")
    writer.add_license("apache-2.0")
    writer.add_context_length(context)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(LAYERS)
    writer.add_feed_forward_length(FEED)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(KV_HEADS)
    writer.add_rope_dimension_count(WIDTH // HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_file_type(gguf.LlamaFileType.ALL_F32)
    add_vocabulary(writer)
    if template is not None:
        writer.add_chat_template(template)
    _add_weights(writer, random, chain)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def add_vocabulary(writer: gguf.GGUFWriter) -> None:
    """The tokens that all tiny models share."""
    kinds = gguf.TokenType
    types = [kinds.UNKNOWN, kinds.CONTROL, kinds.CONTROL, *[kinds.BYTE] * 256]
    types += [kinds.NORMAL] * len(_WORDS) + [kinds.CONTROL] * len(_CONTROLS)
    writer.add_tokenizer_model("llama")
    writer.add_token_list([token.encode() for token in TOKENS])
    # Longer pieces score higher, so they are merged first.
    writer.add_token_scores([float(len(token)) for token in TOKENS])
    writer.add_token_types(types)
    writer.add_bos_token_id(BOS)
    writer.add_eos_token_id(EOS)
    writer.add_eot_token_id(IM_END)
    writer.add_add_bos_token(True)
    writer.add_add_space_prefix(True)


def _add_weights(
    writer: gguf.GGUFWriter, random: np.random.Generator, chain: Sequence[int] | None
) -> None:
    def add(name: str, *shape: int) -> None:
        # With a chain the layers add nothing: only embedding and output decide.
        scale = 0.0 if chain is not None else 0.3
        writer.add_tensor(name, (random.normal(size=shape) * scale).astype(np.float32))

    embedding = random.normal(size=(len(TOKENS), WIDTH)).astype(np.float32)
    output = random.normal(size=(len(TOKENS), WIDTH)).astype(np.float32)
    if chain is not None:
        output *= 0.01
        for here, following in itertools.pairwise(chain):
            output[following] += embedding[here]
    writer.add_tensor("token_embd.weight", embedding)
    writer.add_tensor("output.weight", output)
    writer.add_tensor("output_norm.weight", np.ones(WIDTH, np.float32))
    half = WIDTH // HEADS * KV_HEADS
    for layer in range(LAYERS):
        block = f"blk.{layer}"
        writer.add_tensor(f"{block}.attn_norm.weight", np.ones(WIDTH, np.float32))
        writer.add_tensor(f"{block}.ffn_norm.weight", np.ones(WIDTH, np.float32))
        add(f"{block}.attn_q.weight", WIDTH, WIDTH)
        add(f"{block}.attn_k.weight", half, WIDTH)
        add(f"{block}.attn_v.weight", half, WIDTH)
        add(f"{block}.attn_output.weight", WIDTH, WIDTH)
        add(f"{block}.ffn_gate.weight", FEED, WIDTH)
        add(f"{block}.ffn_up.weight", FEED, WIDTH)
        add(f"{block}.ffn_down.weight", WIDTH, FEED)
