"""Planted errors on held-out texts and voices: recall per kind, false alarms on untouched words, and what either engine alone would give.

    python benchmarks/planted_errors.py            measures with what ships; the last line is JSON
    python benchmarks/planted_errors.py --tune     fits the opinion model on the tuning texts and voices, prints the constants to ship and
    how they carry over to a voice left out
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import argparse
import json
import math
import multiprocessing
import time
from dataclasses import dataclass, replace

from workbench.stt.base import SttRequest, Transcript
from workbench.stt.weigh import Weighed
from workbench.text.prompts import load_prompts
from workbench.tts.base import SpeechRequest
from workbench.verdicts import Verdict
from workbench.verdicts.operating_point import SHIPPED, choose, judged, roc
from workbench.verdicts.planted import PlantedText, common_words, plant
from workbench.verdicts.planted_audio import cut_tail, spoken_text
from workbench.verdicts.planted_score import PlantedReport, score

TUNE_VOICES, TEST_VOICES = ("kal16", "awb"), ("slt", "rms")
CLEAN_SHARE = 0.15
TUNE_SEEDS, TEST_SEEDS = (1001, 1501, 1701, 1901), (2001, 3001)
PROCESSES = 2


@dataclass(frozen=True, slots=True)
class Heard:
    """One planted clip with both opinions and what they cost in CPU seconds."""

    planted: PlantedText
    voice: str
    duration_sec: float
    fast: Transcript
    precision: Transcript
    weighed: tuple[Weighed, ...]
    fast_cpu_sec: float
    precision_cpu_sec: float


class _Worker:
    def __init__(self) -> None:
        from workbench.stt.pocketsphinx_free import PocketsphinxTranscriber
        from workbench.stt.second_opinion import SecondOpinionTranscriber
        from workbench.tts.flite import FliteSynthesizer

        self.voice, self.fast, self.precision = FliteSynthesizer(), PocketsphinxTranscriber(), SecondOpinionTranscriber()
        for engine in (self.voice, self.fast, self.precision):
            engine.load()

    def hear(self, planted: PlantedText, voice: str, *, weigh: bool) -> Heard:
        audio = cut_tail(self.voice.speak([SpeechRequest(spoken_text(planted), voice)])[0], planted, align=self.precision.align)
        started = time.process_time()
        fast = self.fast.transcribe([SttRequest(audio)])[0]
        between = time.process_time()
        request = SttRequest(audio, planted.reference, fast)
        precision = self.precision.transcribe([request])[0]
        ended = time.process_time()
        weighed = tuple(self.precision.weigh(request)) if weigh else ()
        return Heard(planted, voice, audio.duration_sec, fast, precision, weighed, between - started, ended - between)


_worker: _Worker | None = None


def _start() -> None:
    global _worker
    _worker = _Worker()


def _hear(task: tuple[PlantedText, str, bool]) -> Heard:
    return _worker.hear(task[0], task[1], weigh=task[2])


def hear_all(tasks: list[tuple[PlantedText, str]], *, weigh: bool = False) -> list[Heard]:
    with multiprocessing.get_context("spawn").Pool(PROCESSES, _start) as pool:
        return pool.map(_hear, [(*task, weigh) for task in tasks], chunksize=4)


def planted_set(prompt_set: str, voices: tuple[str, ...], *, seed: int) -> list[tuple[PlantedText, str]]:
    """Every text by every voice, with other errors for each voice."""
    texts, common = [(prompt.prompt_id, prompt.text) for prompt in load_prompts(prompt_set)], common_words()
    return [
        (one, voice)
        for number, voice in enumerate(voices)
        for one in plant(texts, seed=seed + number, clean_share=CLEAN_SHARE, common=common)
    ]


def clean_set(prompt_set: str, voices: tuple[str, ...]) -> list[tuple[PlantedText, str]]:
    """Every third text as it stands by every voice: more untouched words."""
    texts = [(prompt.prompt_id, prompt.text) for prompt in load_prompts(prompt_set)]
    return [(one, voice) for number, voice in enumerate(voices) for one in plant(texts[number::3], seed=0, clean_share=1.0)]


def measure() -> dict:
    tasks = [task for seed in TEST_SEEDS for task in planted_set("narrative_test", TEST_VOICES, seed=seed)]
    heard = hear_all([*tasks, *clean_set("narrative_test", TEST_VOICES)])
    planted, fast, precision = ([getattr(one, name) for one in heard] for name in ("planted", "fast", "precision"))
    at = SHIPPED.threshold
    both = judged(planted, fast, precision, threshold=at)
    # An engine alone: whatever it hears differently is flagged.
    alone = {
        "fast_only": judged(planted, fast, [None] * len(heard), threshold=at),
        "precision_only": judged(planted, _read(precision, at), [None] * len(heard), threshold=at),
    }
    report = score(planted, both)
    certain = score(planted, both, flagged={Verdict.TTS_FAILURE})
    audio_sec = sum(one.duration_sec for one in heard)
    result = {
        "recall": report.recall.value,
        "false_alarm": report.false_alarm_all.value,
        "per_kind": {str(kind): _estimate(value) for kind, value in report.per_kind.items()},
        **{name: _brief(score(planted, verdicts)) for name, verdicts in alone.items()},
        "overall": _brief(report),
        "tts_failure_only": _brief(certain),
        "per_voice": {voice: _brief(_of_voice(heard, both, voice)) for voice in TEST_VOICES},
        "threshold": at,
        "n_errors": report.errors,
        "n_untouched": report.untouched,
        "roc": [[point.threshold, round(point.recall, 4), round(point.false_alarm, 5)] for point in roc(planted, fast, precision)[::2]],
        "fast_rtfx": round(audio_sec / sum(one.fast_cpu_sec for one in heard), 2),
        "precision_rtfx": round(audio_sec / sum(one.precision_cpu_sec for one in heard), 2),
        "tune_voices": TUNE_VOICES,
        "test_voices": TEST_VOICES,
    }
    return result


def _read(transcripts: list[Transcript], threshold: float) -> list[Transcript]:
    from workbench.stt.evidence import apply_threshold

    return [apply_threshold(transcript, log_ratio_threshold=threshold) for transcript in transcripts]


def _of_voice(heard: list[Heard], verdicts: list, voice: str) -> PlantedReport:
    chosen = [index for index, one in enumerate(heard) if one.voice == voice]
    return score([heard[index].planted for index in chosen], [verdicts[index] for index in chosen])


def _estimate(value) -> dict:
    return {"value": _round(value.value), "low": _round(value.low), "high": _round(value.high), "n": value.n}


def _brief(report: PlantedReport) -> dict:
    return {
        "recall": _estimate(report.recall),
        # Strict: the words beside an error count as untouched too.
        "false_alarm": _estimate(report.false_alarm_all),
        "false_alarm_apart": _estimate(report.false_alarm),
        "beside": _estimate(report.beside),
        "false_insertion": _estimate(report.false_insertion),
    }


def _round(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def tune() -> None:
    """Fit on the tuning set, choose the operating point there, and say how a model carries over to each voice left out."""
    tasks = [task for seed in TUNE_SEEDS for task in planted_set("narrative_tune", TUNE_VOICES, seed=seed)]
    fit_and_choose(hear_all(tasks, weigh=True))


def fit_and_choose(heard: list[Heard]) -> None:
    for voice in TUNE_VOICES:
        model = _fit([one for one in heard if one.voice != voice])
        print(f"left out {voice}: {_at_best([one for one in heard if one.voice == voice], model)}", flush=True)
    model = _fit(heard)
    print(f"INTERCEPT = {model[0]!r}\nCOEFFICIENTS = {model[1]!r}")
    print(f"all, fitted on itself: {_at_best(heard, model)}")


def _fit(heard: list[Heard]) -> tuple[float, tuple[float, ...]]:
    """Logistic regression, reference said = 1."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    rows = [(one.measures, _said(clip.planted, one.slot)) for clip in heard for one in clip.weighed if one.measures is not None]
    fitted = make_pipeline(StandardScaler(), LogisticRegression(C=0.03)).fit([measures for measures, _ in rows], [said for _, said in rows])
    scale, logistic = fitted[0], fitted[1]
    weights = logistic.coef_[0] / scale.scale_
    return round(float(logistic.intercept_[0] - (weights * scale.mean_).sum()), 4), tuple(round(float(weight), 4) for weight in weights)


