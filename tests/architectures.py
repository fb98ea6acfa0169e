"""Tiny random models of every architecture that can be tuned, as real GGUF files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import gguf
import numpy as np

from tests.models import CHATML, TOKENS, add_vocabulary

ARCHITECTURES = ("llama", "mistral", "qwen2", "qwen3", "gemma2", "gemma3", "phi3")
WIDTH, HEADS, KV_HEADS, FEED, LAYERS = 64, 4, 2, 96, 2


@dataclass(frozen=True)
class _Shape:
    """What sets an architecture apart; Mistral's files say they are llama's."""

    says: str
    head: int = WIDTH // HEADS
    bias: bool = False
    head_norms: bool = False
    post_norms: bool = False
    tied: bool = False
    fused: bool = False


# transformers takes the head size of qwen3 (128) and gemma's query scale (256) from defaults.
_SHAPES = {
    "llama": _Shape("llama"),
    "mistral": _Shape("llama"),
    "qwen2": _Shape("qwen2", bias=True, tied=True),
    "qwen3": _Shape("qwen3", head=128, head_norms=True),
    "gemma2": _Shape("gemma2", head=256, post_norms=True, tied=True),
    "gemma3": _Shape("gemma3", head=256, head_norms=True, post_norms=True, tied=True),
    "phi3": _Shape("phi3", fused=True),
}


def write_architecture(path: Path, architecture: str, seed: int = 0) -> Path:
    """A random model of two layers whose weights differ enough for logits to be spread."""
    shape = _SHAPES[architecture]
    writer = gguf.GGUFWriter(path, shape.says)
    # Of a model called "phi3" llama.cpp expects certain tokens.
    writer.add_name("Tiny Mistral" if architecture == "mistral" else "Tiny")
    writer.add_context_length(512)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(LAYERS)
    writer.add_feed_forward_length(FEED)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(KV_HEADS)
    writer.add_rope_dimension_count(shape.head)
    writer.add_layer_norm_rms_eps(1e-6)
    writer.add_file_type(gguf.LlamaFileType.ALL_F32)
    writer.add_vocab_size(len(TOKENS))
    writer.add_rope_freq_base(10_000.0)
    writer.add_key_length(shape.head)
    writer.add_value_length(shape.head)
    if architecture.startswith("gemma"):
        writer.add_sliding_window(256)
    if architecture == "gemma2":
        writer.add_attn_logit_softcapping(50.0)
        writer.add_final_logit_softcapping(30.0)
    if architecture == "gemma3":
        writer.add_rope_freq_base_swa(10_000.0)
    add_vocabulary(writer)
    writer.add_pad_token_id(0)
    writer.add_chat_template(CHATML)
    _add_weights(writer, np.random.default_rng(seed), shape)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def _add_weights(writer: gguf.GGUFWriter, random: np.random.Generator, shape: _Shape) -> None:
    def add(name: str, *sides: int) -> None:
        # Gemma reads its embeddings times √width: larger ones would drown out the layers.
        embedding = 0.12 if shape.post_norms else 0.5
        scale = embedding if name == "token_embd.weight" else 2.0 / np.sqrt(sides[-1])
        writer.add_tensor(name, (random.normal(size=sides) * scale).astype(np.float32))

    def norm(name: str, size: int) -> None:
        values = 1.0 + 0.2 * random.normal(size=size)
        writer.add_tensor(name, values.astype(np.float32))

    queries, keys = HEADS * shape.head, KV_HEADS * shape.head
    add("token_embd.weight", len(TOKENS), WIDTH)
    norm("output_norm.weight", WIDTH)
    if not shape.tied:
        add("output.weight", len(TOKENS), WIDTH)
    for layer in range(LAYERS):
        block = f"blk.{layer}"
        norm(f"{block}.attn_norm.weight", WIDTH)
        norm(f"{block}.ffn_norm.weight", WIDTH)
        if shape.post_norms:
            norm(f"{block}.post_attention_norm.weight", WIDTH)
            norm(f"{block}.post_ffw_norm.weight", WIDTH)
        if shape.head_norms:
            norm(f"{block}.attn_q_norm.weight", shape.head)
            norm(f"{block}.attn_k_norm.weight", shape.head)
        if shape.fused:
            add(f"{block}.attn_qkv.weight", queries + 2 * keys, WIDTH)
            add(f"{block}.ffn_up.weight", 2 * FEED, WIDTH)
        else:
            sides = (("q", queries), ("k", keys), ("v", keys))
            for part, size in sides:
                add(f"{block}.attn_{part}.weight", size, WIDTH)
                if shape.bias:
                    writer.add_tensor(
                        f"{block}.attn_{part}.bias",
                        random.normal(size=size).astype(np.float32),
                    )
            add(f"{block}.ffn_gate.weight", FEED, WIDTH)
            add(f"{block}.ffn_up.weight", FEED, WIDTH)
        add(f"{block}.attn_output.weight", WIDTH, queries)
        add(f"{block}.ffn_down.weight", WIDTH, FEED)
