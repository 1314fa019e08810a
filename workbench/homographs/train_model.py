"""From labelled data to the model that ships: classes of words, cross-validation, calibration, final fit, provenance."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from workbench.homographs.artefact import Artefact, save
from workbench.homographs.calibrating import fitted_scale, folds_of
from workbench.homographs.data import LabelledItem, digest, read_items, tsv_of
from workbench.homographs.expected import THRESHOLD, Expected, decide
from workbench.homographs.keeping import check_place
from workbench.homographs.lexicon import Lexicon, lexicon
from workbench.homographs.reading_figures import ReadingFigures, figures_of
from workbench.homographs.reading_model import ReadingModel, verb_score, verb_side
from workbench.homographs.training import Trainer, TrainingOptions, kept
from workbench.homographs.word_classes import WordClasses, learn_word_classes

#: Digest of data that are known -> their name and licence.
_KNOWN_DATA = {
    "34d1d7ac97edb5c910e375bbf8837156707fbeb5a573a712c968f49b0280c58f": "Wikipedia Homograph Data, train part "
    "(Gorman, Mazovetskiy, Nikolaev, LREC 2018), Apache-2.0",
}


@dataclass(frozen=True, slots=True, eq=False)
class Trained:
    """A trained model and what cross-validation says of it.

    Attributes:
        held_out: figures on items that the fit did not see, calibrated by the two scales that those very answers gave.
        unseen_words: share right of words that the fit did not see at all, those that grammar tells apart.
    """

    artefact: Artefact
    held_out: ReadingFigures
    unseen_words: float


def train_model(
    data: str | Path,
    *,
    words: Lexicon | None = None,
    options: TrainingOptions | None = None,
    source: str = "",
    learned: tuple[WordClasses, dict[str, tuple[str, float]]] | None = None,
    say: Callable[[str], None] = lambda line: None,
) -> Trained:
    """Train on labelled data in the format of the Wikipedia Homograph Data; about three minutes for its 14,000 sentences.

    Args:
        data: a TSV file, or a folder with ``train.tsv``.
        source: name and licence of the data, for the provenance.
        learned: classes of words as ``learn_word_classes`` gives them; by default it is asked.

    Raises:
        ConfigError: data that do not fit the lexicon.
    """
    words, options = words if words is not None else lexicon(), options or TrainingOptions()
    file = tsv_of(data, "train")
    items = read_items(file, words)
    classes, parts = learned or learn_word_classes(count=options.usual_words, seed=options.seed, say=say)
    say(f"reading the neighbours of {len(items):,} words")
    trainer = Trainer(items, words, classes, parts, options)
    margins, answers = _held_out(trainer, items, words, options, say)
    by_told = {told: [m for m, item in zip(margins, items, strict=True) if _told(item, words) == told] for told in ("grammar", "sense")}
    scales = {told: fitted_scale(found) for told, found in by_told.items()}
    unseen, unseen_right = _unseen(trainer, items, words, options, say)
    say("fitting all items")
    artefact = _pruned(trainer.fit(range(len(items))), options)
    calibrated = [_calibrated(answer, scales[_told(item, words)]) for answer, item in zip(answers, items, strict=True)]
    figures = figures_of(calibrated, items, words)
    provenance = _provenance(file, source, items, options, figures, unseen_right)
    return Trained(replace(artefact, scales={**scales, "unseen": unseen}, provenance=provenance), figures, unseen_right)


def _told(item: LabelledItem, words: Lexicon) -> str:
    return "grammar" if verb_side(words[item.word]) is not None else "sense"


def _held_out(
    trainer: Trainer, items: Sequence[LabelledItem], words: Lexicon, options: TrainingOptions, say: Callable[[str], None]
) -> tuple[list[float], list[Expected]]:
    """For each item, by a fit that did not see it: the logit of the right reading against the best other one, and the answer."""
    import math

    margins = [0.0] * len(items)
    answers: list[Expected] = [Expected("", (), (), None)] * len(items)
    for fold, (chosen, held) in enumerate(folds_of(items, count=options.folds, seed=options.seed), 1):
        say(f"cross-validation, fold {fold} of {options.folds}")
        model = ReadingModel(_pruned(trainer.fit(chosen), options), words)
        for number in held:
            item, word = items[number], words[items[number].word]
            shares, _ = model.probabilities(word, item.occurrence)
            right = shares[[reading.name for reading in word].index(item.reading)]
            wrong = max(share for share, reading in zip(shares, word, strict=True) if reading.name != item.reading)
            margins[number] = math.log(max(right, 1e-9) / max(wrong, 1e-9))
            answers[number] = decide(word.word, [reading.name for reading in word], shares, threshold=THRESHOLD)
    return margins, answers


def _unseen(trainer: Trainer, items: Sequence[LabelledItem], words: Lexicon, options: TrainingOptions, say: Callable[[str], None]) -> tuple[float, float]:
    """Scale of the verb score for words that a fit did not see, and the share right there."""
    grammar = [n for n, item in enumerate(items) if verb_side(words[item.word]) is not None]
    names = list(dict.fromkeys(items[n].word for n in grammar))
    margins = []
    for fold in range(min(options.folds, len(names)) if len(names) > 1 else 0):
        say(f"words held out, fold {fold + 1} of {options.folds}")
        left_out = set(names[fold :: options.folds])
        fitted = trainer.fit([n for n in grammar if items[n].word not in left_out], leave_out=left_out)
        for n in grammar:
            if items[n].word in left_out:
                logit = verb_score(trainer.examples[n].context, fitted.grammar) + fitted.verb_bias
                margins.append(logit if items[n].reading == verb_side(words[items[n].word]).name else -logit)
    return fitted_scale(margins), sum(m > 0 for m in margins) / len(margins) if margins else 0.0


def _pruned(artefact: Artefact, options: TrainingOptions) -> Artefact:
    return replace(artefact, grammar=kept(artefact.grammar, options.grammar_weights), own=kept(artefact.own, options.own_weights))


def _calibrated(answer: Expected, scale: float) -> Expected:
    """The answer with its logits scaled."""
    powers = [max(p, 1e-12) ** scale for p in answer.probabilities]
    return decide(answer.word, answer.readings, [power / sum(powers) for power in powers], threshold=THRESHOLD)


def _provenance(file: Path, source: str, items: Sequence[LabelledItem], options: TrainingOptions, figures: ReadingFigures, unseen_right: float) -> dict:
    from importlib.metadata import version

    import workbench

    counts = Counter((item.word, item.reading) for item in items)
    return {
        "data": source or _KNOWN_DATA.get(digest(file), file.name),
        "data_sha256": digest(file),
        "items": len(items),
        "counts": {f"{word} {reading}": count for (word, reading), count in sorted(counts.items())},
        "word_classes": "from the bigrams of the language model of pocketsphinx (BSD-2-Clause)",
        "code": f"workbench {workbench.__version__}, Apache-2.0",
        "packages": {name: version(name) for name in ("numpy", "scipy", "scikit-learn", "pocketsphinx")},
        "options": asdict(options),
        "cross_validation": {
            "micro": round(figures.micro.value, 4),
            "macro": round(figures.macro, 4),
            "unseen_words": round(unseen_right, 4),
            "calibration_error": round(figures.calibration_error, 4),
            "reliability": [[low, high, count, round(mean, 4), round(share, 4)] for low, high, count, mean, share in figures.reliability],
        },
    }


def usual_readings(artefact: Artefact) -> dict[str, str]:
    """The reading of each word that was most usual in the training data."""
    best: dict[str, tuple[int, str]] = {}
    for name, count in artefact.provenance.get("counts", {}).items():
        word, _, reading = name.partition(" ")
        if count > best.get(word, (0, ""))[0]:
            best[word] = (count, reading)
    return {word: reading for word, (_, reading) in best.items()}


def train_to_file(
    data: str | Path, out: str | Path, *, source: str = "", encoder: str | Path | None = None, device: str = "cpu", say: Callable[[str], None] = lambda line: None
) -> list[str]:
    """Train and write the file: the linear model, or heads over a frozen encoder. Returns what there is to say about it.

    Raises:
        ConfigError: data that do not fit the lexicon, a folder that is none, a place that cannot be written.
    """
    out = Path(out)
    check_place(out)
    if encoder is not None:
        from workbench.homographs.encoder_model import train_encoder_model

        file = tsv_of(data, "train")
        items = read_items(file, lexicon())
        about = {"data": source or _KNOWN_DATA.get(digest(file), file.name), "data_sha256": digest(file), "items": len(items)}
        model = train_encoder_model(items, encoder, device=device, provenance=about)
        return [f"{len(items):,} items, {len(model.heads)} words, {model.save(out) / 1e6:.2f} MB"]
    made = train_model(data, source=source, say=say)
    size = save(made.artefact, out)
    coverage, accuracy = made.held_out.at(0.9)
    sure = f"{coverage:.1%} of the answers are at least 0.9 sure" + (f", {accuracy:.2%} of them right" if accuracy is not None else "")
    return [f"cross-validation: micro {made.held_out.micro.value:.4f}, macro {made.held_out.macro:.4f}; {sure}", f"{size / 1e6:.2f} MB"]
