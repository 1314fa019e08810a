"""The trained model as one small file: sparse tables of 8-bit weights, classes of words, provenance. No code in it, nothing to unpickle."""

from __future__ import annotations

import io
import json
import lzma
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.errors import ConfigError
from workbench.homographs.features import GRAMMAR_BITS, OWN_BITS
from workbench.homographs.word_classes import PARTS, WordClasses
from workbench.whole_files import write_whole

if TYPE_CHECKING:
    import numpy as np

FORMAT = 1
#: What reading a file raises that is no such model, or a spoilt one.
UNREADABLE = (OSError, LookupError, ValueError, TypeError, AttributeError, EOFError, zipfile.BadZipFile, lzma.LZMAError, zlib.error)


@dataclass(frozen=True, slots=True)
class Decision:
    """One yes-or-no question about a word: is it read as ``reading``?

    Attributes:
        reading: name in the lexicon.
        by_grammar: the grammar weights, which say "verb", count in full. Else their sum is one feature among others.
        bias: in logits.
        verb_weight: of that sum, where not by grammar.
    """

    word: str
    reading: str
    by_grammar: bool
    bias: float
    verb_weight: float


@dataclass(frozen=True, slots=True, eq=False)
class Artefact:
    """All that a prediction needs.

    Attributes:
        classes: classes of usual words.
        grammar, own: weights by place, shapes (2**GRAMMAR_BITS,) and (2**OWN_BITS,), float32.
        decisions: by word: one for a word with two readings, one for each reading where there are more.
        scales: by what a logit is multiplied to be calibrated: "grammar", "sense", and "unseen" for words that training did not know.
        provenance: data, licence, code, packages, figures.
    """

    classes: WordClasses
    grammar: np.ndarray
    own: np.ndarray
    decisions: dict[str, tuple[Decision, ...]]
    scales: dict[str, float]
    provenance: dict[str, Any]

    @property
    def verb_bias(self) -> float:
        """What all words of the grammar kind add to the verb score, in logits."""
        return next((d.bias for group in self.decisions.values() for d in group if d.by_grammar), 0.0)


def save(artefact: Artefact, path: Path) -> int:
    """Write the file; the same artefact gives the same bytes. Returns its size in bytes."""
    import numpy as np

    words = np.array(sorted(artefact.classes.table), np.uint32)
    found = [artefact.classes.table[int(word)] for word in words]
    arrays: dict[str, np.ndarray] = {
        "words": np.diff(words.astype(np.int64), prepend=0).astype(np.uint32).view(np.uint8).reshape(-1, 4).T.copy(),
        "parts": np.array([_PART_CODES.index(part) for part, _ in found], np.uint8),
        "subjects": np.array([subject for _, subject in found], np.uint8),
    }
    scales = {}
    for name, table in (("grammar", artefact.grammar), ("own", artefact.own)):
        places = np.flatnonzero(table)
        scales[name] = float(np.abs(table).max(initial=0.0)) / 127 or 1.0
        codes = np.rint(table[places] / scales[name]).astype(np.int8)
        arrays[f"{name}_gaps"], arrays[f"{name}_codes"] = _gaps(places[codes != 0]), codes[codes != 0]
    about = {
        "format": FORMAT,
        "weight_scales": scales,
        "decisions": [[d.word, d.reading, d.by_grammar, round(d.bias, 4), round(d.verb_weight, 4)] for group in artefact.decisions.values() for d in group],
        "scales": {name: round(scale, 4) for name, scale in artefact.scales.items()},
        "provenance": artefact.provenance,
    }
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w") as file:
        add_entry(file, "about.json", json.dumps(about, ensure_ascii=False, indent=1).encode())
        for name, array in arrays.items():
            buffer = io.BytesIO()
            np.save(buffer, array, allow_pickle=False)
            add_entry(file, f"{name}.npy", buffer.getvalue())
    write_whole(path, whole.getvalue())
    return path.stat().st_size


def load(path: Path) -> Artefact:
    """
    Raises:
        ConfigError: no such file, or none of this format.
    """
    import numpy as np

    try:
        with zipfile.ZipFile(path) as file:
            about = json.loads(file.read("about.json"))
            if about["format"] != FORMAT:
                mend = "train it anew: workbench homographs train"
                raise ConfigError("model of readings in another format", where=path, got=about["format"], expected=FORMAT, mend=mend)
            arrays = {name[:-4]: np.load(io.BytesIO(file.read(name)), allow_pickle=False) for name in file.namelist() if name.endswith(".npy")}
        tables = {}
        for name, bits in (("grammar", GRAMMAR_BITS), ("own", OWN_BITS)):
            tables[name] = np.zeros(1 << bits, np.float32)
            tables[name][_places(arrays[f"{name}_gaps"])] = arrays[f"{name}_codes"] * np.float32(about["weight_scales"][name])
        words = np.cumsum(np.ascontiguousarray(arrays["words"].T).view(np.uint32).ravel().astype(np.int64)).tolist()
        parts = [_PART_CODES[code] for code in arrays["parts"].tolist()]
        classes = WordClasses(dict(zip(words, zip(parts, arrays["subjects"].tolist(), strict=True), strict=True)))
        decisions: dict[str, tuple[Decision, ...]] = {}
        for fields in about["decisions"]:
            decisions[fields[0]] = (*decisions.get(fields[0], ()), Decision(*fields))
        return Artefact(classes, tables["grammar"], tables["own"], decisions, about["scales"], about["provenance"])
    except UNREADABLE as error:
        raise ConfigError(f"model of readings cannot be read: {error}", where=path, mend="give the file that `workbench homographs train` wrote") from None


_PART_CODES = PARTS + PARTS.lower()


def _gaps(places: np.ndarray) -> np.ndarray:
    """Ascending numbers as gaps of one byte; 255 carries on."""
    import numpy as np

    gaps = np.diff(places, prepend=0)
    carried = gaps // 255
    out = np.full(int((carried + 1).sum()), 255, np.uint8)
    out[np.cumsum(carried + 1) - 1] = gaps % 255
    return out


def _places(gaps: np.ndarray) -> np.ndarray:
    import numpy as np

    return np.cumsum(gaps.astype(np.int64))[gaps != 255]


def add_entry(file: zipfile.ZipFile, name: str, data: bytes) -> None:
    """Without the time of day, so that the same data give the same bytes."""
    entry = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
    entry.compress_type = zipfile.ZIP_LZMA
    file.writestr(entry, data)
