"""The two published NISQA architectures, evaluated on many clips at once.

Sources: v2.0, five dimensions: Mittag et al. (Interspeech 2021): convolutions per segment, two self-attention layers over time, attention
pooling per dimension. TTS v1.0, naturalness: Mittag and Möller, "Deep learning based assessment of synthetic speech naturalness"
(Interspeech 2020): convolutions per segment, a bidirectional LSTM, its two last states. Weights are read under their published tensor names.
Batch normalisation is folded into the convolutions, and clips of different length are masked, so that neighbours never change a score.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from workbench.errors import EngineError

# Segments convolved at a time: the largest map of a chunk (16 x 48 x 15 floats per segment) stays under 6 MB.
_CHUNK_SEGMENTS = 128
_NORM_EPSILON = 1e-5
#: Kind, convolutions, time dependency and pooling of what is published -> scores per clip.
ARCHITECTURES = {
    ("NISQA_DIM", "adapt", "self_att", "att"): 5,
    ("NISQA", "standard", "lstm", "last_step_bi"): 1,
}


class Network(nn.Module):
    """Mels of several clips -> scores, shape (clips, outputs); evaluation only.

    Args:
        args: the checkpoint's settings.
        state: the checkpoint's tensors.
        where: how errors name the checkpoint.

    Raises:
        EngineError: the settings name another architecture, or tensors are missing, left over or of another shape.
    """

    def __init__(self, args: Mapping[str, Any], state: Mapping[str, Tensor], *, where: object) -> None:
        super().__init__()
        kind = tuple(str(args.get(key)) for key in ("model", "cnn_model", "td", "pool"))
        if kind not in ARCHITECTURES:
            raise EngineError("NISQA weights of an architecture that is not known", where=where, got=kind, expected=list(ARCHITECTURES))
        self.outputs = ARCHITECTURES[kind]
        tensors = _Tensors(state)
        try:
            self.cnn = _Convolutions(tensors.under("cnn.model."), args, adaptive=kind[1] == "adapt")
            over_time = tensors.under("time_dependency.model.")
            self.over_time = _SelfAttention(over_time, args) if kind[2] == "self_att" else _Lstm(over_time, args)
            prefixes = [f"pool_layers.{k}.model." for k in range(self.outputs)] if kind[0] == "NISQA_DIM" else ["pool.model."]
            pool = _AttentionPool if kind[3] == "att" else _LastStates
            self.pools = nn.ModuleList(pool(tensors.under(prefix)) for prefix in prefixes)
            tensors.check_all_used()
        except (KeyError, RuntimeError, TypeError) as error:
            raise EngineError("NISQA weights do not fit their own settings", where=where, got=str(error), expected=" / ".join(kind)) from error
        self.eval().requires_grad_(False)

    def forward(self, mels: Sequence[Tensor]) -> Tensor:
        """
        Args:
            mels: of each clip, shape (T, bands), T enough for one segment.
        """
        hop, frames = self.cnn.hop, self.cnn.frames
        counts = [(len(mel) - frames) // hop + 1 for mel in mels]
        features = self._features(mels)
        lengths = torch.tensor(counts, device=features.device)
        padded = nn.utils.rnn.pad_sequence(features.split(counts), batch_first=True)
        hidden = self.over_time(padded, lengths)
        return torch.cat([pool(hidden, lengths) for pool in self.pools], dim=1)

    def _features(self, mels: Sequence[Tensor]) -> Tensor:
        """(segments of all clips, features). The clips lie end to end; segments that would span two of them are computed and dropped."""
        hop, frames = self.cnn.hop, self.cnn.frames
        lengths = [-(-len(mel) // hop) * hop for mel in mels]
        line = torch.cat([functional.pad(mel, (0, 0, 0, length - len(mel))) for mel, length in zip(mels, lengths, strict=True)])
        # Past the end, so that the last clip has as many segments begin in it as the others have.
        line = functional.pad(line, (0, 0, 0, frames - hop if frames > hop else 0))
        step = _CHUNK_SEGMENTS * hop
        begun = [self.cnn(line[first : first + step + frames - hop]) for first in range(0, len(line) - frames + 1, step)]
        features = torch.cat(begun)
        starts, kept = 0, []
        for mel, length in zip(mels, lengths, strict=True):
            kept.append(features[starts : starts + (len(mel) - frames) // hop + 1])
            starts += length // hop
        return torch.cat(kept)


class _Tensors:
    """A checkpoint's tensors, each of which must be taken once."""

    def __init__(self, state: Mapping[str, Tensor], prefix: str = "", used: set[str] | None = None) -> None:
        self.state, self.prefix, self.used = state, prefix, set() if used is None else used

    def under(self, prefix: str) -> _Tensors:
        return _Tensors(self.state, self.prefix + prefix, self.used)

    def take(self, name: str) -> Tensor:
        self.used.add(self.prefix + name)
        return self.state[self.prefix + name].detach().float()

    def linear(self, name: str) -> nn.Linear:
        weight, bias = self.take(f"{name}.weight"), self.take(f"{name}.bias")
        return _filled(nn.Linear(weight.shape[1], weight.shape[0]), weight=weight, bias=bias)

    def norm(self, name: str) -> nn.LayerNorm:
        weight, bias = self.take(f"{name}.weight"), self.take(f"{name}.bias")
        return _filled(nn.LayerNorm(len(weight)), weight=weight, bias=bias)

    def convolution(self, number: int, *, padding: tuple[int, int]) -> nn.Conv2d:
        """Convolution ``number`` with the batch normalisation that follows it folded in (in double precision, then rounded once)."""
        weight, bias = self.take(f"conv{number}.weight").double(), self.take(f"conv{number}.bias").double()
        scale = self.take(f"bn{number}.weight").double() / (self.take(f"bn{number}.running_var").double() + _NORM_EPSILON).sqrt()
        shift = self.take(f"bn{number}.bias").double() - self.take(f"bn{number}.running_mean").double() * scale
        layer = nn.Conv2d(weight.shape[1], weight.shape[0], tuple(weight.shape[2:]), padding=padding)
        layer = _filled(layer, weight=(weight * scale[:, None, None, None]).float(), bias=(bias * scale + shift).float())
        return layer.to(memory_format=torch.channels_last)

    def check_all_used(self) -> None:
        left = sorted(name for name in self.state if name not in self.used and not name.endswith("num_batches_tracked"))
        if left:
            raise KeyError(f"tensors that nothing takes: {', '.join(left[:5])}")


