"""``workbench scan``: a manifest through the cascade into the results database, and what came of it in a few lines."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from workbench.clips import Manifest
from workbench.errors import ConfigError, unknown_name
from workbench.scan.plan import ScanParameters
from workbench.scan.progress import print_line
from workbench.scan.reading import read_results
from workbench.scan.scanning import ScanSummary, scan
from workbench.scan.stages import fingerprint
from workbench.store import Store
from workbench.verdicts.base import FLAGGED

STAGES = ("fast", "precision", "mos")


def of_stages(parameters: ScanParameters, stages: Sequence[str]) -> ScanParameters:
    """The parameters narrowed to some of ``STAGES``. Results that the database holds of the others stay.

    Raises:
        UnknownNameError, ConfigError: another stage, or none that listens first.
    """
    for stage in stages:
        if stage not in STAGES:
            raise unknown_name("stage", stage, STAGES)
    if "fast" not in stages:
        raise ConfigError(
            "the other stages rest on the fast one", where="stages", got=",".join(stages) or "none", mend="name fast, too; where its results are stored it costs nothing"
        )
    left_out: dict[str, object] = {} if "precision" in stages else {"precision": None}
    if "mos" not in stages:
        left_out["judges"] = ()
    kept = {parameters.fast, *([parameters.precision] if "precision" in stages else []), *(parameters.judges if "mos" in stages else ())}
    unused = {*([parameters.precision] if parameters.precision else []), *parameters.judges} - kept
    options = {name: given for name, given in parameters.engine_options.items() if name not in unused}
    return parameters.model_copy(update=left_out | {"engine_options": options})


def name_of(manifest: Manifest) -> str:
    """The name under which a manifest's clips are kept in order: the same one each time it is scanned."""
    source = str(manifest.source)
    place = os.path.abspath(source) if Path(source).exists() else source
    return f"{manifest.dataset}-{fingerprint(source=place)[:8]}"


def scan_manifest(
    manifest: Manifest, parameters: ScanParameters, *, scan_id: str | None = None, verdicts: bool = True, say: Callable[[str], None] = print_line
) -> ScanSummary:
    """Scan, bring the verdict columns of the database up to date, and say what came of it.

    Args:
        verdicts: whether the verdict columns are filled; that reads every result once more.

    Raises:
        WorkbenchError: of the family; what was finished is stored, and the same call goes on from there.
    """
    name = scan_id or name_of(manifest)
    config = parameters.scan_config()
    with Store.open(parameters.database, patience_sec=parameters.database_patience_sec) as store:
        total = None if manifest.kind == "hub" else manifest.count()
        summary = scan(manifest, config, store, scan_id=name, total=total, say=say)
        told = _verdict_lines(store, summary, parameters) if verdicts else []
        engine_sec = ", ".join(f"{stage} {sec:.1f} s" for stage, sec in summary.engine_sec.items()) or "none"
        say(f"scan {name} in {store.shown}: {summary.clips:,} clips, {summary.failed:,} failed, {summary.unsettled:,} left for another run; engines: {engine_sec}")
        for line in told:
            say(line)
    return summary


def _verdict_lines(store: Store, summary: ScanSummary, parameters: ScanParameters) -> list[str]:
    threshold, counts = parameters.log_ratio_threshold, Counter()
    results = read_results(store, summary.scan_id, summary.stages, log_ratio_threshold=threshold, cascade=parameters.cascade(), seed=parameters.seed)
    judged_by = {stage.name for stage in summary.stages if stage.gated}
    for result in results:
        counts["clips"] += 1
        counts["escalated"] += "precision" in result.stage_sec
        counts["judged"] += not judged_by.isdisjoint(result.stage_sec)
        if result.verdicts is not None:
            counts["words"] += len(result.verdicts.words)
            counts["flagged"] += sum(result.verdicts.count(verdict) for verdict in FLAGGED)
    lines = [f"{counts['flagged']:,} words and insertions flagged in {counts['words']:,} words"]
    if any(stage.name == "precision" for stage in summary.stages):
        lines.append(f"heard by the precision engine: {_share(counts['escalated'], counts['clips'])} (escalate: {parameters.escalate})")
    if judged_by:
        lines.append(f"judged for quality: {_share(counts['judged'], counts['clips'])} (mos_mode: {parameters.mos_mode})")
    return lines


def _share(part: int, whole: int) -> str:
    return f"{part:,} of {whole:,} clips, {100 * part / whole:.1f}%" if whole else "no clips"
