"""A text model measured on labelled sentences, by default on the workbench's own, and together with what a listener heard."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from workbench.homographs.data import digest, read_items, tsv_of
from workbench.homographs.end_to_end import EndToEnd, end_to_end
from workbench.homographs.expected import ExpectedReader
from workbench.homographs.lexicon import lexicon
from workbench.homographs.nested import Nested
from workbench.homographs.reading_figures import ReadingFigures, measure
from workbench.homographs.train_model import usual_readings
from workbench.homographs.trials import Trial
from workbench.scan.homographs import index_of


@dataclass(frozen=True, slots=True)
class TextFindings:
    """The text model on labelled sentences. ``taught``: it learnt from the same file, and its figures say nothing."""

    figures: ReadingFigures
    described: str
    model: str
    taught: bool


def shipped_sentences() -> Path:
    """One sentence for each reading of the lexicon, in the format of the Wikipedia Homograph Data; no model that ships learnt from them."""
    return Path(str(files("workbench.homographs").joinpath("sentences.tsv")))


def provenance_of_reader(reader: ExpectedReader) -> Mapping[str, Any]:
    """What a model of readings tells of its training; empty where it tells nothing."""
    artefact = getattr(reader, "artefact", None)
    return artefact.provenance if artefact is not None else {}


def text_findings(reader: ExpectedReader, *, data: str = "", model: str = "") -> TextFindings:
    """The text model on labelled sentences.

    Args:
        data: a file, or a folder with ``eval.tsv``; empty takes the workbench's own sentences.
        model: the file that the reader came from; empty for the one that ships.

    Raises:
        ConfigError: no such file, or rows that do not fit the lexicon.
    """
    file, words, told = tsv_of(data or shipped_sentences(), "eval"), lexicon(), provenance_of_reader(reader)
    usual = usual_readings(reader.artefact) if told.get("counts") else None
    return TextFindings(
        measure(reader, read_items(file, words), words, usual=usual),
        file.name if data else "the workbench's own, one for each reading",
        Path(model).name if model else "the one that ships",
        taught=digest(file) == told.get("data_sha256"),
    )


def end_to_end_by(reader: ExpectedReader, nested: Nested, trials: Sequence[Trial], *, seed: int = 1) -> EndToEnd:
    """What comes out when the reader says what the sentences ask for. The lexicon's own examples, which teach every reader, are left out.

    Args:
        trials: those of ``nested``, in its order.

    Raises:
        ConfigError: see ``homographs.end_to_end``.
    """
    answers = reader.predict([(trial.sentence, trial.start_byte, trial.end_byte) for trial in trials], threshold=0.0)
    told = [
        (index_of(known.asked.homograph, one.likeliest) if one.likeliest else None, one.probability) for known, one in zip(nested.trials, answers, strict=True)
    ]
    examples = {example for homograph in lexicon().values() for reading in homograph for example in reading.examples}
    frequencies = provenance_of_reader(reader).get("counts")
    return end_to_end(nested, told, frequencies=frequencies, taught=[trial.sentence in examples for trial in trials], seed=seed)
