"""Kokoro as its package defines it, as small as it goes, with random numbers for weights."""

from __future__ import annotations

import json
from pathlib import Path

SYMBOLS = ";:,.!?—…\"()“” ̃ʣʥʦʨᵝꭧAIOQSTWYᵊabcdefhijklmnopqrstuvwxyzɑɐɒæβɔɕçɖðʤəɚɛɜɟɡɥɨɪʝɯɰŋɳɲɴøɸθœɹɾɻʁɽʂʃʈʧʊʋʌɣɤχʎʒʔˈˌːʰʲ↓→↗↘ᵻ"
TINY = {
    "n_token": len(SYMBOLS) + 1,
    # The widths 512, 128 and 24 kHz are fixed in the package's code; the rest is as small as it goes.
    "hidden_dim": 512, "style_dim": 128, "n_layer": 1, "max_dur": 2, "dropout": 0.1, "text_encoder_kernel_size": 5, "n_mels": 80,
    "plbert": {"hidden_size": 16, "num_attention_heads": 2, "intermediate_size": 16, "max_position_embeddings": 512, "num_hidden_layers": 1, "dropout": 0.1, "embedding_size": 16},
    "istftnet": {
        "upsample_kernel_sizes": [20, 12], "upsample_rates": [10, 6], "gen_istft_hop_size": 5, "gen_istft_n_fft": 20,
        "resblock_dilation_sizes": [[1, 3, 5]], "resblock_kernel_sizes": [3], "upsample_initial_channel": 512,
    },
    "vocab": {symbol: number for number, symbol in enumerate(SYMBOLS, start=1)},
}  # fmt: skip


def build_tiny_kokoro(folder: Path, *, seed: int = 0) -> Path:
    """``config.json``, ``kokoro-v1_0.pth`` and voices, as the publisher lays them out."""
    import torch
    from kokoro import KModel

    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(TINY), encoding="utf-8")
    torch.save({}, folder / "nothing.pth")
    torch.manual_seed(seed)
    model = KModel(repo_id="tiny", config=TINY, model=str(folder / "nothing.pth"))
    (folder / "nothing.pth").unlink()
    torch.save({name: part.state_dict() for name, part in model.named_children()}, folder / "kokoro-v1_0.pth")
    (folder / "voices").mkdir()
    for name in ("af_heart", "am_puck", "bf_emma", "ef_dora", "jf_alpha", "af_mine"):
        torch.save(torch.randn(510, 1, 256), folder / "voices" / f"{name}.pt")
    return folder
