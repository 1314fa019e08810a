"""Results of a comparison built without audio: so many words wrong, such scores, such samples."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from workbench.clips import Clip
from workbench.errors import Failure
from workbench.scan.compared import Compared, compare_clips
from workbench.scan.model_comparison import ModelComparison
from workbench.scan.results import ClipResult
from workbench.scan.scanning import ScanSummary
from workbench.scan.system_clips import Entry, Gathered, SystemSource
from workbench.scan.systems import System
from workbench.text.prompts import Prompt
from workbench.text.tokens import Token
from workbench.verdicts.base import ClipVerdicts, EditCounts, Verdict, WordVerdict

WORDS = 10


def prompt(number: int, *, category: str = "") -> Prompt:
    return Prompt(f"p{number:03}", category or f"category {number % 3}", f"text number {number} of ten words in all it is")


def heard(clip: Clip, *, wrong: int, scores: dict[str, float], audio: str, flags: tuple[str, ...] = (), notes: tuple[str, ...] = ()) -> ClipResult:
    """A clip of ten words, the first ``wrong`` of them flagged."""
    words = tuple(WordVerdict(k, "word", Verdict.TTS_FAILURE if k < wrong else Verdict.PASS, (), (), None, None, None, 0.9) for k in range(WORDS))
    verdicts = ClipVerdicts(words, (), flags, EditCounts(WORDS - wrong, wrong, 0, 0), EditCounts(WORDS - wrong, wrong, 0, 0), 0.9)
    everything = {"duration_sec": 3.0, "rms_db": -20.0, "peak_amplitude": 0.5, "flat_top_runs": 0.0, "silence_pct": 10.0} | scores
    return ClipResult(clip, audio, everything["duration_sec"], tokens(), None, None, verdicts, everything, (), notes, {})


def unheard(clip: Clip, message: str = "could not be spoken: EngineError: no") -> ClipResult:
    return ClipResult(clip, f"unreadable-{clip.clip_id}", None, tokens(), None, None, None, {}, (Failure("audio", "AudioError", message),), (), {})


def tokens() -> tuple[Token, ...]:
    return tuple(Token("word", k, k + 1, "w") for k in range(WORDS))


class Trial:
    """Clips of a comparison, added one by one, then compared."""

    def __init__(self, judges: Sequence[str] = ("dnsmos",)) -> None:
        self.primaries = {judge: f"{judge}_score" for judge in judges}
        self.entries: list[Entry] = []
        self.results: list[ClipResult] = []
        self.systems: list[str] = []

    def add(
        self, system: str, numbers: Sequence[int], *, wrong: Callable[[int], int] = lambda n: 1, scores: Callable[[int], dict[str, float]] | None = None,
        audio: Callable[[int], str] | None = None, fails: Sequence[int] = (), take: int = 1, **extra: object,
    ) -> Trial:
        """A system's clips of the prompts with these numbers. ``scores`` are by judge's name or by column; 3.0 for every judge by default."""
        self.systems += [system] if system not in self.systems else []
        for number in numbers:
            one = prompt(number)
            clip = Clip(f"{one.prompt_id}/{system}#{take}", "", one.text, "trial", system, one.category)
            self.entries.append(Entry(system, one, take, clip))
            if number in fails:
                self.results.append(unheard(clip))
                continue
            given = {judge: 3.0 for judge in self.primaries} | (scores(number) if scores else {})
            named = {self.primaries.get(name, name): value for name, value in given.items() if value is not None}
            self.results.append(heard(clip, wrong=wrong(number), scores=named, audio=audio(number) if audio else clip.clip_id, **extra))
        return self

    def compare(self, *, prompts: int | None = None, **options: object) -> Compared:
        count = len({entry.prompt.prompt_id for entry in self.entries}) if prompts is None else prompts
        told = {"precision": True, "resamples": 2000} | options
        return compare_clips(self.entries, self.results, systems=self.systems, prompts=count, primaries=self.primaries, **told)

    def found(self, *, prompts: int | None = None, naming: tuple[str, ...] = (), left_out: tuple[str, ...] = (), unmatched: int = 0, **options: object) -> ModelComparison:
        """The same as a whole comparison, as reports take it."""
        compared = self.compare(prompts=prompts, **options)
        every = list(dict.fromkeys(entry.prompt.prompt_id for entry in self.entries))
        asked = tuple(prompt(k) for k in range(len(every) if prompts is None else prompts))
        systems = tuple(System(name=name, voice="flite/slt") for name in self.systems)
        sources = tuple(SystemSource(s, sum(e.system == s.name for e in self.entries), unmatched, ("x.wav",) if unmatched else ()) for s in systems)
        summary = ScanSummary("scan", (), len(self.entries), 0, len(self.entries), 0.0, 1.0, {}, 0.0, 1)
        return ModelComparison(systems, naming, asked, Gathered(tuple(self.entries), sources, left_out, 0.0), summary, tuple(self.results), compared, 0.5, "trial", "0" * 64)
