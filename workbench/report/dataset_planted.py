"""Whether the dataset comparison finds what is known to be there: planted faults found, untouched clips accused."""

from __future__ import annotations

from collections.abc import Sequence

from workbench.datasets.planted import Planted
from workbench.datasets.profile import Profile
from workbench.report import figures
from workbench.report.dataset_sections import FAMILIES
from workbench.report.html import Column, Fragment, prose, table
from workbench.report.parts import interval, percent
from workbench.stats import proportion


class PlantedFaults:
    """The faults planted into any of the datasets; several cells ask for them."""

    def __init__(self, profiles: Sequence[Profile]) -> None:
        self._profiles = profiles
        self._trial = [clip for profile in profiles for clip in profile.planted]
        self._accused = proportion(sum(p.accused.get("any", 0) for p in profiles), sum(p.untouched for p in profiles))

    def sentence(self) -> str:
        """Half of the verdict line: what a reader needs to weigh the other half."""
        trial, accused = self._trial, self._accused
        if not trial:
            return ""
        told = f" Of {len(trial)} planted faults {sum(clip.found for clip in trial)} were found as what they are"
        if not accused.n:
            return f"{told}."
        return f"{told}; {percent(accused.value)} of {accused.n} untouched clips beside them were accused of a fault{interval(accused)}."

    def show(self) -> list[object]:
        """Whether the report finds what is known to be there."""
        trial = self._trial
        if not trial:
            return [prose("No faults were planted in this run (`planted` of a dataset is 0), so nothing is said here about what is missed.")]
        rows, bars = [], []
        for kind in Planted:
            own = [clip for clip in trial if clip.kind is kind]
            if not own:
                continue
            found = proportion(sum(clip.found for clip in own), len(own))
            others = sorted({fault.value.replace("_", " ") for clip in own if not clip.found for fault in clip.faults})
            missed = sum(not clip.found for clip in own)
            rows.append({"kind": kind.value.replace("_", " "), "done": kind.told, "planted": len(own), "found": len(own) - missed, "as": (", ".join(others) or "nothing") if missed else None})
            bars.append(figures.RecallRow(kind.value.replace("_", " "), len(own) - missed, len(own), found.low, found.high))
        columns = [
            Column("kind", "planted"),
            Column("done", "what was done"),
            Column("planted", "planted", fmt=",d"),
            Column("found", "found", fmt=",d"),
            Column("as", "the others show as"),
        ]
        total = {"kind": "all", "done": None, "planted": len(trial), "found": sum(clip.found for clip in trial), "as": None}
        note = "Found: the clip has the very fault that was planted. Whiskers are 95% intervals (Wilson): few clips per kind say little about a kind."
        return [table(rows, columns, caption="Planted faults", total=total, note=note), figures.recall_by_kind(bars), self._false_alarms()]

    def _false_alarms(self) -> Fragment:
        untouched = sum(p.untouched for p in self._profiles)
        rows = [
            {"family": title, "clips": (count := sum(p.accused.get(family, 0) for p in self._profiles)), "share": proportion(count, untouched)}
            for family, title in (*FAMILIES, ("any", "Any fault"))
        ]
        columns = [Column("family", "fault"), Column("clips", "untouched clips with one", fmt=",d"), Column("share", "share", fmt=".1%")]
        names = ", ".join(f"{heard.result.clip.clip_id} ({', '.join(fault.value.replace('_', ' ') for fault in heard.faults)})" for p in self._profiles for heard in p.accused_clips)
        note = f"Of {untouched:,} clips into which nothing was planted. " + (f"For instance {names}." if names else "")
        return table(rows, columns, caption="False alarms", note=note)

    def metrics(self) -> dict | None:
        """The same figures for ``metrics.json``."""
        trial = self._trial
        if not trial:
            return None
        kinds = {kind.value: [clip.found for clip in trial if clip.kind is kind] for kind in Planted}
        accused = self._accused
        return {
            "planted": len(trial),
            "found": sum(clip.found for clip in trial),
            "untouched": accused.n,
            "accused": sum(p.accused.get("any", 0) for p in self._profiles),
            "kinds": {kind: {"planted": len(found), "found": sum(found)} for kind, found in kinds.items() if found},
        }
