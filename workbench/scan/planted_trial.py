"""The planted trial: errors planted in speech on purpose, heard by the engines under trial, so that the validator's own recall and false alarms are known.

Texts and voices are of two kinds: the operating point is tuned on one, the figures are reported on the other.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import Field

from workbench import audio as audio_io
from workbench import engines
from workbench.clips import Clip, load_audio
from workbench.engines import Kind
from workbench.errors import EngineError
from workbench.scan.cascade import Cascade
from workbench.scan.plan import ScanConfig
from workbench.scan.progress import print_line
from workbench.scan.reading import transcripts
from workbench.scan.scanning import scan
from workbench.scan.sources import SourceParameters, some_voices
from workbench.scan.stages import StagePlan, fingerprint
from workbench.scan.speak import Options, TextToSpeak, Voice, speak
from workbench.store import Store
from workbench.stt.base import Transcript
from workbench.stt.evidence import apply_threshold
from workbench.text.prompts import load_prompts
from workbench.verdicts.base import Verdict
from workbench.verdicts.operating_point import OperatingPoint, RocPoint, choose, judged, roc
from workbench.verdicts.planted import PlantedText, plant
from workbench.verdicts.planted_audio import cut_tail, spoken_text
from workbench.verdicts.planted_score import PlantedReport, score

TUNE_TEXTS, TEST_TEXTS = "narrative_tune", "narrative_test"
#: The engine whose forced alignment says where a tail may be cut.
ALIGNER = "pocketsphinx-grammar"


class PlantedParameters(SourceParameters):
    """Parameters of phases that hold a planted trial beside their own clips."""

    planted_texts: int = Field(0, ge=0)
    planted_tune_voices: tuple[str, ...] = ()
    planted_test_voices: tuple[str, ...] = ()

    @property
    def has_trial(self) -> bool:
        """Whether errors are planted: there are texts to plant them in, and two recognisers to find them."""
        return bool(self.planted_texts and self.precision)

    def speaking_voices(self) -> tuple[str, ...]:
        return (*super().speaking_voices(), *self.planted_tune_voices, *self.planted_test_voices)

    def speaking_engines(self) -> list[tuple[Kind, str]]:
        """Kind and name of every engine that does speak."""
        voices = [*(() if self.manifest else self.voices), *((*self.planted_tune_voices, *self.planted_test_voices) if self.has_trial else ())]
        return [("tts", Voice.parse(written).engine) for written in voices]


@dataclass(frozen=True, slots=True)
class TrialClips:
    """Planted clips with what both engines heard, clip by clip."""

    voices: tuple[Voice, ...]
    clips: tuple[Clip, ...]
    planted: tuple[PlantedText, ...]
    fast: tuple[Transcript, ...]
    precision: tuple[Transcript, ...]

    def roc(self) -> list[RocPoint]:
        """Recall and false alarms at every threshold."""
        return roc(self.planted, self.fast, self.precision)

    def report(self, *, threshold: float, seed: int, certain_only: bool = False) -> PlantedReport:
        """Figures at a threshold; ``certain_only`` counts tts_failure alone."""
        verdicts = judged(self.planted, self.fast, self.precision, threshold=threshold)
        return score(self.planted, verdicts, seed=seed, **({"flagged": {Verdict.TTS_FAILURE}} if certain_only else {}))

    def fast_only(self, *, seed: int) -> PlantedReport:
        """Figures of the fast engine alone."""
        return score(self.planted, judged(self.planted, self.fast, [None] * len(self.planted), threshold=0.0), seed=seed)

    def precision_only(self, *, threshold: float, seed: int) -> PlantedReport:
        """Figures of the precision engine alone."""
        heard = [apply_threshold(transcript, log_ratio_threshold=threshold) for transcript in self.precision]
        return score(self.planted, judged(self.planted, heard, [None] * len(heard), threshold=threshold), seed=seed)


@dataclass(frozen=True, slots=True)
class PlantedTrial:
    """A trial's held-out clips, and the operating point that its tuning clips would choose (None without tuning clips)."""

    test: TrialClips
    tune: TrialClips | None
    tuned: OperatingPoint | None
    left_out: int


def planted_trial(config: PlantedParameters, store: Store, *, scan_id: str, say: Callable[[str], None] = print_line) -> PlantedTrial | None:
    """The trial that a phase's parameters ask for; None where they ask for none, or where none of its voices can speak."""
    if not config.has_trial:
        return None
    tune, left_out = some_voices(config.planted_tune_voices, config)
    test, more = some_voices(config.planted_test_voices, config)
    for line in dict.fromkeys(left_out + more):
        say(f"planted errors: {line}")
    if not test:
        return None
    return run_trial(
        store,
        config.scan_config(),
        scan_id=scan_id,
        texts_per_voice=config.planted_texts,
        tune_voices=tune,
        test_voices=test,
        speech_folder=config.speech_folder,
        seed=config.seed,
        speech_options=config.engine_options,
        say=say,
    )


