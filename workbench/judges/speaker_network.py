"""Speaker embeddings of several clips at once by transformers' ``WavLMForXVector``, each as the clip would have alone.

Zero padding would change them in two places, which are computed here per clip: the first layer of the feature extractor normalises each
channel over time (group norm), and the head takes mean and deviation over time (transformers' own masked version of it forgets the
dilation of the head's convolutions and takes in frames that have seen padding). Everything between sees padding only through a mask.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from workbench.errors import EngineError

SAMPLE_RATE_HZ = 16000


class Embedder:
    """Waves -> embeddings.

    Args:
        folder: as ``save_pretrained`` writes it.
        dtype: name of a torch dtype.

    Raises:
        EngineError: the folder holds something else, or the model did not get to ``device``.
    """

    def __init__(self, folder: Path, *, device: str, dtype: str, engine: str) -> None:
        from transformers import AutoFeatureExtractor, WavLMForXVector

        from workbench.guard import assert_on

        try:
            self.extractor = AutoFeatureExtractor.from_pretrained(folder, local_files_only=True)
            model, report = WavLMForXVector.from_pretrained(
                folder, local_files_only=True, dtype=getattr(torch, dtype), output_loading_info=True
            )
        except (OSError, ValueError, RuntimeError) as error:
            expected = "config.json, preprocessor_config.json and model.safetensors of a WavLMForXVector"
            raise EngineError("not a WavLM x-vector model", where=folder, got=str(error).splitlines()[0], expected=expected) from error
        # The loss has weights of its own, which embeddings do not need.
        lacking = sorted(name for name in report["missing_keys"] if not name.startswith(("objective.", "classifier.")))
        if lacking:
            raise EngineError("a WavLM model without a speaker head", where=folder, got=f"missing: {', '.join(lacking[:5])}")
        if self.extractor.sampling_rate != SAMPLE_RATE_HZ:
            raise EngineError("a WavLM model of another rate", where=folder, got=f"{self.extractor.sampling_rate} Hz", expected="16000 Hz")
        model.wavlm.feature_extractor = _PaddedConvolutions(model.wavlm.feature_extractor)
        position = model.wavlm.encoder.pos_conv_embed.conv
        if nn.utils.parametrize.is_parametrized(position, "weight"):
            # Else its largest kernel is normalised anew at every call.
            nn.utils.parametrize.remove_parametrizations(position, "weight")
        self.model = model.eval().requires_grad_(False).to(device)
        self.device, self.dtype = device, getattr(torch, dtype)
        assert_on(self.model, device, engine=engine)

    def __call__(self, waves: Sequence[np.ndarray]) -> list[np.ndarray]:
        """
        Args:
            waves: each of shape (T,), float32, at 16 kHz.

        Returns:
            One embedding per wave, shape (D,), float64, not normalised.
        """
        values = [np.asarray(self.extractor(wave, sampling_rate=SAMPLE_RATE_HZ).input_values[0], np.float32) for wave in waves]
        lengths = torch.tensor([len(value) for value in values])
        padded = nn.utils.rnn.pad_sequence([torch.from_numpy(value) for value in values], batch_first=True)
        present = (torch.arange(padded.shape[1]) < lengths[:, None]).long()
        with torch.inference_mode(), torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
            self.model.wavlm.feature_extractor.lengths = lengths.tolist()
            # One clip, or several of one length, need no mask, and the library is quicker without.
            mask = None if bool(present.all()) else present.to(self.device)
            hidden = self._hidden(padded.to(self.device, self.dtype), mask)
            frames = self.model.wavlm._get_feat_extract_output_lengths(lengths)
            return list(self._head(hidden, frames.tolist()).double().cpu().numpy())

    def _hidden(self, padded: Tensor, mask: Tensor | None) -> Tensor:
        model = self.model
        if not model.config.use_weighted_layer_sum:
            return model.wavlm(padded, attention_mask=mask).last_hidden_state
        layers = torch.stack(model.wavlm(padded, attention_mask=mask, output_hidden_states=True).hidden_states, dim=1)
        return (layers * model.layer_weights.softmax(-1).view(-1, 1, 1)).sum(dim=1)

    def _head(self, hidden: Tensor, frames: Sequence[int]) -> Tensor:
        """(B, T, hidden) -> (B, D): time-delay layers, then mean and deviation over each clip's own frames."""
        config = self.model.config
        x = self.model.projector(hidden)
        for layer in self.model.tdnn:
            x = layer(x)
        lost = sum((kernel - 1) * dilation for kernel, dilation in zip(config.tdnn_kernel, config.tdnn_dilation, strict=True))
        own = [x[row, : max(0, count - lost)] for row, count in enumerate(frames)]
        return self.model.feature_extractor(torch.stack([torch.cat([part.mean(dim=0), part.std(dim=0)]) for part in own]))


class _PaddedConvolutions(nn.Module):
    """transformers' feature extractor for padded batches: a first layer that normalises over time does so over each clip's own samples.

    The layers take no padding of their own, so that a frame within a clip never sees what lies beyond it.
    """

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner, self.lengths = inner, []

    def forward(self, samples: Tensor) -> Tensor:
        """(B, T) -> (B, C, frames); ``lengths`` holds the samples of each clip."""
        x, layers = samples[:, None], list(self.inner.conv_layers)
        if any(isinstance(module, nn.GroupNorm) for module in layers[0].modules()) and len(set(self.lengths)) > 1:
            first = [layers[0](x[row : row + 1, :, :length]) for row, length in enumerate(self.lengths)]
            longest = max(part.shape[2] for part in first)
            x, layers = torch.cat([nn.functional.pad(part, (0, longest - part.shape[2])) for part in first]), layers[1:]
        for layer in layers:
            x = layer(x)
        return x
