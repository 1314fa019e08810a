"""Sounds for attention checks: a clip that says which answer to give, and a copy that nobody can call good."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from workbench.audio import Audio
from workbench.clips import Clip
from workbench.errors import ListeningError
from workbench.scan.speak import TextToSpeak, speak, usable_voices

#: answer -> what the clip says.
INSTRUCTIONS = {
    "2": "This is a test of attention. Please do not rate this recording. Choose number two, poor.",
    "4": "This is a test of attention. Please do not rate this recording. Choose number four, good.",
}
#: A rating of a degraded copy that passes.
DEGRADED_ACCEPTED = ("1", "2")
#: Degraded copies in a test, of clips drawn by the seed.
DEGRADED_ITEMS = 4
NOISE_TO_SIGNAL_DB = 3.0
CLIP_AT = 0.25


def degraded(audio: Audio, *, seed: int) -> Audio:
    """The clip under white noise 3 dB louder than itself, then clipped at a quarter of its peak and brought back to the level it had.

    The noise depends on the clip and the seed alone.
    """
    rms = float(np.sqrt(np.mean(np.square(audio.samples, dtype=np.float64)))) or 1e-3
    content = hashlib.sha256(np.ascontiguousarray(audio.samples).tobytes()).digest()
    rng = np.random.default_rng([seed, int.from_bytes(content[:8], "little")])
    noisy = audio.samples + rng.standard_normal(len(audio.samples)) * rms * 10 ** (NOISE_TO_SIGNAL_DB / 20)
    bound = CLIP_AT * float(np.abs(noisy).max())
    ruined = np.clip(noisy, -bound, bound)
    level = rms / float(np.sqrt(np.mean(np.square(ruined))))
    return replace(audio, samples=(ruined * level).astype(np.float32))


def instructions(voice: str, *, folder: str | Path, options: Mapping[str, Mapping[str, Any]], say: Callable[[str], None]) -> list[tuple[Clip, str]]:
    """Spoken instructions with the answer that each asks for.

    Raises:
        EngineUnavailableError, UnknownNameError: the voice cannot speak here.
        ListeningError: it could, but did not.
    """
    voices, _ = usable_voices([voice], when_missing="stop", options=options)
    texts = [TextToSpeak(f"choose-{answer}", text) for answer, text in INSTRUCTIONS.items()]
    spoken = speak(texts, voices, folder=folder, dataset="instructions", options=options, say=say)
    for clip in spoken.clips:
        if clip.fault:
            raise ListeningError("an instruction could not be spoken", where=voice, got=clip.fault, mend="name another instruction_voice, or none")
    return list(zip(spoken.clips, INSTRUCTIONS, strict=True))
