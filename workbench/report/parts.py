"""What the reports of all phases say in the same words: shares, intervals, the code, provenance, yields."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from typing import Any

from workbench import audio as audio_io
from workbench.clips import load_audio
from workbench.config import Config
from workbench.errors import WorkbenchError
from workbench.report.html import Column, Fragment, Interval, fold, identity, table
from workbench.report.provenance import code_version
from workbench.scan import summaries
from workbench.scan.results import ClipResult
from workbench.stats import Estimate

_SHA256 = re.compile(r"\b([0-9a-f]{12})[0-9a-f]{28,52}\b")


def percent(value: float | None) -> str:
    """A share in words of a sentence."""
    return "unknown" if value is None else f"{100 * value:.1f}%"


def p_value(value: float) -> str:
    """A p-value for a table; never a bare 0."""
    return "<.001" if value < 0.001 else f"{value:.3f}"


def interval(estimate: Interval) -> str:
    """The interval of a share behind it in a sentence; nothing where there is none."""
    return "" if estimate.low is None else f" (95% interval {100 * estimate.low:.1f} to {100 * estimate.high:.1f}%)"


def plain(estimate: Estimate) -> dict[str, float | int | None]:
    """An estimate for ``metrics.json``."""
    return {"value": estimate.value, "low": estimate.low, "high": estimate.high, "n": estimate.n}


def code_line() -> str:
    """Which code made a run."""
    code = code_version()
    commit = (code["git_commit"] or "not a checkout")[:12] + (" with local changes" if code["git_dirty"] else "")
    return f"workbench {code['workbench']}, {commit}"


def encoded_audio(result: ClipResult) -> bytes | None:
    """A clip's audio as a page holds it; None, and a line, where it cannot be read."""
    try:
        return audio_io.encode_mp3(load_audio(result.clip))
    except (WorkbenchError, OSError) as error:
        print(f"no audio for {result.clip.clip_id}: {error}", file=sys.stderr)
        return None


def provenance_section(found: dict[str, Any], config: Config) -> list[Fragment]:
    """Engines with licences, code, packages, machine, every parameter, from what goes into ``provenance.json``."""
    rows = [{**row, "revision of weights": _SHA256.sub(r"\1…", row["revision of weights"])} for row in found["engines"]]
    note = "Digests are cut short here; provenance.json has them in full."
    hardware = found["hardware"]
    machine = {
        "processor": hardware["processor"],
        "cores": hardware["cores"],
        "memory": f"{hardware['memory_gib']} GiB",
        "system": hardware["system"],
        "GPUs": hardware["gpus"] or "none",
        "dataset hash": found["dataset"]["hash"],
        "seeds": found["seeds"],
        "wall time, s": found["wall_sec"],
    }
    parameters = [{"parameter": name, "value": "none" if value is None else str(_told(value))} for name, value in sorted(config.model_dump(mode="json").items())]
    packages = [{"package": name, "version": version} for name, version in found["packages"].items()]
    # A phase that only reads what others computed uses no engine.
    engines = [table(rows, [Column(key, key) for key in rows[0]], caption="Engines and licences", note=note)] if rows else []
    return [
        *engines,
        identity(machine),
        fold("Parameters", table(parameters, [Column("parameter", "parameter"), Column("value", "value")])),
        fold("Packages", table(packages, [Column("package", "package"), Column("version", "version")])),
    ]


def _told(value: Any) -> Any:
    """A parameter without what is left empty inside it: a list of systems is read by what was given of each. The run's ``params.yaml`` has all of it."""
    if isinstance(value, dict):
        return {name: _told(inner) for name, inner in value.items() if inner not in ("", {}, [], None)}
    return [_told(inner) for inner in value] if isinstance(value, list) else value


def yields_table(results: Sequence[ClipResult], *, seed: int) -> Fragment:
    """What the strict, balanced and permissive bounds keep, by three readings of them."""
    columns = [
        Column("name", "threshold"),
        Column("wer_below", "WER below", fmt=".0%"),
        Column("confidence_above", "confidence above", fmt=".0%"),
        Column("by_verdicts", "kept, by verdicts", fmt=".0%", help="share of flagged words below the WER bound, after both recognisers"),
        Column("by_fast_wer", "kept, by fast WER", fmt=".0%", help="the fast engine alone, its own mistakes counted against the clip"),
        Column("by_fast_wer_and_confidence", "kept, by fast WER and confidence", fmt=".0%", help="both bounds on the fast engine"),
    ]
    methods = sorted({r.fast.confidence_method for r in results if r.fast})
    note = f"The confidence bounds were set for another recogniser's scale; here confidence is: {', '.join(methods) or 'unknown'}."
    return table(summaries.yields(results, seed=seed), columns, caption="Clips kept", note=note)
