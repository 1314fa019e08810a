"""What the synthesisers share that run as programs of their own: time-outs, clear errors, clean-up."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from workbench import audio as audio_io
from workbench.audio import Audio
from workbench.errors import EngineError, TextError, unknown_name


def check_voice(engine: str, voice: str, voices: Sequence[str]) -> None:
    """Raise ``UnknownNameError`` with the nearest voices unless the engine has this one."""
    if voice not in voices:
        raise unknown_name(f"{engine} voice", voice, voices)


def check_speed(engine: str, speed: float) -> None:
    """Raise ``EngineError`` outside the range in which the programs still speak words."""
    if not 0.25 <= speed <= 4.0:
        raise EngineError("speed out of range", where=engine, got=speed, expected="0.25 to 4.0")


def speak_with(engine: str, command: Sequence[str], text: str, *, timeout_sec: float) -> Audio:
    """Run ``command`` with ``{text}`` and ``{wav}`` replaced by file names; read what it wrote.

    The text travels by file: a leading dash, quotes or 20,000 characters are then no matter.

    Raises:
        TextError: nothing to say.
        EngineError: the program failed, hung or wrote no audio.
    """
    if not any(c.isalnum() for c in text):
        raise TextError("nothing to say", where=engine, got=text or "empty text", expected="at least one letter or digit")
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
