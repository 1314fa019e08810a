"""Speaks one text file into one wav through the eSpeak NG library of ``espeakng-loader``, then exits.

Usage: ``python -m workbench.tts.espeak_child VOICE WORDS_PER_MINUTE TEXT_FILE WAV_FILE``.
Interface of the library: espeak-ng's ``speak_lib.h``.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import sys
import tempfile
import wave
from pathlib import Path

AUDIO_OUTPUT_SYNCHRONOUS = 2
CHARS_UTF8 = 1
# Phonemes between [[ and ]], as the program takes them.
PHONEMES = 0x100
POSITION_CHARACTER = 1
PARAMETER_RATE = 1
# The library copies the data path into a buffer of 160 bytes.
LONGEST_DATA_PATH = 150
# The library knows this voice by its file name only.
FILE_OF_VOICE = {"en-gb": "gmw/en", "en-us": "gmw/en-US"}


def speak(voice: str, words_per_minute: int, text: str) -> tuple[bytes, int]:
    """16-bit mono samples and their rate."""
    import espeakng_loader

    library = ctypes.CDLL(espeakng_loader.get_library_path())
    with _short_path(espeakng_loader.get_data_path()) as data:
        rate_hz = library.espeak_Initialize(AUDIO_OUTPUT_SYNCHRONOUS, 0, os.fsencode(data), 0)
        if rate_hz <= 0:
            raise SystemExit(f"espeak-ng library did not start with its data at {data}")
        chunks: list[bytes] = []
        callback_type = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)

        def collect(samples, count, _events):
            if samples and count > 0:
                chunks.append(ctypes.string_at(samples, 2 * count))
            return 0

        callback = callback_type(collect)
        library.espeak_SetSynthCallback(callback)
        if library.espeak_SetVoiceByName(FILE_OF_VOICE.get(voice, voice).encode()) != 0:
            raise SystemExit(f"espeak-ng library has no voice {voice}")
        library.espeak_SetParameter(PARAMETER_RATE, words_per_minute, 0)
        encoded = text.encode("utf-8") + b"\0"
        library.espeak_Synth(encoded, ctypes.c_size_t(len(encoded)), 0, POSITION_CHARACTER, 0, CHARS_UTF8 | PHONEMES, None, None)
        library.espeak_Synchronize()
        library.espeak_Terminate()
    return b"".join(chunks), rate_hz


class _short_path:
    """A short way to a folder: the folder itself, or a symbolic link to it for as long as the block runs."""

    def __init__(self, path: str) -> None:
        self.path, self.folder = str(path), None

    def __enter__(self) -> str:
        if len(os.fsencode(self.path)) <= LONGEST_DATA_PATH:
            return self.path
        self.folder = tempfile.mkdtemp(prefix="wb-")
        link = os.path.join(self.folder, "espeak-ng-data")
        os.symlink(self.path, link)
        return link

    def __exit__(self, *_exc) -> None:
        if self.folder:
            shutil.rmtree(self.folder, ignore_errors=True)


def main(arguments: list[str]) -> None:
    voice, pace, text_file, wav_file = arguments
    samples, rate_hz = speak(voice, int(pace), Path(text_file).read_text(encoding="utf-8"))
    with wave.open(wav_file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(rate_hz)
        out.writeframes(samples)


if __name__ == "__main__":
    main(sys.argv[1:])
