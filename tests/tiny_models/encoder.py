"""A tiny random BERT with a tokenizer of letters, saved by transformers."""

from __future__ import annotations

from pathlib import Path


def build_tiny_encoder(folder: Path, *, seed: int = 0) -> Path:
    """A ``save_pretrained`` folder that ``AutoModel`` and ``AutoTokenizer`` load."""
    import torch
    from transformers import BertConfig, BertModel, BertTokenizerFast

    torch.manual_seed(seed)
    folder.mkdir(parents=True, exist_ok=True)
    letters = "abcdefghijklmnopqrstuvwxyz"
    whole = ["they", "the", "to", "lead", "live", "read", "pipe", "will", "of", "a"]
    symbols = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *whole, *letters, *(f"##{letter}" for letter in letters), ".", ","]
    (folder / "vocab.txt").write_text("\n".join(symbols), encoding="utf-8")
    BertTokenizerFast(vocab_file=str(folder / "vocab.txt"), do_lower_case=True, model_max_length=128).save_pretrained(folder)
    BertModel(
        BertConfig(vocab_size=len(symbols), hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=64, max_position_embeddings=128)
    ).save_pretrained(folder)
    return folder
