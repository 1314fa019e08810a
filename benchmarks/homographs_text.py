"""How often the expected reading of a homograph is right on labelled sentences, how many answers are sure, how large the model is and how fast.

    .venv/bin/python benchmarks/homographs_text.py [DATA] [--train] [--show]

``DATA`` is a folder with ``train.tsv`` and ``eval.tsv`` in the format of the Wikipedia Homograph Data (default: ../shared/data/text/homographs_wikipedia).
The model that ships is measured on ``eval.tsv``; ``--train`` first trains one anew on ``train.tsv`` and measures that. ``--show`` prints the errors.
The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from importlib.resources import files
from pathlib import Path

from workbench.homographs import lexicon
from workbench.homographs.artefact import save
from workbench.homographs.data import LabelledItem, read_items
from workbench.homographs.reading_figures import ReadingFigures, figures_of
from workbench.homographs.reading_model import ReadingModel
from workbench.homographs.train_model import train_model, usual_readings

DEFAULT_DATA = Path(__file__).resolve().parents[1].parent / "shared" / "data" / "text" / "homographs_wikipedia"


def ms_per_item(model: ReadingModel, items: list[LabelledItem]) -> float:
    """Median time of single predictions."""
    times = []
    for item in items[:1000]:
        started = time.perf_counter()
        model.predict([(item.sentence, item.start_byte, item.end_byte)])
        times.append(1000 * (time.perf_counter() - started))
    return statistics.median(times)


def trained(data: Path) -> tuple[ReadingModel, Path]:
    """A model trained anew, and its file."""
    made = train_model(data, say=print)
    path = Path(tempfile.mkdtemp()) / "reading_model.zip"
    save(made.artefact, path)
    print(f"cross-validation: micro {made.held_out.micro.value:.4f}, macro {made.held_out.macro:.4f}, words never seen {made.unseen_words:.4f}")
    return ReadingModel.load(path), path


def tell(figures: ReadingFigures) -> None:
    """The figures for a reader."""
    micro = figures.micro
    print(f"micro {micro.value:.4f} ({micro.low:.4f} to {micro.high:.4f}), macro {figures.macro:.4f}, mean over readings {figures.by_reading:.4f}")
    print(f"floor, the usual reading of each word: {figures.floor.value:.4f}; calibration error {figures.calibration_error:.4f}")
    for probability, coverage, accuracy in figures.curve:
        print(f"p >= {probability:.2f}: {coverage:.3f} of the items, {accuracy:.4f} right")
    for low, high, count, mean, share in figures.reliability:
        print(f"p {low:.2f} to {high:.2f}: {count:5d} items, mean {mean:.3f}, right {share:.3f}")
    missed = {word: count - good for word, (good, count) in figures.per_word.items() if good < count}
    print("most often wrong:", ", ".join(f"{word} {count}" for word, count in sorted(missed.items(), key=lambda pair: -pair[1])[:20]))


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("data", type=Path, nargs="?", default=DEFAULT_DATA)
    options.add_argument("--train", action="store_true", help="train anew first")
    options.add_argument("--show", action="store_true", help="print the errors")
    options = options.parse_args()
    words = lexicon()
    shipped = Path(str(files("workbench.homographs").joinpath("reading_model.zip")))
    model, path = trained(options.data) if options.train else (ReadingModel.load(), shipped)
    items = read_items(options.data, words, part="eval")
    answers = model.predict([(item.sentence, item.start_byte, item.end_byte) for item in items])
    figures = figures_of(answers, items, words, usual=usual_readings(model.artefact))
    tell(figures)
    for answer, item in zip(answers, items, strict=True):
        if options.show and answer.likeliest != item.reading:
            print(f"{answer.probability:.2f} {item.word}: {item.reading}, not {answer.likeliest}: {item.sentence}")
    coverage, accuracy = figures.at(0.9)
    result = {
        "micro": figures.micro.value,
        "macro": figures.macro,
        "noun_verb": figures.by_told["grammar"].value,
        "lexical": figures.by_told["sense"].value,
        "coverage_at_90": coverage,
        "accuracy_at_90": accuracy,
        "artefact_mb": path.stat().st_size / 1e6,
        "ms_per_item": ms_per_item(model, items),
        "floor": figures.floor.value,
        "mean_over_readings": figures.by_reading,
        "calibration_error": figures.calibration_error,
        "items": figures.items,
    }
    print(json.dumps({name: round(value, 4) for name, value in result.items()}))


if __name__ == "__main__":
    main()
