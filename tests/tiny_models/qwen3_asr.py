"""Tiny Qwen3-ASR and forced aligner of transformers' own classes, each with its processor."""

from __future__ import annotations

from pathlib import Path

from tests.tiny_models.byte_tokens import byte_vocabulary

#: As the published templates lay a request out: the audio, then for the aligner every word with two time marks.
_ASK = (
    '{%- for m in messages -%}<|im_start|>{{ m["role"] + "\\n" }}{%- for c in m["content"] -%}{%- if c["type"] == "audio" -%}'
    '<|audio_start|><|audio_pad|><|audio_end|>{%- else -%}{{ c["text"] }}{%- endif -%}{%- endfor -%}'
    "{%- if not (loop.last and continue_final_message) -%}<|im_end|>{{ '\\n' }}{%- endif -%}{%- endfor -%}"
)
_ALIGN = (
    '{%- for m in messages -%}{%- for c in m["content"] -%}{%- if c["type"] == "audio" -%}<|audio_start|><|audio_pad|><|audio_end|>'
    '{%- else -%}{{ c["text"] }}<timestamp><timestamp>{%- endif -%}{%- endfor -%}{%- endfor -%}'
)
_AUDIO_TINY = {"encoder_layers": 2, "encoder_attention_heads": 4, "encoder_ffn_dim": 64, "d_model": 32, "downsample_hidden_size": 8}
_TEXT_TINY = {
    "hidden_size": 48,
    "intermediate_size": 96,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 12,
}
_TEXT_17B = {
    "hidden_size": 2048,
    "intermediate_size": 6144,
    "num_hidden_layers": 28,
    "num_attention_heads": 16,
    "num_key_value_heads": 8,
    "head_dim": 128,
}
_TEXT_06B = {**_TEXT_17B, "hidden_size": 1024, "intermediate_size": 3072}
_VOCABULARY, _CLASSES = 151_936, 5_000
#: What the full-size model speaks: about as many tokens to a word as English has.
_SYLLABLES = tuple(consonant + vowel for consonant in "bdfghjklmnprstvwxyz" for vowel in "aeiou")
_SPACE = "\u0120"


def build_tiny_qwen3_asr(folder: Path, *, seed: int = 0, full_size: bool = False) -> Path:
    """A ``save_pretrained`` folder of a ``Qwen3ASRForConditionalGeneration`` that babbles letters and spaces.

    Args:
        full_size: the published layers and rows of the vocabulary of the 1.7B model, for benchmarks. It speaks words of one or two syllables, 1.4 tokens each, and
            never ends by itself: how long it speaks is for the caller to say.
    """
    import torch
    from transformers import Qwen3ASRForConditionalGeneration

    tokenizer = _processor(folder, _ASK, syllables=full_size)
    torch.manual_seed(seed)
    model = Qwen3ASRForConditionalGeneration(_configuration(tokenizer, text=_TEXT_17B if full_size else _TEXT_TINY, full_size=full_size))
    if full_size:
        _speak_only(model, tokenizer.convert_tokens_to_ids([*(_SPACE + syllable for syllable in _SYLLABLES), *_SYLLABLES[::3]]))
    else:
        _stir(model)
        _babble(model, tokenizer)
    model.save_pretrained(folder)
    return folder


def build_tiny_forced_aligner(folder: Path, *, seed: int = 0, classes: int = 200, full_size: bool = False) -> Path:
    """A ``save_pretrained`` folder of a ``Qwen3ASRForTokenClassification`` with ``classes`` of 80 ms (``full_size``: as many as the published one)."""
    import torch
    from transformers import Qwen3ASRForTokenClassification

    tokenizer = _processor(folder, _ALIGN, syllables=full_size)
    torch.manual_seed(seed)
    classes = _CLASSES if full_size else classes
    model = Qwen3ASRForTokenClassification(_configuration(tokenizer, text=_TEXT_06B if full_size else _TEXT_TINY, full_size=full_size, num_labels=classes))
    if not full_size:
        _stir(model)
    model.save_pretrained(folder)
    return folder


def _processor(folder: Path, template: str, *, syllables: bool):
    from transformers import Qwen2Tokenizer, Qwen3ASRFeatureExtractor, Qwen3ASRProcessor

    marks = {"audio_token": "<|audio_pad|>", "audio_bos_token": "<|audio_start|>", "audio_eos_token": "<|audio_end|>"}
    vocabulary, merges = byte_vocabulary("<|endoftext|>"), []
    if syllables:
        merges = [*((s[0], s[1]) for s in _SYLLABLES), *((_SPACE, s) for s in _SYLLABLES)]
        vocabulary |= {first + second: len(vocabulary) + k for k, (first, second) in enumerate(merges)}
    tokenizer = Qwen2Tokenizer(vocab=vocabulary, merges=merges, extra_special_tokens=marks, eos_token="<|im_end|>", pad_token="<|endoftext|>")
    tokenizer.add_tokens(["<|im_start|>", "<timestamp>"], special_tokens=True)
    tokenizer.add_tokens(["<asr_text>"])
    Qwen3ASRProcessor(feature_extractor=Qwen3ASRFeatureExtractor(), tokenizer=tokenizer, chat_template=template).save_pretrained(folder)
    return tokenizer


def _configuration(tokenizer, *, text: dict, full_size: bool, **more):
    from transformers import Qwen3ASRConfig

    ids = {name: tokenizer.convert_tokens_to_ids(token) for name, token in {"audio_token_id": "<|audio_pad|>", "timestamp_token_id": "<timestamp>"}.items()}
    return Qwen3ASRConfig(
        audio_config={**({} if full_size else _AUDIO_TINY), "output_dim": text["hidden_size"]},
        text_config={**text, "vocab_size": _VOCABULARY if full_size else len(tokenizer), "max_position_embeddings": 8192, "tie_word_embeddings": False},
        tie_word_embeddings=False,
        pad_token_id=tokenizer.pad_token_id,
        eos_token_id=tokenizer.eos_token_id,
        **ids,
        **more,
    )


def _stir(model) -> None:
    """Larger weights than a fresh model's: what it says then depends on what it hears, with margins no rounding crosses."""
    import torch

    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.dim() > 1:
                parameter.mul_(12.0 if "lm_head" in name or name.startswith("score") else 6.0)


def _speak_only(model, tokens: list[int]) -> None:
    """All other rows of the head become zero: of a few dozen that are not, one is always above."""
    import torch

    with torch.no_grad():
        keep = torch.zeros(len(model.lm_head.weight), 1)
        keep[tokens] = 1.0
        model.lm_head.weight.mul_(keep)


def _babble(model, tokenizer) -> None:
    """Only letters and the space can win, so that the output is words; the end mark wins now and then."""
    import torch

    letters = [tokenizer.convert_tokens_to_ids(c) for c in (_SPACE, *"abcdefghijklmnopqrstuvwxyz")]
    _speak_only(model, [*letters, tokenizer.eos_token_id])
    with torch.no_grad():
        # Where these three would be likely, a space is: words of some length.
        model.lm_head.weight[letters[0]] = 0.6 * sum(model.lm_head.weight[tokenizer.convert_tokens_to_ids(c)] for c in "jms")
