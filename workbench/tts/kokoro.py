"""Kokoro 82M in this process, through the package ``kokoro``, from weights on this machine. StyleTTS 2 family (Li et al., 2023), 24 kHz."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from workbench.audio import Audio
from workbench.errors import ConfigError, EngineError, EngineUnavailableError, WorkbenchError
from workbench.tts.base import SpeechRequest, all_spoken
from workbench.tts.kokoro_phones import check_phonemes, in_passes, known_only, phonemes_of
from workbench.tts.programs import check_speed, check_text
from workbench.tts.said_as import as_kokoro, parts
from workbench.tts.voices import resolve_voice, voices_of

WEIGHTS, REPOSITORY = "kokoro-82m", "hexgrad/Kokoro-82M"
SAMPLE_RATE_HZ = 24000
#: The model reads 512 symbols, two of them its own.
MOST_PHONEMES = 510
#: Share of a part's parameters that a file may lack before the part is taken as not loaded.
TOLERATED_MISSING = 0.01
REVISION = 1


class KokoroSynthesizer:
    """Nothing leaves this machine and nothing is fetched. The same request gives the same samples in any batch and order.

    Args:
        weights: folder with ``config.json``, ``kokoro-v1_0.pth`` (or another lone ``.pth``) and ``voices/*.pt``; by default the set in
            the cache.
        most_phonemes: longest stretch spoken in one pass; longer texts are broken after sentences.
        seed: of the noise in the vocoder's source; each take of a text draws its own.

    It computes in float32 on every device: the vocoder's Fourier transforms and phase sums know no bfloat16.
    """

    name = "kokoro"
    cloud = False

    def __init__(self, *, weights: str | None = None, most_phonemes: int = MOST_PHONEMES, seed: int = 1) -> None:
        if isinstance(most_phonemes, bool) or not isinstance(most_phonemes, int) or not 1 <= most_phonemes <= MOST_PHONEMES:
            raise ConfigError("most_phonemes out of range", where=self.name, got=most_phonemes, expected=f"1 to {MOST_PHONEMES}")
        self.weights, self.most_phonemes, self.seed = weights, most_phonemes, seed
        self._model: Any = None
        self._folder: Path | None = None
        self._packs: dict[str, Any] = {}

    def check_ready(self) -> None:
        """
        Raises:
            EngineUnavailableError: no weights; names the file and the command that fetches them.
        """
        from workbench.weights import resolve

        resolve(WEIGHTS, local=self.weights)

    def load(self, device: str = "cpu") -> None:
        """Read the model; voices are read when first asked for.

        Raises:
            EngineUnavailableError: no weights; names the file and the command that fetches them.
            EngineError: weights of another architecture, or on another device than asked.
        """
        from workbench.guard import assert_on
        from workbench.weights import resolve

        folder = resolve(WEIGHTS, local=self.weights)
        self._model = _model(folder).to(device).eval()
        self._folder = folder
        assert_on(self._model, device, engine=self.name)

    def voices(self) -> tuple[str, ...]:
        """The published voices, and any further one in the folder of weights."""
        folder = self._folder or self._weights_folder()
        own = sorted(path.stem for path in folder.glob("voices/*.pt")) if folder else []
        return tuple(dict.fromkeys([*voices_of(self.name).names, *own]))

    def _weights_folder(self) -> Path | None:
        from workbench.weights import resolve

        try:
            return resolve(WEIGHTS, local=self.weights)
        except EngineUnavailableError:
            return None

    def phonemes(self, text: str, voice: str) -> str:
        """What the engine would say for a text, to be changed and given back as ``SpeechRequest.phonemes``.

        Raises:
            UnknownNameError: no such voice.
            EngineUnavailableError: see ``kokoro_phones``.
        """
        return phonemes_of(text, resolve_voice(self.name, voice, self.voices())[0])

    def speak(self, requests: Sequence[SpeechRequest]) -> list[Audio]:
        """One audio per request, in order; 24 kHz mono.

        Raises:
            UnknownNameError, TextError, EngineError: of a lone request.
            PartlySpokenError: of a batch, after all of it was tried.
        """
        if self._model is None:
            raise EngineError("kokoro is not loaded", mend="call load() first")
        return all_spoken(self.name, [self._outcome(request) for request in requests])

    def _outcome(self, request: SpeechRequest) -> Audio | Exception:
        try:
            return self._one(request)
        except WorkbenchError as error:
            return error

    def _one(self, request: SpeechRequest) -> Audio:
        voice = resolve_voice(self.name, request.voice, self.voices())
        check_speed(self.name, request.speed)
        phonemes = self._phonemes(request, voice)
        pack = self._pack(voice)
        spoken = [self._pass(piece, pack, request) for piece in in_passes(phonemes, self.most_phonemes)]
        samples = np.concatenate(spoken)
        if not len(samples) or not np.isfinite(samples).all():
            raise EngineError("kokoro gave no finite samples", where=voice, got=f"{len(samples)} samples for {len(phonemes)} phonemes")
        return Audio(samples, SAMPLE_RATE_HZ)

    def _phonemes(self, request: SpeechRequest, voice: str) -> str:
        vocabulary = self._model.vocab
        if request.phonemes is not None:
            check_phonemes(request.phonemes, vocabulary)
            return request.phonemes
        check_text(self.name, request.text)
        spoken = [part if said is None else as_kokoro(said.arpabet) for part, said in self._parts(request, voice)]
        found = known_only(" ".join("".join(spoken).split()), vocabulary)
        if not any(symbol.isalpha() for symbol in found):
            raise EngineError("no phonemes for this text in the voice's language", where=voice, got=request.text)
        return found

    def _parts(self, request: SpeechRequest, voice: str):
        """Stretches of the text as phonemes, spaces at their ends kept, between the words whose pronunciation is given."""
        for part, said in parts(request, where=self.name):
            if said is None and any(c.isalnum() for c in part):
                before, after = (" " * (edge.isspace()) for edge in (part[0], part[-1]))
                part = f"{before}{phonemes_of(part, voice[0])}{after}"
            yield part, said

    def _pack(self, voice: str) -> Any:
        import torch

        if voice not in self._packs:
            path = self._folder / "voices" / f"{voice}.pt"
            if not path.is_file():
                mend = f"workbench weights fetch {WEIGHTS}, or put the file there"
                raise EngineUnavailableError("voice is not among the weights", where=voice, got=f"missing: {path}", mend=mend)
            pack = torch.load(path, map_location="cpu", weights_only=True)
            if getattr(pack, "ndim", 0) != 3 or tuple(pack.shape[1:]) != (1, 256) or len(pack) < self.most_phonemes:
                raise EngineError(
                    "not a voice of Kokoro", where=path, got=tuple(getattr(pack, "shape", ())), expected=f"a tensor (at least {self.most_phonemes}, 1, 256)"
                )
            self._packs[voice] = pack.to(self._model.device)
        return self._packs[voice]

    def _pass(self, phonemes: str, pack: Any, request: SpeechRequest) -> np.ndarray:
        """One pass of the model over at most ``most_phonemes`` symbols."""
        import torch
        from kokoro import KPipeline

        # The vocoder's source is noise: seeded by what is said, it depends neither on what was said before nor on the batch.
        further = f"\0{request.take}" if request.take > 1 else ""
        seed = zlib.crc32(f"{self.seed}\0{phonemes}{further}".encode())
        cards = [self._model.device] if self._model.device.type == "cuda" else []
        with torch.random.fork_rng(devices=cards), torch.inference_mode():
            torch.manual_seed(seed)
            out = KPipeline.infer(self._model, phonemes, pack, request.speed)
        return np.ascontiguousarray(out.audio.float().cpu().numpy().reshape(-1))

    def close(self) -> None:
        """Free the model and its voices."""
        self._model, self._folder = None, None
        self._packs.clear()

    def identity(self) -> dict[str, object]:
        """What the audio depends on; needs neither weights nor the package."""
        from workbench.weights import identity_of

        decode = {"most_phonemes": self.most_phonemes, "seed": self.seed, "g2p": "misaki-espeak", "dtype": "float32", "code": REVISION}
        decode |= {package: _version(package) for package in ("kokoro", "misaki", "espeakng-loader")}
        return {"engine": self.name, "sample_rate_hz": SAMPLE_RATE_HZ, **identity_of(WEIGHTS, local=self.weights), **decode}


def _version(package: str) -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(package)
    except PackageNotFoundError:
        return "absent"


def _model(folder: Path) -> Any:
    """The network with all its parameters from the file."""
    import json

    config, file = folder / "config.json", _model_file(folder)
    if not config.is_file():
        raise EngineUnavailableError(
            "weights of kokoro are not whole", where=folder, got="missing: config.json", mend=f"workbench weights fetch {WEIGHTS}"
        )
    from kokoro import KModel

    try:
        model = KModel(repo_id=REPOSITORY, config=json.loads(config.read_text(encoding="utf-8")), model=str(file))
        lacking = _lacking(model, file)
    except Exception as error:  # noqa: BLE001 - the package asserts, and torch raises what it likes, on files that do not fit
        raise EngineError(
            f"weights do not fit the model: {type(error).__name__}: {error}", where=file, mend="give the config.json that came with them"
        ) from error
    if lacking:
        told = "; ".join(f"{part}: {count:,} of {whole:,} parameters missing" for part, count, whole in lacking)
        raise EngineError(
            "weights lack parts of the model", where=file, got=told, mend="give the config.json that came with them, or fetch them again"
        )
    return model


def _model_file(folder: Path) -> Path:
    usual = folder / "kokoro-v1_0.pth"
    found = [usual] if usual.is_file() else sorted(folder.glob("*.pth"))
    if len(found) != 1:
        got = ", ".join(path.name for path in found) or "missing: kokoro-v1_0.pth"
        raise EngineUnavailableError(
            "weights of kokoro are not whole", where=folder, got=got, expected="one .pth file", mend=f"workbench weights fetch {WEIGHTS}"
        )
    return found[0]


def _lacking(model: Any, file: Path) -> list[tuple[str, int, int]]:
    """(part, parameters missing, parameters) for each part of the model that the file does not fill.

    The package retries a part that does not fit with every name shortened and nothing demanded: the part may then keep its random start.
    """
    import torch

    parts = torch.load(file, map_location="cpu", weights_only=True)
    found = []
    for name, part in model.named_children():
        sizes = {key: value.numel() for key, value in part.state_dict().items()}
        state = {key.removeprefix("module."): value for key, value in parts.get(name, {}).items()}
        missing, whole = sum(sizes.get(key, 0) for key in part.load_state_dict(state, strict=False).missing_keys), sum(sizes.values())
        if missing > TOLERATED_MISSING * whole:
            found.append((name, missing, whole))
    return found