def _said(planted: PlantedText, slot) -> bool:
    """Whether the reference was said in a slot: no error touched its words, nor, where words were added, its place."""
    if slot.end > slot.start:
        return not set(range(slot.start, slot.end)) & set(planted.touched)
    return slot.start not in planted.gaps


def _at_best(heard: list[Heard], model: tuple[float, tuple[float, ...]]):
    from workbench.stt.opinion_model import log_odds

    def with_model(one: Heard) -> Transcript:
        evidence = tuple(
            place
            if weighed.measures is None
            else replace(place, log_ratio=log_odds(weighed.measures, intercept=model[0], coefficients=model[1]))
            for place, weighed in zip(one.precision.evidence, one.weighed, strict=True)
        )
        return replace(one.precision, evidence=evidence)

    points = roc([one.planted for one in heard], [one.fast for one in heard], [with_model(one) for one in heard])
    return choose(points)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tune", action="store_true", help="fit the opinion model instead of measuring")
    if parser.parse_args().tune:
        tune()
        return
    started = time.perf_counter()
    result = measure()
    result["wall_sec"] = round(time.perf_counter() - started, 1)
    assert not any(isinstance(value, float) and math.isnan(value) for value in result.values())
    print(json.dumps(result))


if __name__ == "__main__":
    main()
