"""From clips of several systems to a test's folder: one sound per system and text, at one rate and loudness, under names that tell nothing."""

from __future__ import annotations

import hashlib
import math
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from workbench.audio import SAMPLE_RATE_RANGE_HZ, Audio, content_hash, integrated_lufs, loudness_normalised, peak_normalised, resample, write_wav
from workbench.clips import Clip, load_audio
from workbench.errors import ConfigError, ListeningError, WorkbenchError
from workbench.listening.base import Check, Item
from workbench.listening.checks import DEGRADED_ACCEPTED, DEGRADED_ITEMS, degraded
from workbench.listening.plan import PLAN_FILE, Plan, PlanRules, load_plan, make_plan, save_plan
from workbench.listening.session import RATINGS

AUDIO = "audio"
#: What is played to a listener never peaks above this after it was brought to a loudness; 16-bit audio cannot hold more than 1.
MOST_PEAK = 0.999


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A clip that is no part of the test, and why."""

    system: str
    clip_id: str
    why: str


@dataclass(frozen=True)
class Prepared:
    """A test that can be taken: its folder and plan, the clips that could not take part, and the sounds that peak above 1 and so are clipped when played."""

    folder: Path
    plan: Plan
    left_out: tuple[LeftOut, ...] = ()
    clipped: tuple[str, ...] = ()

    def audio_path(self, item_id: str) -> Path:
        return self.folder / AUDIO / f"{item_id}.wav"


def system_of(clip: Clip) -> str:
    """The system that a clip belongs to: its speaker, or its dataset where there is none."""
    return clip.speaker or clip.dataset


def prepare(
    clips: Iterable[Clip],
    rules: PlanRules,
    *,
    folder: str | Path,
    most_texts: int = 0,
    instructions: Sequence[tuple[Clip, str]] = (),
) -> Prepared:
    """Choose, check and write the sounds, then the plan.

    Args:
        clips: of one or more systems (``system_of``); of each system and text the first that can be read takes part. Only texts of all systems do.
        folder: of the test. A plan that lies there and has ratings is never replaced by another.
        most_texts: at most so many, drawn by the seed; 0 takes all.
        instructions: spoken attention checks with the answer that each asks for.

    Raises:
        ConfigError: no text that all systems have, or a loudness at which a clip would be clipped.
        ListeningError: another test with ratings lies in the folder.
    """
    folder = Path(folder)
    chosen, left_out = _chosen(clips, rules.seed, most_texts)
    rate_hz = max(_read(clip).sample_rate_hz for clip in [*chosen, *(clip for clip, _ in instructions)])
    rate_hz = min(rate_hz, SAMPLE_RATE_RANGE_HZ[1])
    sounds = _Sounds(rules, rate_hz, folder / AUDIO)
    try:
        items = [sounds.add(clip) for clip in chosen]
        for clip in _to_degrade(chosen, rules):
            items.append(sounds.add(clip, check=Check.DEGRADED, accepted=DEGRADED_ACCEPTED))
        if rules.checks_every:
            items += [sounds.add(clip, check=Check.INSTRUCTED, accepted=(answer,)) for clip, answer in instructions]
        plan = make_plan(rules, items, sample_rate_hz=rate_hz)
        _refuse_other(folder, plan)
    except WorkbenchError:
        # What was refused leaves nothing among the sounds of the test that lies there.
        sounds.take_back()
        raise
    save_plan(plan, folder)
    return Prepared(folder, plan, tuple(left_out), tuple(sorted(sounds.clipped)))


def opened(folder: str | Path) -> Prepared:
    """A test that was prepared before.

    Raises:
        ListeningError: no plan, a damaged one, or one without its sounds.
    """
    prepared = Prepared(Path(folder), load_plan(folder))
    lacking = [item.item_id for item in prepared.plan.items if not prepared.audio_path(item.item_id).is_file()]
    if lacking:
        got = f"{len(lacking)} of {len(prepared.plan.items)} lack their file"
        raise ListeningError("sounds of the test are missing", where=prepared.folder / AUDIO, got=got, mend="copy the folder whole")
    return prepared


def _chosen(clips: Iterable[Clip], seed: int, most_texts: int) -> tuple[list[Clip], list[LeftOut]]:
    found: dict[str, dict[str, Clip]] = {}
    left_out: list[LeftOut] = []
    for clip in clips:
        system, own = system_of(clip), found.setdefault(system_of(clip), {})
        if clip.text.strip() in own:
            left_out.append(LeftOut(system, clip.clip_id, "the system has this text already"))
            continue
        try:
            _read(clip)
        except (WorkbenchError, OSError) as error:
            left_out.append(LeftOut(system, clip.clip_id, str(error)))
            continue
        own[clip.text.strip()] = clip
    shared = set.intersection(*map(set, found.values())) if found else set()
    if not shared:
        counts = ", ".join(f"{system}: {len(own)}" for system, own in sorted(found.items())) or "no clips"
        got = f"texts that can be played, {counts}"
        raise ConfigError("no text is there in every system", where="clips of the listening test", got=got, mend="give every system the same texts")
    left_out += [LeftOut(system, clip.clip_id, "another system lacks the text") for system, own in found.items() for text, clip in own.items() if text not in shared]
    texts = sorted(shared)
    if 0 < most_texts < len(texts):
        texts = sorted(random.Random(f"most-texts/{seed}").sample(texts, most_texts))
    return [found[system][text] for system in sorted(found) for text in texts], left_out


def _to_degrade(chosen: Sequence[Clip], rules: PlanRules) -> list[Clip]:
    if not rules.checks_every:
        return []
    return random.Random(f"degraded/{rules.seed}").sample(list(chosen), min(DEGRADED_ITEMS, len(chosen)))


def _read(clip: Clip) -> Audio:
    audio = load_audio(clip)
    if not len(audio.samples):
        raise ListeningError("nothing to hear", where=clip.clip_id, got="no samples")
    return audio


class _Sounds:
    """Writes sounds and gives the items that stand for them."""

    def __init__(self, rules: PlanRules, rate_hz: int, folder: Path) -> None:
        self._rules, self._rate_hz, self._folder = rules, rate_hz, folder
        self.clipped: set[str] = set()
        self._written: list[Path] = []

    def take_back(self) -> None:
        """Remove what was written."""
        for path in self._written:
            path.unlink(missing_ok=True)

    def add(self, clip: Clip, *, check: Check | None = None, accepted: tuple[str, ...] = ()) -> Item:
        audio = resample(_read(clip), self._rate_hz)
        if check is Check.DEGRADED:
            audio = degraded(audio, seed=self._rules.seed)
        audio = self._at_loudness(audio, clip)
        if audio.peak > 1.0:
            # A ruined copy may be made softer; a clip is played as it is, and a player cuts what is above 1.
            audio = peak_normalised(audio) if check else audio
            self.clipped |= set() if check else {clip.clip_id}
        played = content_hash(audio)
        item_id = hashlib.sha256(f"{self._rules.seed}/{played}/{system_of(clip)}/{clip.clip_id}/{check or ''}".encode("utf-8", "surrogatepass")).hexdigest()[:10]
        path = self._folder / f"{item_id}.wav"
        if not path.is_file():
            write_wav(_within_pcm(audio), path)
            self._written.append(path)
        system, kind = ("", check.value) if check else (system_of(clip), "")
        return Item(item_id, system, clip.text.strip(), clip.clip_id, played, round(audio.duration_sec, 3), kind, accepted)

    def _at_loudness(self, audio: Audio, clip: Clip) -> Audio:
        target = self._rules.loudness_lufs
        if target is None:
            return audio
        present = integrated_lufs(audio)
        brought = loudness_normalised(audio, target)
        if brought.peak <= MOST_PEAK or math.isinf(present):
            return brought
        fits = math.floor(10 * (target - 20 * math.log10(brought.peak / MOST_PEAK))) / 10
        raise ConfigError(
            "a clip would be clipped at this loudness",
            where=f"loudness_lufs, {clip.clip_id}",
            got=f"{target:g} LUFS, a peak of {brought.peak:.2f}",
            expected=f"at most {fits:g} LUFS for this clip",
            mend="choose a lower loudness for all",
        )


def _within_pcm(audio: Audio) -> Audio:
    """Cut at 1, as every player does, so that the file is 16-bit like all others and tells nothing by its format."""
    if audio.peak <= 1.0:
        return audio
    return Audio(audio.samples.clip(-1.0, 1.0), audio.sample_rate_hz, audio.channels, audio.path)


def _refuse_other(folder: Path, plan: Plan) -> None:
    if not (folder / PLAN_FILE).exists() or not any((folder / RATINGS).glob("*.csv")):
        return
    there = load_plan(folder)
    if there.plan_id == plan.plan_id:
        return
    rules = [name for name, value in plan.rules.model_dump().items() if getattr(there.rules, name) != value]
    other = ", ".join([*rules, *(["the clips"] if there.items != plan.items else [])])
    mend = "name another test_folder, or give the parameters of the test that is there"
    raise ListeningError("another test lies in this folder, and it has ratings", where=folder, got=f"other {other}", mend=mend)
