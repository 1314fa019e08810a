"""Homographs by ear, held out by engine and nested: two-way choice, recall, false alarms, share decided, CPU per word; end to end with the text model before it.

    python benchmarks/homographs_audio.py                     a reduced set, flite and eSpeak NG; the last line is JSON
    python benchmarks/homographs_audio.py --per-voice 110 --festival    the full one
    python benchmarks/homographs_audio.py --data eval.tsv     sentences of the Wikipedia Homograph Data instead of the lexicon's own
    python benchmarks/homographs_audio.py --tune calibration.json    learn what ships from all of them
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ["WORKBENCH_ENGINE_MODULES"] = ",".join(filter(None, [os.environ.get("WORKBENCH_ENGINE_MODULES"), "benchmarks.festival_engine"]))

import argparse
import json
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from workbench import audio as audio_io
from workbench.homographs.base import KINDS
from workbench.homographs.calibration import Calibration
from workbench.homographs.data import read_items
from workbench.homographs.decide import HomographVerdict, Lists, ReferenceRule
from workbench.homographs.fitting import Figures, KnownTrial, calibrate, cross_judged, figures
from workbench.homographs.judging import Judged, judge
from workbench.homographs.lexicon import lexicon
from workbench.homographs.reading_model import ReadingModel
from workbench.homographs.spoken import SpokenRequest, target_at
from workbench.homographs.trials import Trial
from workbench.scan.homograph_commands import controls_in, provenance_of
from workbench.scan.homographs import hear_trials, index_of, known_trials, make_listener
from workbench.stats import proportion

LISTENER = "pocketsphinx"
#: American and British accents, as the lexicon has pronunciations for. kal16 speaks with the recordings of festival's kal, so only one of the two is heard.
VOICES = ("flite/slt", "flite/rms", "flite/awb", "flite/kal16", "espeak/en-us", "espeak/en-gb", "espeak/en-gb-scotland", "espeak/en-gb-x-rp")
FESTIVAL_VOICES = ("festival/ked_diphone", "festival/cmu_us_slt_arctic_hts")


def spoken(folder: Path, *, per_voice: int, data: Path | None, seed: int, festival: bool) -> list[Trial]:
    voices = [*VOICES, *(FESTIVAL_VOICES if festival else ())]
    british = [voice for voice in voices if "gb" in voice]
    return list(controls_in(folder, voices=voices, data=data, per_voice=per_voice, british=british, seed=seed).trials)


def measure(trials: Sequence[Trial], kept: Path, data: Path | None) -> dict[str, Any]:
    places, truth = known_trials(trials, hear_trials(trials, listener=LISTENER, workers=2, kept=kept))
    settings = {"listener": LISTENER, "measures": make_listener(LISTENER).measures}
    made: dict[frozenset[str], Calibration] = {}

    def make(known: Sequence[KnownTrial]) -> Calibration:
        voices = frozenset(trial.asked.voice for trial in known)
        if voices not in made:
            made[voices] = calibrate(known, **settings)
        return made[voices]

    every_word = cross_judged(truth, by="engine", make=make)
    whole = make(truth)
    reference = judge([trial.asked for trial in truth], whole, rule=ReferenceRule(), lists=Lists())
    found = _brief(figures(truth, every_word))
    return {
        **{name: found[name]["value"] for name in ("two_way", "recall", "false_alarm", "decided")},
        "per_kind": {kind: _brief(figures(truth, every_word, kinds=[kind])) for kind in KINDS},
        "sec_per_word": _sec_per_word(trials),
        "end_to_end": _end_to_end([trials[at] for at in places], truth, make, data),
        "intervals": found,
        "per_engine": {engine: _brief(_of(truth, every_word, engine)) for engine in sorted({trial.engine for trial in truth})},
        "held_out_by_voice": _brief(figures(truth, cross_judged(truth, by="voice", make=make))),
        "without_adaptation": _brief(figures(truth, cross_judged(truth, by="engine", make=make, adapt=False))),
        # It scores nothing: a two-way choice is not its own.
        "reference_rule": {name: share for name, share in _brief(figures(truth, reference)).items() if name != "two_way"},
        "allowed_when_all_is_learnt": len(whole.allowed),
        "trials": len(truth),
        "voices": sorted({trial.asked.voice for trial in truth}),
    }


def _end_to_end(trials: Sequence[Trial], truth: Sequence[KnownTrial], make: Callable[[Sequence[KnownTrial]], Calibration], data: Path | None) -> dict[str, Any]:
    """The text model says what each sentence asks for, the allowlist of the other engines which words are decided; what abstains finds nothing.

    Recall and false alarms are of all trials of allowed words, by what the sentence truly asks for: with the readings of a word as frequent as in the data, and, as controls are planned,
    all as frequent. The lexicon's own sentences may have taught the text model: they are left out where there are others.
    """
    own = {example for homograph in lexicon().values() for reading in homograph for example in reading.examples}
    foreign = [trial.sentence not in own for trial in trials]
    told = ReadingModel.load().predict([(trial.sentence, trial.start_byte, trial.end_byte) for trial in trials], threshold=0.0)
    asked = [
        replace(known.asked, expected=index_of(known.asked.homograph, one.likeliest), probability=one.probability)
        for known, one in zip(truth, told, strict=True)
    ]
    judged = cross_judged(truth, by="engine", make=make, lists=None, asked=asked)
    chosen = [at for at in range(len(judged)) if _is_allowed(truth, at, make) and (foreign[at] or not any(foreign))]
    suspect = np.array([judged[at].verdict is HomographVerdict.SUSPECT for at in chosen])
    wrong = np.array([truth[at].wrong for at in chosen])
    evenly = {"recall": _share(int(suspect[wrong].sum()), int(wrong.sum())), "false_alarm": _share(int(suspect[~wrong].sum()), int((~wrong).sum()))}
    weights = _frequencies([truth[at] for at in chosen], data) if data else np.ones(len(chosen))
    words = [len(make([t for t in truth if t.engine != engine]).allowed) for engine in sorted({t.engine for t in truth})]
    return {
        "words": min(words), "recall": round(float(np.average(suspect[wrong], weights=weights[wrong])), 4),
        "false_alarm": round(float(np.average(suspect[~wrong], weights=weights[~wrong])), 4), "readings_evenly": evenly, "words_by_engine_held_out": words,
        "sentences": "of the data" if any(foreign) else "the lexicon's own, which may have taught the text model",
    }  # fmt: skip


def _frequencies(truth: Sequence[KnownTrial], data: Path) -> np.ndarray:
    """Weights that make the readings of every word as frequent as they are in the data, and leave the words as they are."""
    known = lexicon()
    natural = Counter((item.word, item.reading) for item in read_items(data, known, part="eval"))
    here = Counter((trial.asked.word, known[trial.asked.word].readings[trial.asked.expected].name) for trial in truth)
    of_word = Counter(trial.asked.word for trial in truth)
    all_of_word = Counter()
    for (word, _), count in natural.items():
        all_of_word[word] += count
    weights = []
    for trial in truth:
        key = trial.asked.word, known[trial.asked.word].readings[trial.asked.expected].name
        weights.append(natural[key] / max(all_of_word[key[0]], 1) * of_word[key[0]] / here[key])
    return np.array(weights)


def _is_allowed(truth: Sequence[KnownTrial], at: int, make: Callable[[Sequence[KnownTrial]], Calibration]) -> bool:
    calibration = make([trial for trial in truth if trial.engine != truth[at].engine])
    return calibration.lists.refusal(truth[at].asked.word, truth[at].asked.voice) is None


def _of(truth: Sequence[KnownTrial], judged: Sequence[Judged], engine: str) -> Figures:
    chosen = [at for at, trial in enumerate(truth) if trial.engine == engine]
    return figures([truth[at] for at in chosen], [judged[at] for at in chosen])


def _brief(found: Figures) -> dict[str, Any]:
    shares = {
        "two_way": found.two_way, "recall": (found.found, found.wrong), "false_alarm": (found.false_alarms, found.right), "missed": (found.missed, found.wrong),
        "decided": (found.decided, found.trials),
    }  # fmt: skip
    return {name: _share(*counts) for name, counts in shares.items()}


def _share(hits: int, of: int) -> dict[str, Any]:
    share = proportion(hits, of)
    return {"value": share.value and round(share.value, 4), "low": share.low and round(share.low, 4), "high": share.high and round(share.high, 4), "n": of}


def _sec_per_word(trials: Sequence[Trial], *, most: int = 60) -> float:
    """CPU seconds per word, reading the file and resampling included; one word per clip."""
    listener, known = make_listener(LISTENER), lexicon()
    listener.load()
    chosen = trials[:: max(1, len(trials) // most)]
    started = time.process_time()
    for trial in chosen:
        listener.hear([SpokenRequest(audio_io.read(trial.audio), target_at(trial.sentence, trial.start_byte, trial.end_byte, known))])
    took = (time.process_time() - started) / len(chosen)
    listener.close()
    return round(took, 4)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--per-voice", type=int, default=40, help="sentences per voice, each said twice")
    parser.add_argument("--data", type=Path, help="sentences in the Wikipedia Homograph Data's format")
    parser.add_argument("--folder", type=Path, help="where audio and what was heard are kept; by default nowhere")
    parser.add_argument("--festival", action="store_true", help="a third engine: apt-get install festival festvox-kdlpc16k festvox-us-slt-hts")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--tune", type=Path, help="write the calibration to ship instead of measuring")
    given = parser.parse_args()
    started = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="homographs-") as temporary:
        folder = given.folder or Path(temporary)
        trials = spoken(folder, per_voice=given.per_voice, data=given.data, seed=given.seed, festival=given.festival)
        if given.tune:
            tune(trials, folder / "heard.jsonl", given.tune)
            return
        result = measure(trials, folder / "heard.jsonl", given.data)
    print(json.dumps({**result, "wall_sec": round(time.perf_counter() - started, 1)}))


def tune(trials: Sequence[Trial], kept: Path, path: Path) -> None:
    _, truth = known_trials(trials, hear_trials(trials, listener=LISTENER, workers=2, kept=kept))
    provenance = {**provenance_of(truth, trials), "licence": "Apache-2.0", "made_by": "benchmarks/homographs_audio.py --tune"}
    made = calibrate(truth, listener=LISTENER, measures=make_listener(LISTENER).measures, provenance=provenance)
    path.write_text(made.to_json(), encoding="utf-8")
    print(f"{len(made.allowed)} words allowed of {len(made.words)}")


if __name__ == "__main__":
    main()
