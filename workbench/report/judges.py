"""The judges side by side: each voice's mean by every judge, and a composite that compares only what can be compared."""

from __future__ import annotations

from collections.abc import Sequence

from workbench.judges.composite import fair_composites, fair_judges
from workbench.report.html import Column, Fragment, table
from workbench.scan.primary_scores import NO_OPINION
from workbench.scan.results import ClipResult
from workbench.stats import mean_estimate


def judged_clips(results: Sequence[ClipResult], primaries: dict[str, str]) -> list[ClipResult]:
    """The clips that a cascade gave to the judges: every one of them scored such a clip, or failed on it."""
    return [r for r in results if any(column in r.scores for column in primaries.values()) or any(f.stage in primaries for f in r.failures)]


def judges_table(results: Sequence[ClipResult], primaries: dict[str, str], *, seed: int, said: str = "") -> Fragment | None:
    """Means per voice with 95% intervals over texts; None with fewer than two judges, whose one score stands in the headline.

    The composite is the mean over those judges of opinion (1 to 5) that scored every clip of every voice. ``said`` stands ahead of the note.
    """
    if len(primaries) < 2:
        return None
    by_voice: dict[str, list[ClipResult]] = {}
    for result in results:
        by_voice.setdefault(result.clip.speaker or result.clip.dataset, []).append(result)
    means = {
        voice: {
            judge: mean_estimate([r.scores.get(column) for r in own], [r.clip.text for r in own], seed=seed)
            for judge, column in primaries.items()
        }
        for voice, own in by_voice.items()
    }
    opinions = [judge for judge, column in primaries.items() if column not in NO_OPINION]
    complete = {
        voice: {judge: means[voice][judge].value if all(r.scores.get(primaries[judge]) is not None for r in own) else None for judge in opinions}
        for voice, own in by_voice.items()
    }
    shared, composites = fair_judges(complete), fair_composites(complete)
    rows = [{"voice": voice, **means[voice], "composite": composites[voice].value} for voice in by_voice]
    columns = [Column("voice", "voice"), *(Column(judge, judge, fmt=".2f", help=f"mean of {column}") for judge, column in primaries.items())]
    if len(shared) > 1:
        columns.append(Column("composite", "fair composite", fmt=".2f", help="mean of the judges that scored every clip"))
    without = [judge for judge in opinions if judge not in shared]
    note = f"Composite over {', '.join(shared)}." if len(shared) > 1 else "No two judges scored every clip, so there is no composite."
    if without:
        note += f" Not every clip has a score of {', '.join(without)}."
    note += " Judges differ in what they heard in training: trust a difference that several of them see."
    return table(rows, columns, caption="Quality judges per voice", note=f"{said} {note}".strip())
