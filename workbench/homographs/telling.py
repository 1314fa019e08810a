"""What the model says of a text, as lines for a reader or for a program."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

from workbench.errors import TextError
from workbench.homographs.expected import THRESHOLD, Expected, spans_in
from workbench.homographs.lexicon import Lexicon, lexicon
from workbench.homographs.readers import load_reader


def text_from(text: str | None, file: Path | None) -> str:
    """The text given, that of a file, or standard input.

    Raises:
        TextError: both or neither, or a file that is no UTF-8 text.
    """
    if text is not None and file is not None:
        raise TextError("a text and a file", mend="give one of them")
    if text is not None:
        return text
    try:
        return file.read_text(encoding="utf-8") if file is not None else sys.stdin.read()
    except (OSError, UnicodeDecodeError) as error:
        raise TextError(f"text cannot be read: {error}", where=file or "standard input") from None


def lines_of(text: str, *, model: Path | None = None, threshold: float = THRESHOLD, as_json: bool = False, device: str = "cpu") -> Iterator[str]:
    """One line for each homograph of the text, and one line where there is none.

    Raises:
        ConfigError: a model that cannot be read.
    """
    words = lexicon()
    spans = spans_in(text, words)
    if not spans and not as_json:
        yield "no homograph in the text"
    answers = load_reader(model, words=words, device=device).predict(spans, threshold=threshold) if spans else []
    for (_, start, end), answer in zip(spans, answers, strict=True):
        yield _as_json(start, end, answer) if as_json else _for_a_reader(start, end, answer, words)


def _as_json(start: int, end: int, answer: Expected) -> str:
    shares = dict(zip(answer.readings, answer.probabilities, strict=True))
    found = {"word": answer.word, "start_byte": start, "end_byte": end, "chosen": answer.chosen, "probabilities": shares, "reason": answer.reason}
    return json.dumps(found, ensure_ascii=False)


def _for_a_reader(start: int, end: int, answer: Expected, words: Lexicon) -> str:
    place = f"{answer.word:<14}{start:>6}:{end:<6}"
    reason = f"  ({answer.reason})" if answer.reason else ""
    if answer.chosen is None:
        return f"{place}undecided{reason}"
    reading = words[answer.word].reading(answer.chosen)
    return f"{place}{answer.probability:.2f}  {answer.chosen:<16}/{reading.usual.ipa}/  {reading.sense}{reason}"
