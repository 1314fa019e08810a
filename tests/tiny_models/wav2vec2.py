"""A tiny wav2vec 2.0 with a head over phones, saved by transformers."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

PHONES = ("p", "t", "k", "b", "d", "s", "z", "m", "n", "ɹ", "l", "ə", "iː", "ɪ", "ɑː", "oʊ")
_SPECIAL = ("<pad>", "<s>", "</s>", "<unk>")
_FULL_COUNT = 392


def build_tiny_wav2vec2_phoneme(
    folder: Path, *, feat_extract_norm: str = "layer", seed: int = 0, full_size: bool = False, phones: Sequence[str] = PHONES
) -> Path:
    """A ``save_pretrained`` folder with ``vocab.json``; the head is scaled up so that frames differ in their likeliest phone.

    Args:
        full_size: the published architecture, for benchmarks.
        phones: that the small one knows.
    """
    import torch
    from transformers import Wav2Vec2Config, Wav2Vec2FeatureExtractor, Wav2Vec2ForCTC

    torch.manual_seed(seed)
    symbols = (*_SPECIAL, *PHONES, *(f"{phone}{number}" for number in range(1, 30) for phone in PHONES))[:_FULL_COUNT] if full_size else (*_SPECIAL, *phones)
    config = Wav2Vec2Config(
        vocab_size=len(symbols),
        hidden_size=1024 if full_size else 32,
        num_hidden_layers=24 if full_size else 2,
        num_attention_heads=16 if full_size else 4,
        intermediate_size=4096 if full_size else 64,
        conv_dim=(512 if full_size else 16,) * 7,
        conv_bias=True,
        feat_extract_norm=feat_extract_norm,
        do_stable_layer_norm=feat_extract_norm == "layer",
        num_conv_pos_embeddings=128 if full_size else 16,
        num_conv_pos_embedding_groups=16 if full_size else 4,
        pad_token_id=0,
    )
    model = Wav2Vec2ForCTC(config)
    with torch.no_grad():
        model.lm_head.weight.mul_(40)
    model.save_pretrained(folder)
    Wav2Vec2FeatureExtractor(do_normalize=True, return_attention_mask=True).save_pretrained(folder)
    (folder / "vocab.json").write_text(json.dumps({symbol: number for number, symbol in enumerate(symbols)}, ensure_ascii=False))
    return folder
