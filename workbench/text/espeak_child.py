"""Run as a program of its own: words on stdin, one a line; their IPA on stdout, one line each.

eSpeak NG is GPL: it stays in this process, which talks to the workbench by pipe only.
"""

from __future__ import annotations

import ctypes
import sys

_RETRIEVAL, _UTF8, _IPA = 1, 1, 2


def main() -> None:
    """Answer every line until stdin ends; exit 3 when the library cannot be used."""
    try:
        import espeakng_loader

        library = ctypes.CDLL(espeakng_loader.get_library_path())
        rate_hz = library.espeak_Initialize(_RETRIEVAL, 0, espeakng_loader.get_data_path().encode(), 0)
        if rate_hz <= 0 or library.espeak_SetVoiceByName(b"en-us") != 0:
            sys.exit(3)
    except (ImportError, OSError):
        sys.exit(3)
    library.espeak_TextToPhonemes.restype = ctypes.c_char_p
    for line in sys.stdin.buffer:
        text = ctypes.c_char_p(line.strip())
        pieces = []
        while text.value:
            before = text.value
            pieces.append((library.espeak_TextToPhonemes(ctypes.byref(text), _UTF8, _IPA) or b"").decode("utf-8", "replace"))
            if text.value == before:
                break
        sys.stdout.write(" ".join(pieces).strip() + "\n")


if __name__ == "__main__":
    main()
