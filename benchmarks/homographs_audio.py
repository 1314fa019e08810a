"""Homographs by ear, held out by engine and nested: two-way choice, recall, false alarms, share decided, CPU per word; end to end with the text model before it.

    python benchmarks/homographs_audio.py                     a reduced set, flite and eSpeak NG; the last line is JSON
    python benchmarks/homographs_audio.py --per-voice 110 --festival    the full one
    python benchmarks/homographs_audio.py --data eval.tsv     sentences of the Wikipedia Homograph Data instead of the workbench's own
    python benchmarks/homographs_audio.py --tune calibration.json    learn what ships from all of them
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

# The benchmarks' own engine is a module of this folder.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ["WORKBENCH_ENGINE_MODULES"] = ",".join(filter(None, [os.environ.get("WORKBENCH_ENGINE_MODULES"), "benchmarks.festival_engine"]))

import argparse
import json
import tempfile
import time
from collections.abc import Sequence
from typing import Any

from workbench import audio as audio_io
from workbench.homographs.base import KINDS
from workbench.homographs.decide import ReferenceRule
from workbench.homographs.fitting import Figures, KnownTrial, calibrate, figures
from workbench.homographs.judging import Judged
from workbench.homographs.lexicon import lexicon
from workbench.homographs.nested import Nested
from workbench.homographs.reading_model import ReadingModel
from workbench.homographs.spoken import SpokenRequest, target_at
from workbench.homographs.trials import Trial
from workbench.scan.homograph_commands import controls_in, provenance_of
from workbench.scan.homograph_text import end_to_end_by, shipped_sentences
from workbench.scan.homographs import hear_trials, known_trials, make_listener
from workbench.stats import Estimate, proportion

LISTENER = "pocketsphinx"
#: American and British accents, as the lexicon has pronunciations for. kal16 speaks with the recordings of festival's kal, so only one of the two is heard.
VOICES = ("flite/slt", "flite/rms", "flite/awb", "flite/kal16", "espeak/en-us", "espeak/en-gb", "espeak/en-gb-scotland", "espeak/en-gb-x-rp")
FESTIVAL_VOICES = ("festival/ked_diphone", "festival/cmu_us_slt_arctic_hts")


def spoken(folder: Path, *, per_voice: int, data: Path, seed: int, festival: bool) -> list[Trial]:
    voices = [*VOICES, *(FESTIVAL_VOICES if festival else ())]
    british = [voice for voice in voices if "gb" in voice]
    return list(controls_in(folder, voices=voices, data=data, per_voice=per_voice, british=british, seed=seed).trials)


def measure(trials: Sequence[Trial], kept: Path) -> dict[str, Any]:
    places, truth = known_trials(trials, hear_trials(trials, listener=LISTENER, workers=2, kept=kept))
    trials = [trials[at] for at in places]
    nested = Nested(truth, listener=LISTENER, measures=make_listener(LISTENER).measures)
    every_word = nested.judged("engine")
    found = _brief(figures(truth, every_word))
    return {
        **{name: found[name]["value"] for name in ("two_way", "recall", "false_alarm", "decided")},
        "per_kind": {kind: _brief(figures(truth, every_word, kinds=[kind])) for kind in KINDS},
        "sec_per_word": _sec_per_word(trials),
        "end_to_end": _end_to_end(trials, nested),
        "intervals": found,
        "per_engine": {engine: _brief(_of(truth, every_word, engine)) for engine in sorted({trial.engine for trial in truth})},
        "held_out_by_voice": _brief(figures(truth, nested.judged("voice"))),
        "without_adaptation": _brief(figures(truth, nested.judged("engine", adapt=False))),
        # It scores nothing: a two-way choice is not its own.
        "reference_rule": {name: share for name, share in _brief(figures(truth, nested.judged("engine", rule=ReferenceRule()))).items() if name != "two_way"},
        "allowed_when_all_is_learnt": len(nested.whole.allowed),
        "trials": len(truth),
        "voices": sorted({trial.asked.voice for trial in truth}),
    }


def _end_to_end(trials: Sequence[Trial], nested: Nested) -> dict[str, Any]:
    """The text model says what each sentence asks for, the allowlist of the other engines which words are decided.

    With the readings of a word as frequent as in the data that the model learnt from, and, as controls are planned, all as frequent. Sentences that taught the model are left out.
    """
    found = end_to_end_by(ReadingModel.load(), nested, trials)
    return {
        "words": min(found.words.values()), "recall": _rounded(found.usual_recall), "false_alarm": _rounded(found.usual_false_alarm),
        "readings_evenly": {"recall": _rounded(found.recall), "false_alarm": _rounded(found.false_alarm)}, "words_by_engine_held_out": dict(found.words),
    }  # fmt: skip


def _rounded(share: Estimate) -> dict[str, Any]:
    return {name: round(value, 4) for name, value in (("value", share.value), ("low", share.low), ("high", share.high))}


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
    parser.add_argument("--data", type=Path, default=shipped_sentences(), help="sentences in the Wikipedia Homograph Data's format; by default the workbench's own")
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
        result = measure(trials, folder / "heard.jsonl")
    print(json.dumps({**result, "wall_sec": round(time.perf_counter() - started, 1)}))


def tune(trials: Sequence[Trial], kept: Path, path: Path) -> None:
    _, truth = known_trials(trials, hear_trials(trials, listener=LISTENER, workers=2, kept=kept))
    provenance = {**provenance_of(truth, trials), "licence": "Apache-2.0", "made_by": "benchmarks/homographs_audio.py --tune"}
    made = calibrate(truth, listener=LISTENER, measures=make_listener(LISTENER).measures, provenance=provenance)
    path.write_text(made.to_json(), encoding="utf-8")
    print(f"{len(made.allowed)} words allowed of {len(made.words)}")


if __name__ == "__main__":
    main()
