"""A tiny Whisper of transformers, converted by CTranslate2's own converter."""

from __future__ import annotations

import json
from pathlib import Path

from tests.tiny_models.byte_tokens import byte_vocabulary

_SPECIAL = ("<|endoftext|>", "<|startoftranscript|>", "<|translate|>", "<|transcribe|>", "<|startoflm|>", "<|startofprev|>", "<|nospeech|>", "<|notimestamps|>")


def build_tiny_whisper(folder: Path, *, seed: int = 0, full_size: bool = False) -> Path:
    """A folder in CTranslate2's format; English only, as any Whisper with a small vocabulary is taken to be.

    Args:
        full_size: the published layers of distil-large-v3, for benchmarks.
    """
    import torch
    from ctranslate2.converters import TransformersConverter
    from transformers import GenerationConfig, WhisperConfig, WhisperFeatureExtractor, WhisperForConditionalGeneration, WhisperTokenizer

    source = folder / "transformers"
    source.mkdir(parents=True)
    vocabulary = byte_vocabulary()
    for token in (*_SPECIAL, *(f"<|{step * 0.02:.2f}|>" for step in range(1501))):
        vocabulary[token] = len(vocabulary)
    (source / "vocab.json").write_text(json.dumps(vocabulary))
    (source / "merges.txt").write_text("#version: 0.2\n")
    tokenizer = WhisperTokenizer(vocab=vocabulary, merges=[], unk_token=_SPECIAL[0], bos_token=_SPECIAL[0], eos_token=_SPECIAL[0], pad_token=_SPECIAL[0])
    tokenizer.add_special_tokens({"additional_special_tokens": list(_SPECIAL[1:])})
    torch.manual_seed(seed)
    end, start = vocabulary["<|endoftext|>"], vocabulary["<|startoftranscript|>"]
    config = WhisperConfig(
        vocab_size=len(vocabulary),
        num_mel_bins=128 if full_size else 80,
        d_model=1280 if full_size else 32,
        encoder_layers=32 if full_size else 1,
        decoder_layers=2,
        encoder_attention_heads=20 if full_size else 4,
        decoder_attention_heads=20 if full_size else 4,
        encoder_ffn_dim=5120 if full_size else 64,
        decoder_ffn_dim=5120 if full_size else 64,
        max_target_positions=448,
        init_std=0.02 if full_size else 0.6,
        pad_token_id=end,
        bos_token_id=end,
        eos_token_id=end,
        decoder_start_token_id=start,
        suppress_tokens=[],
        begin_suppress_tokens=[end],
    )
    model = WhisperForConditionalGeneration(config)
    with torch.no_grad():
        # Letters, the space and the marks alone are likely, so that the output is words.
        letters = [vocabulary[c] for c in ("\u0120", *"abcdefghijklmnopqrstuvwxyz")]
        mute = [number for number in range(256) if number not in letters]
        model.model.decoder.embed_tokens.weight[mute] = 0.0
    model.generation_config = GenerationConfig(alignment_heads=[[1, 0], [1, 1]], decoder_start_token_id=start, eos_token_id=end, pad_token_id=end)
    model.save_pretrained(source)
    tokenizer.save_pretrained(source)
    WhisperFeatureExtractor(feature_size=config.num_mel_bins).save_pretrained(source)
    done = folder / "ctranslate2"
    files = [name for name in ("tokenizer.json", "preprocessor_config.json") if (source / name).exists()]
    TransformersConverter(str(source), copy_files=files).convert(str(done))
    return done
