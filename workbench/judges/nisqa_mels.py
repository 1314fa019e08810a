"""Mel spectra as NISQA was trained on: 48 Slaney bands in dB of 20 ms Hann windows every 10 ms; the network cuts them into segments.

Source: Mittag, Naderi, Chehadi, Möller, "NISQA: a deep CNN-self-attention model for multidimensional speech quality prediction with
crowdsourced datasets" (Interspeech 2021), section 2; settings travel with the published weights.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from workbench.errors import EngineError
from workbench.judges.mel import slaney_filters

_FLOOR, _RANGE_DB = 1e-4, 80.0
# Frames transformed at a time: the spectra of one chunk stay in the cache of one core.
_CHUNK_FRAMES = 64


@dataclass(frozen=True, slots=True)
class MelSettings:
    """How audio becomes mels and how many segments a network takes; from a checkpoint's ``args``."""

    fft_samples: int
    hop_sec: float
    window_sec: float
    bands: int
    top_hz: float
    segment_frames: int
    segment_hop_frames: int
    most_segments: int

    @classmethod
    def of(cls, args: Mapping[str, Any], *, where: object) -> MelSettings:
        """
        Raises:
            EngineError: a setting is missing.
        """
        try:
            return cls(
                fft_samples=int(args["ms_n_fft"]),
                hop_sec=float(args["ms_hop_length"]),
                window_sec=float(args["ms_win_length"]),
                bands=int(args["ms_n_mels"]),
                top_hz=float(args["ms_fmax"]),
                segment_frames=int(args["ms_seg_length"]),
                segment_hop_frames=int(args["ms_seg_hop_length"]),
                most_segments=int(args["ms_max_segments"]),
            )
        except (KeyError, TypeError, ValueError) as error:
            expected = "args with ms_n_fft, ms_fmax and the rest"
            raise EngineError("NISQA weights without their settings", where=where, got=repr(error), expected=expected) from error

    def hop_samples(self, sample_rate_hz: int) -> int:
        return int(sample_rate_hz * self.hop_sec)

    def segment_count(self, samples: int, sample_rate_hz: int) -> int:
        """Segments of a clip of so many samples; 0 or less when it is too short for one."""
        frames = 1 + samples // self.hop_samples(sample_rate_hz)
        return math.ceil((frames - self.segment_frames + 1) / self.segment_hop_frames)


def mels_of(waves: Sequence[np.ndarray], settings: MelSettings, *, sample_rate_hz: int, device: str) -> list[torch.Tensor]:
    """Mel spectra in dB, one of shape (T, bands) per clip.

    Args:
        waves: each of shape (samples,), float32, long enough for one segment.
    """
    framed = [_frames(torch.from_numpy(wave).to(device), settings, sample_rate_hz) for wave in waves]
    mels = _mel_magnitudes(torch.cat(framed), settings, sample_rate_hz).clamp_(min=_FLOOR).log10_().mul_(20.0)
    # The floor lies under the clip's own loudest band: what else is in the batch must not move it.
    return [mel.clamp(min=mel.max() - _RANGE_DB) for mel in mels.split([len(frames) for frames in framed])]


def _frames(wave: torch.Tensor, settings: MelSettings, sample_rate_hz: int) -> torch.Tensor:
    """Windows centred on every hop, the clip mirrored at both ends; a view of shape (frames, window).

    The transform is longer than the window, but past the window it sees zeros: mirroring by half a window is all that reaches it.
    """
    window = int(sample_rate_hz * settings.window_sec)
    # An odd window sits one sample off centre in the even transform, as the reference pads it.
    before = settings.fft_samples // 2 - (settings.fft_samples - window) // 2
    after = window - before
    padded = torch.nn.functional.pad(wave[None], (before, after), mode="reflect")[0]
    return padded.unfold(0, window, settings.hop_samples(sample_rate_hz))[: 1 + len(wave) // settings.hop_samples(sample_rate_hz)]


def _mel_magnitudes(frames: torch.Tensor, settings: MelSettings, sample_rate_hz: int) -> torch.Tensor:
    """(frames, window) -> (frames, bands)."""
    window = torch.hann_window(frames.shape[1], periodic=True, dtype=torch.float64).float().to(frames.device)
    filters = slaney_filters(sample_rate_hz, fft_samples=settings.fft_samples, bands=settings.bands, top_hz=settings.top_hz)
    heard = 1 + int(np.flatnonzero(filters.any(axis=1))[-1])
    weights = torch.from_numpy(filters[:heard]).to(frames.device)
    return torch.cat([_magnitudes(chunk * window, settings.fft_samples, heard) @ weights for chunk in frames.split(_CHUNK_FRAMES)])


def _magnitudes(frames: torch.Tensor, fft_samples: int, heard: int) -> torch.Tensor:
    spectrum = torch.fft.rfft(frames, n=fft_samples)[:, :heard]
    # torch's own abs() guards against overflow, which audio is far from, and takes twice as long.
    return torch.addcmul(spectrum.real.square(), spectrum.imag, spectrum.imag).sqrt_()