def run_trial(
    store: Store,
    config: ScanConfig,
    *,
    scan_id: str,
    texts_per_voice: int,
    tune_voices: Sequence[Voice],
    test_voices: Sequence[Voice],
    speech_folder: str | Path,
    seed: int,
    speech_options: Options | None = None,
    say: Callable[[str], None] = print_line,
) -> PlantedTrial:
    """Plant, speak, hear.

    Args:
        config: fast and precision engines under trial; both hear every clip, whatever the cascade, and judges are left out.
        texts_per_voice: planted clips per voice and part; 0 takes every text.
        speech_options: options of the engines that speak, by engine.
    """
    of_listeners = {name: given for name, given in config.engine_options.items() if name in (config.fast, config.precision)}
    config = config.model_copy(update={"judges": (), "engine_options": of_listeners, "cascade": Cascade()})
    options = {"speech_folder": Path(speech_folder), "seed": seed, "texts": texts_per_voice, "speech_options": speech_options, "say": say}
    test, lost = _part(store, config, f"{scan_id}-test", TEST_TEXTS, test_voices, **options)
    if not tune_voices:
        return PlantedTrial(test, None, None, lost)
    tune, more_lost = _part(store, config, f"{scan_id}-tune", TUNE_TEXTS, tune_voices, **options)
    said = f"{len(tune.planted)} planted clips of {', '.join(map(str, tune_voices))}"
    return PlantedTrial(test, tune, choose(tune.roc(), provenance=said), lost + more_lost)


def _part(
    store: Store, config: ScanConfig, scan_id: str, prompts: str, voices: Sequence[Voice], *, speech_folder: Path, seed: int, texts: int,
    speech_options: Options | None, say: Callable[[str], None],
) -> tuple[TrialClips, int]:
    clips, planted = [], {}
    for number, voice in enumerate(voices):
        # Every voice gets errors of its own: the same ones in all voices would be fewer than they look.
        chosen = plant([(p.prompt_id, p.text) for p in load_prompts(prompts, limit=texts)], seed=seed + 1000 * number)
        spoken = speak(
            [TextToSpeak(f"{p.text_id}-{p.kind}", spoken_text(p), p.kind, reference=" ".join(p.reference)) for p in chosen],
            [voice],
            folder=speech_folder,
            dataset=f"planted-{prompts}",
            workers=config.workers,
            options=speech_options,
            device=config.device,
            say=say,
        )
        cut = _cut_tails(spoken.clips, chosen, speech_folder)
        clips += cut
        planted |= {clip.clip_id: text for clip, text in zip(cut, chosen, strict=True)}
    summary = scan(clips, config, store, scan_id=scan_id, label=f"planted errors ({prompts})", total=len(clips), say=say)
    return _heard(store, scan_id, summary.stages, planted, voices)


def _cut_tails(clips: Sequence[Clip], planted: Sequence[PlantedText], folder: Path) -> list[Clip]:
    """Clips whose tail is to go, cut at a word's end; kept under a name that says where the cut fell."""
    aligner, cut = None, []
    for clip, text in zip(clips, planted, strict=True):
        if text.keep is None or clip.fault:
            cut.append(clip)
            continue
        path = folder / "cut" / f"{fingerprint(audio=Path(clip.audio).name, voice=clip.speaker, words=text.spoken, keep=text.keep)}.wav"
        if not path.exists():
            if aligner is None:
                aligner = engines.create(ALIGNER, "stt")
                aligner.load()
            path.parent.mkdir(parents=True, exist_ok=True)
            try:
                audio_io.write_wav(cut_tail(load_audio(clip), text, align=aligner.align), path)
            except EngineError as error:
                cut.append(replace(clip, fault=f"its tail could not be cut: {error}"))
                continue
        cut.append(replace(clip, audio=str(path)))
    if aligner is not None:
        aligner.close()
    return cut


def _heard(store: Store, scan_id: str, stages: Sequence[StagePlan], planted: dict[str, PlantedText], voices: Sequence[Voice]) -> tuple[TrialClips, int]:
    """What both engines heard; a clip that either could not hear is left out and counted."""
    clips, kept, fast, precision, lost = [], [], [], [], 0
    for clip, first, second in transcripts(store, scan_id, stages):
        if first is None or second is None:
            lost += 1
            continue
        clips.append(clip)
        kept.append(planted[clip.clip_id])
        fast.append(first)
        precision.append(second)
    return TrialClips(tuple(voices), tuple(clips), tuple(kept), tuple(fast), tuple(precision)), lost
