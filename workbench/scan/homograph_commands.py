"""What ``workbench homographs`` does: controls, verdicts and calibration of lists of trials."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from workbench.errors import ConfigError, unknown_name
from workbench.homographs.calibration import Calibration, read_calibration, shipped
from workbench.homographs.controls import plan_controls, texts_of_data, texts_of_lexicon
from workbench.homographs.decide import Lists, ReferenceRule
from workbench.homographs.drift import drift
from workbench.homographs.fitting import Figures, KnownTrial, Targets, figures
from workbench.homographs.judging import Asked, judge
from workbench.homographs.keeping import check_place
from workbench.homographs.lexicon import lexicon
from workbench.homographs.nested import Nested
from workbench.homographs.reading_model import ReadingModel
from workbench.homographs.trials import Trial, read_trials
from workbench.scan.homograph_controls import Controls, make_controls
from workbench.scan.homographs import hear_trials, index_of, known_trials, make_listener, write_verdicts
from workbench.scan.speak import Options
from workbench.stats import proportion
from workbench.whole_files import write_whole


def controls_in(
    folder: Path, *, voices: Sequence[str], words: Sequence[str] = (), data: Path | None = None, sentences: int = 1, per_voice: int | None = None,
    speeds: Sequence[float] = (1.0,), british: Sequence[str] = (), verifier: str | None = None, seed: int = 1, workers: int = 2, device: str = "cpu",
    options: Options | None = None,
) -> Controls:
    """Plan, speak and check controls; see ``make_controls``.

    Args:
        data: sentences; those of the lexicon say what it lacks.
        options: of the speaking engines and the verifier, by name.
    """
    texts = texts_of_data(data, lexicon(), words) if data else []
    # A file of sentences hardly shows some readings.
    there = {(text.homograph.word, text.expected) for text in texts}
    texts += [text for text in texts_of_lexicon(lexicon(), words) if (text.homograph.word, text.expected) not in there]
    planned = plan_controls(texts, voices, speeds=speeds, sentences=sentences, per_voice=per_voice, british=british, seed=seed)
    verifying = dict((options or {}).get(verifier or "", {}))
    return make_controls(planned, folder=folder, workers=workers, options=options, device=device, verifier=verifier, verifier_options=verifying)


def score_list(
    path: Path, out: Path, *, listener: str = "pocketsphinx", calibration: Path | None = None, rule: str = "calibrated", every_word: bool = False,
    workers: int = 2, device: str = "cpu",
) -> Iterator[str]:
    """Write the verdicts and give the lines of a summary.

    Raises:
        ManifestError, UnknownNameError, ConfigError: a list, listener, rule or calibration that is none.
    """
    if rule not in ("calibrated", "reference"):
        raise unknown_name("rule", rule, ("calibrated", "reference"))
    check_place(out)
    trials = read_trials(path)
    known = read_calibration(calibration) if calibration else shipped(listener)
    check_fits(known, listener)
    reader = ReadingModel.load() if any(not trial.expected for trial in trials) else None
    asked = hear_trials(trials, listener=listener, device=device, workers=workers, reader=reader, kept=path.with_suffix(".heard.jsonl"))
    lists = Lists() if every_word or rule == "reference" else None
    judged = judge(asked, known, rule=ReferenceRule() if rule == "reference" else None, lists=lists)
    write_verdicts(out, trials, judged)
    counts = Counter(str(one.verdict) for one in judged)
    yield "verdicts  " + (", ".join(f"{name} {count}" for name, count in counts.most_common()) or "none: the list has no row")
    yield from _truths_that_are_none(trials, asked)
    places, truth = known_trials(trials, asked)
    if truth:
        told = [judged[at] for at in places]
        yield from figure_lines(figures(truth, told))
        yield from (line.text for line in drift(truth, told) if line.drifts)


def calibrate_from(
    path: Path, out: Path, *, listener: str = "pocketsphinx", false_alarms: float = 0.02, workers: int = 2, device: str = "cpu"
) -> Iterator[str]:
    """Write a calibration and say how one made without each engine, or voice, does on it.

    Raises:
        ManifestError, UnknownNameError, ConfigError: a list or listener that is none, or trials too few.
    """
    check_place(out)
    settings: dict[str, Any] = {"listener": listener, "measures": make_listener(listener).measures, "targets": Targets(false_alarms)}
    trials = read_trials(path)
    asked = hear_trials(trials, listener=listener, device=device, workers=workers, kept=path.with_suffix(".heard.jsonl"))
    yield from _truths_that_are_none(trials, asked)
    _, truth = known_trials(trials, asked)
    nested = Nested(truth, **settings)
    made = replace(nested.whole, provenance=provenance_of(truth, trials))
    write_whole(out, made.to_json())
    for unit in ("voice", "engine"):
        if len({trial.engine if unit == "engine" else trial.speaker for trial in truth}) > (2 if unit == "engine" else 3):
            yield f"held out by {unit}:"
            yield from figure_lines(figures(truth, nested.judged(unit)))
    yield f"{len(made.allowed)} words allowed of {len(made.words)}, {sum(map(len, made.denied.values()))} denied in single voices"


def _truths_that_are_none(trials: Sequence[Trial], asked: Sequence[Asked]) -> Iterator[str]:
    told = [(trial.spoken, one.homograph) for trial, one in zip(trials, asked, strict=True) if trial.spoken and one.homograph is not None]
    if lost := [spoken for spoken, homograph in told if index_of(homograph, spoken) is None]:
        yield f"left out of what is counted: {len(lost)} trials whose `spoken` is no reading of their word: {', '.join(sorted(set(lost))[:5])}"


def check_fits(calibration: Calibration, listener: str) -> None:
    """
    Raises:
        ConfigError: a calibration of another listener.
    """
    measures = make_listener(listener).measures
    if calibration.listener != listener or calibration.measures != measures:
        raise ConfigError("a calibration for another listener", where="homographs", got=calibration.listener, expected=listener)


def provenance_of(truth: Sequence[KnownTrial], trials: Sequence[Trial]) -> dict[str, Any]:
    """Engines, voices and counts of what a calibration was learnt from."""
    return {
        "engines": sorted({trial.engine for trial in truth}), "voices": sorted({trial.asked.voice for trial in truth}), "trials": len(truth),
        "wrong": sum(trial.wrong for trial in truth), "sentences": len({trial.sentence for trial in trials}),
        "words": len({trial.asked.word for trial in truth}),
    }  # fmt: skip


def figure_lines(found: Figures) -> Iterator[str]:
    """Shares with their counts and intervals."""
    for name, hits, of in (
        ("two-way", *found.two_way), ("recall", found.found, found.wrong), ("false alarms", found.false_alarms, found.right),
        ("called correct though wrong", found.missed, found.wrong), ("decided", found.decided, found.trials),
    ):  # fmt: skip
        share = proportion(hits, of)
        yield f"{name:<28}{'no trials' if share.value is None else f'{share.value:.3f} ({share.low:.3f} to {share.high:.3f}), {hits} of {of}'}"
