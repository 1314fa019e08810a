"""Clips on which a judge and the listeners differ most, to be heard."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from workbench.clips import Clip
from workbench.listening.calibration import Rated
from workbench.listening.study import Study
from workbench.report import players
from workbench.report.html import Fragment
from workbench.report.parts import encoded_audio
from workbench.scan.results import ClipResult

OPINION = "mean opinion"


def disagreements(study: Study, rated: Mapping[str, Rated], column: str, *, clips: int, budget_bytes: int) -> Fragment:
    """Cards of the clips whose score and opinion, each in standard deviations from its mean, lie furthest apart."""
    gaps = _gaps(rated)
    chosen = sorted(rated, key=lambda item: (-abs(gaps[item]), item))[:clips]
    results = [_result(study, item, rated[item], column, gaps[item]) for item in chosen]

    note = f"Clips on which {players.score_title(column)} and the listeners differ most, each side in standard deviations from its mean over the rated clips."
    title = "Where judge and listeners differ"
    return players.gallery(results, audio_of=encoded_audio, budget_bytes=budget_bytes, title=title, total=len(rated), note=note, scores=(OPINION, column))


def _gaps(rated: Mapping[str, Rated]) -> dict[str, float]:
    scores, opinions = np.array([one.score for one in rated.values()]), np.array([one.opinion for one in rated.values()])
    standard = [(side - side.mean()) / (side.std() or 1.0) for side in (scores, opinions)]
    return dict(zip(rated, (standard[0] - standard[1]).tolist(), strict=True))


def _result(study: Study, item_id: str, rated: Rated, column: str, gap: float) -> ClipResult:
    item = study.prepared.plan.item[item_id]
    clip = Clip(item.clip_id, str(study.prepared.audio_path(item_id)), item.text, "", item.system)
    note = f"the judge is {abs(gap):.1f} standard deviations {'kinder' if gap > 0 else 'harsher'} than the listeners ({rated.ratings} rating{'s' if rated.ratings > 1 else ''})"
    return ClipResult(clip, item.audio_hash, item.duration_sec, (), None, None, None, {OPINION: rated.opinion, column: rated.score}, (), (note,), {})
