"""``workbench filter``, from what a shell says to a filter."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from workbench.clips import Manifest
from workbench.datasets.comparison import DatasetComparisonConfig
from workbench.datasets.filtering import Filtered, filter_manifest, read_rules
from workbench.datasets.reading import Reading
from workbench.datasets.writing import check_suffix
from workbench.scan.command import name_of
from workbench.scan.plan import plan_stages
from workbench.scan.progress import print_line
from workbench.settings import gather
from workbench.store import Store

#: Parameters that say which results are meant. Where none of them is given, what the database's columns hold is taken.
_OF_A_SCAN = frozenset({"fast", "precision", "judges", "engine_options", "escalate", "seed", "device"})


def filter_scanned(
    manifest: Manifest,
    path: Path,
    keep: Sequence[str],
    *,
    files: Sequence[Path] = (),
    assignments: Sequence[str] = (),
    scan_id: str | None = None,
    say: Callable[[str], None] = print_line,
) -> Filtered:
    """Filter a manifest by the results that a database holds of it.

    Args:
        files, assignments: parameters as for ``workbench scan`` or of a dataset comparison, whose own rules may then be named.
        scan_id: by default the name under which ``workbench scan`` keeps the manifest.

    Raises:
        WorkbenchError: of the family; nothing is written then.
    """
    config = gather(DatasetComparisonConfig, {}, files=files, assignments=assignments, where="parameters of filter")
    named = config.model_fields_set
    stages = plan_stages(config.scan_config()) if named & _OF_A_SCAN else None
    scores = config.score_columns() if stages is not None else ()
    rules = read_rules(keep, named=config.keep, scores=scores)
    check_suffix(path)
    with Store.open(config.database, patience_sec=config.database_patience_sec, create=False) as store:
        reading = Reading(store, scan_id or name_of(manifest), stages, config.operating_point, config.cascade() if stages is not None else None, config.seed)
        return filter_manifest(manifest, path, rules, reading, bounds=config.bounds, scores=scores, say=say)