def _filled(layer: nn.Module, **tensors: Tensor) -> nn.Module:
    layer.load_state_dict(tensors)
    return layer


class _Convolutions(nn.Module):
    """Mels of one stretch of time -> features of its segments: six convolutions with three poolings."""

    def __init__(self, tensors: _Tensors, args: Mapping[str, Any], *, adaptive: bool) -> None:
        super().__init__()
        self.frames, self.hop = int(args["ms_seg_length"]), int(args["ms_seg_hop_length"])
        self.sizes = tuple(tuple(args[f"cnn_pool_{k}"]) for k in (1, 2, 3)) if adaptive else None
        # The adaptive network's last kernel is as wide as its map and needs no padding there.
        paddings = [(1, 1)] * 5 + [(1, 0) if adaptive else (1, 1)]
        self.layers = nn.ModuleList(tensors.convolution(k, padding=padding) for k, padding in enumerate(paddings, 1))
        self.last = tensors.linear("fc" if adaptive else "fc_out") if args.get("cnn_fc_out_h") else None
        # Pooled columns then begin at every second frame of the clip as of the segment, and neighbours have them in common.
        self.shares = adaptive and self.frames == 15 and self.hop % 2 == 0 and self.sizes[0] == (int(args["ms_n_mels"]) // 2, 7)

    def forward(self, mel: Tensor) -> Tensor:
        """(T, bands) -> (segments that begin at multiples of the hop, features)."""
        x = self._first_shared(mel) if self.shares else self._first(mel)
        for number, layer in enumerate(self.layers[1:], 1):
            x = layer(x)
            if number in (1, 3):
                x = self._pooled(x, (0, 1, 3).index(number))
            x = x.relu_()  # after the pooling, which leaves less to do and the same result
        x = x.flatten(1)
        return x if self.last is None else self.last(x)

    def _first(self, mel: Tensor) -> Tensor:
        segments = mel.unfold(0, self.frames, self.hop)[:, None].contiguous(memory_format=torch.channels_last)
        return self._pooled(self.layers[0](segments), 0).relu_()

    def _first_shared(self, mel: Tensor) -> Tensor:
        """First convolution and pooling, computed once for all segments that overlap; only a segment's edges, which see zeros, are its own.

        Pooled column k of 7 is the highest of columns 2 k to 2 k + 2 of 15.
        """
        image, (weight, bias) = mel.T[None, None], (self.layers[0].weight, self.layers[0].bias)
        count = (len(mel) - self.frames) // self.hop + 1
        inner = _pairs_max(functional.conv2d(image, weight, bias, padding=(1, 0)))  # column 0 is that of frame 1
        left = _pairs_max(functional.conv2d(image[..., :-1], weight[..., 1:], bias, padding=(1, 0), stride=(1, self.hop)))[..., :count]
        right = _pairs_max(functional.conv2d(image[..., 13:], weight[..., :-1], bias, padding=(1, 0), stride=(1, self.hop)))[..., :count]
        triples = torch.maximum(torch.maximum(inner[..., 1:-2:2], inner[..., 2:-1:2]), inner[..., 3::2])  # of frames 2 to 4, 4 to 6, ...
        edge = torch.maximum(inner[..., :-1], inner[..., 1:])  # of frames 1 and 2, 2 and 3, ...
        out = mel.new_empty((count, image.shape[2] // 2, 7, weight.shape[0]))  # channels innermost
        out[:, :, 0] = _by_time(torch.maximum(left, edge[..., :: self.hop][..., :count]))
        for k in range(1, 6):
            out[:, :, k] = _by_time(triples[..., k - 1 :: self.hop // 2][..., :count])
        out[:, :, 6] = _by_time(torch.maximum(right, edge[..., 11 :: self.hop][..., :count]))
        return out.permute(0, 3, 1, 2).relu_()

    def _pooled(self, x: Tensor, which: int) -> Tensor:
        if self.sizes is not None:
            return adaptive_max(x, self.sizes[which])
        return functional.max_pool2d(x, 2, padding=(0, 1) if which == 0 else 0)


def _pairs_max(x: Tensor) -> Tensor:
    """(1, C, H, W) -> (1, C, H / 2, W)."""
    return torch.maximum(x[:, :, 0::2], x[:, :, 1::2])


def _by_time(x: Tensor) -> Tensor:
    """(1, C, H, N) -> (N, H, C)."""
    return x[0].permute(2, 1, 0)


def adaptive_max(x: Tensor, size: Sequence[int]) -> Tensor:
    """``adaptive_max_pool2d`` without the indices that it would also compute, for maps that halve in height.

    Args:
        x: shape (N, C, H, W), channels innermost in memory.

    Returns:
        shape (N, C, size[0], size[1]), likewise.
    """
    if x.shape[2] != 2 * size[0]:
        return functional.adaptive_max_pool2d(x, tuple(size))
    x = torch.maximum(x[:, :, 0::2], x[:, :, 1::2]).permute(0, 2, 3, 1)
    width = x.shape[2]
    out = x.new_empty((*x.shape[:2], size[1], x.shape[3]))
    for k in range(size[1]):
        start, end = k * width // size[1], -(-(k + 1) * width // size[1])
        highest = x[:, :, start]
        for column in range(start + 1, end):
            highest = torch.maximum(highest, x[:, :, column])
        out[:, :, k] = highest
    return out.permute(0, 3, 1, 2)


class _SelfAttention(nn.Module):
    """(B, T, features) -> (B, T, d): a projection, then layers of self-attention and feed-forward, normalised after each."""

    def __init__(self, tensors: _Tensors, args: Mapping[str, Any]) -> None:
        super().__init__()
        self.heads = int(args["td_sa_nhead"])
        if args.get("td_sa_pos_enc"):
            raise KeyError("td_sa_pos_enc: a positional encoding, which no published weights have")
        self.projection, self.norm = tensors.linear("linear"), tensors.norm("norm1")
        self.layers = nn.ModuleList(_AttentionLayer(tensors.under(f"layers.{k}."), self.heads) for k in range(int(args["td_sa_num_layers"])))

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        present = _present(x, lengths)[:, None, None]
        x = self.norm(self.projection(x))
        for layer in self.layers:
            x = layer(x, present)
        return x


class _AttentionLayer(nn.Module):
    def __init__(self, tensors: _Tensors, heads: int) -> None:
        super().__init__()
        self.heads = heads
        weight, bias = tensors.take("self_attn.in_proj_weight"), tensors.take("self_attn.in_proj_bias")
        self.queries_keys_values = _filled(nn.Linear(weight.shape[1], weight.shape[0]), weight=weight, bias=bias)
        self.out = tensors.linear("self_attn.out_proj")
        self.norm_1, self.norm_2 = tensors.norm("norm1"), tensors.norm("norm2")
        self.up, self.down = tensors.linear("linear1"), tensors.linear("linear2")

    def forward(self, x: Tensor, present: Tensor) -> Tensor:
        parts = self.queries_keys_values(x).chunk(3, dim=-1)
        queries, keys, values = (part.unflatten(-1, (self.heads, -1)).transpose(1, 2) for part in parts)
        mixed = functional.scaled_dot_product_attention(queries, keys, values, attn_mask=present)
        x = self.norm_1(x + self.out(mixed.transpose(1, 2).flatten(2)))
        return self.norm_2(x + self.down(functional.relu(self.up(x))))


class _Lstm(nn.Module):
    """(B, T, features) -> (B, T, 2 h); padding is packed away, so that the backward direction starts at each clip's own end."""

    def __init__(self, tensors: _Tensors, args: Mapping[str, Any]) -> None:
        super().__init__()
        if not args["td_lstm_bidirectional"]:
            raise KeyError("td_lstm_bidirectional: false, which does not go with the pooling of last states")
        tensors = tensors.under("lstm.")
        hidden, layers = int(args["td_lstm_h"]), int(args["td_lstm_num_layers"])
        self.lstm = nn.LSTM(tensors.take("weight_ih_l0").shape[1], hidden, layers, batch_first=True, bidirectional=True)
        _filled(self.lstm, **{name: tensors.take(name) for name in self.lstm.state_dict()})

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        packed = nn.utils.rnn.pack_padded_sequence(x, lengths.cpu(), batch_first=True, enforce_sorted=False)
        return nn.utils.rnn.pad_packed_sequence(self.lstm(packed)[0], batch_first=True, total_length=x.shape[1])[0]


class _AttentionPool(nn.Module):
    """(B, T, d) -> (B, 1): a mean over time with learnt weights."""

    def __init__(self, tensors: _Tensors) -> None:
        super().__init__()
        self.up, self.weigh, self.out = tensors.linear("linear1"), tensors.linear("linear2"), tensors.linear("linear3")

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        weights = self.weigh(functional.relu(self.up(x))).squeeze(-1)
        weights = weights.masked_fill(~_present(x, lengths), float("-inf")).softmax(dim=1)
        return self.out((weights[:, None] @ x).squeeze(1))


class _LastStates(nn.Module):
    """(B, T, 2 h) -> (B, 1): where either direction of the LSTM has heard the whole clip."""

    def __init__(self, tensors: _Tensors) -> None:
        super().__init__()
        self.out = tensors.linear("linear")

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        half = x.shape[2] // 2
        return self.out(torch.cat([x[torch.arange(len(x), device=x.device), lengths - 1, :half], x[:, 0, half:]], dim=1))


def _present(x: Tensor, lengths: Tensor) -> Tensor:
    """(B, T), False where a clip has ended."""
    return torch.arange(x.shape[1], device=x.device) < lengths[:, None]
