"""What synthesisers share: checks of a request, and for those that run as programs of their own time-outs, clear errors, clean-up."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from workbench import audio as audio_io
from workbench.audio import Audio
from workbench.errors import EngineError, TextError
from workbench.tts.base import SpeechRequest
from workbench.tts.voices import resolve_voice


def check_voice(engine: str, voice: str, voices: Sequence[str]) -> None:
    """Raise ``UnknownNameError`` with the nearest voices, or with whose voice it is, unless the engine has this one."""
    resolve_voice(engine, voice, voices)


def check_speed(engine: str, speed: float, *, slowest: float = 0.25, fastest: float = 4.0) -> None:
    """Raise ``EngineError`` outside the range in which the engine still speaks words."""
    if not slowest <= speed <= fastest:
        raise EngineError("speed out of range", where=engine, got=speed, expected=f"{slowest:g} to {fastest:g}")


def check_text(engine: str, text: str) -> None:
    """Raise ``TextError`` when there is no letter or digit to say."""
    if not any(c.isalnum() for c in text):
        raise TextError("nothing to say", where=engine, got=text or "empty text", expected="at least one letter or digit")


def refuse_phonemes(engine: str, request: SpeechRequest) -> None:
    """Raise ``EngineError`` for a request in phonemes: spoken as text it would sound right and be wrong."""
    if request.phonemes is not None:
        raise EngineError("takes no phonemes", where=engine, got=request.phonemes, mend="use kokoro, or leave phonemes out")


def refuse_said_as(engine: str, request: SpeechRequest) -> None:
    """Raise ``EngineError`` for a request that forces a pronunciation: the engine would say what it likes."""
    if request.said_as:
        mend = "use flite, espeak or kokoro, or leave said_as out"
        raise EngineError("cannot be told how to say a word", where=engine, got=" ".join(request.said_as[0].arpabet), mend=mend)


def speak_with(engine: str, command: Sequence[str], text: str, *, timeout_sec: float) -> Audio:
    """Run ``command`` with ``{text}`` and ``{wav}`` replaced by file names; read what it wrote.

    The text travels by file: a leading dash, quotes or 20,000 characters are then no matter.

    Raises:
        TextError: nothing to say.
        EngineError: the program failed, hung or wrote no audio.
    """
    check_text(engine, text)
    with tempfile.TemporaryDirectory(prefix="workbench-tts-") as folder:
        text_file, wav = Path(folder, "text.txt"), Path(folder, "out.wav")
        text_file.write_text(text + "\n", encoding="utf-8")
        arguments = [part.format(text=text_file, wav=wav) for part in command]
        try:
            done = subprocess.run(arguments, capture_output=True, timeout=timeout_sec, check=False)
        except subprocess.TimeoutExpired:
            raise EngineError("timed out", where=engine, got=f"{timeout_sec:g} s", mend="shorter text or a longer time-out") from None
        if done.returncode != 0 or not wav.exists() or wav.stat().st_size == 0:
            complaint = done.stderr.decode("utf-8", "replace").strip() or "no message"
            raise EngineError(f"gave no audio (exit status {done.returncode}): {complaint}", where=engine)
        spoken = audio_io.read(wav, where=engine)
    return Audio(spoken.samples, spoken.sample_rate_hz, spoken.channels)
