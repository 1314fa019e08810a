"""The columns that a keep rule may ask for and that a comparison counts: one catalogue for both."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from workbench.datasets.faults import Fault
from workbench.datasets.rules import Kind
from workbench.store.schema import STAGE_COLUMNS
from workbench.verdicts.base import Verdict


@dataclass(frozen=True, slots=True)
class ColumnInfo:
    """One column: what kind of value it holds, its unit and its meaning."""

    name: str
    kind: Kind
    unit: str
    meaning: str


_SIGNAL = (
    ColumnInfo("duration_sec", "number", "s", "length of the audio"),
    ColumnInfo("sample_rate_hz", "number", "Hz", "the audio's own rate"),
    ColumnInfo("bandwidth_hz", "number", "Hz", "highest frequency with sound"),
    ColumnInfo("loudness_lufs", "number", "LUFS", "gated loudness (ITU-R BS.1770), -70 for none"),
    ColumnInfo("rms_db", "number", "dB", "level of all samples together"),
    ColumnInfo("peak_amplitude", "number", "", "largest absolute sample, 1.0 is full scale"),
    ColumnInfo("clipping_pct", "number", "%", "samples at or beyond full scale"),
    ColumnInfo("silence_pct", "number", "%", "frames of 20 ms that are silent"),
    ColumnInfo("energy_std", "number", "", "how much the level changes from frame to frame"),
    ColumnInfo("dynamic_range_db", "number", "dB", "loud frames over quiet ones"),
    ColumnInfo("zero_crossing_rate", "number", "", "sign changes per sample"),
    ColumnInfo("spectral_centroid_hz", "number", "Hz", "middle of the spectrum"),
    ColumnInfo("spectral_rolloff_hz", "number", "Hz", "85% of the power lie below"),
)
_COUNTED = (
    ColumnInfo("bandwidth_share", "number", "", "bandwidth over half the sample rate, 1.0 where the sound uses all of it"),
    ColumnInfo("words", "number", "", "words of the text as spoken"),
    ColumnInfo("characters", "number", "", "characters of those words, with the blanks between them"),
    ColumnInfo("chars_per_sec", "number", "1/s", "characters per second that is not silent"),
    ColumnInfo("wer_fast", "number", "", "word error rate of the fast engine against the text, its own mistakes included"),
    ColumnInfo("wer_precision", "number", "", "the same of the precision engine"),
    ColumnInfo("audio_error_rate", "number", "", "words and insertions that both engines hold against the audio, over words"),
    ColumnInfo("confidence", "number", "", "mean word confidence of the fast engine"),
    *(ColumnInfo(f"n_{verdict.value}", "number", "", f"words with the verdict {verdict.value}") for verdict in Verdict),
)
_TRUTHS = (
    ColumnInfo("failed", "truth", "", "some stage could not do its work"),
    ColumnInfo("text_fault", "truth", "", "any fault of the text"),
    ColumnInfo("audio_fault", "truth", "", "any fault of the audio"),
    ColumnInfo("copy_fault", "truth", "", "a copy of an earlier clip, by audio or by text"),
    *(ColumnInfo(fault.value, "truth", "", fault.meaning) for fault in Fault),
)
_TEXTS = (
    ColumnInfo("clip_id", "text", "", "the clip's name within its dataset"),
    ColumnInfo("speaker", "text", "", "who speaks, as the source says"),
    ColumnInfo("category", "text", "", "the source's own category"),
)
_JUDGES = tuple(stage for stage in STAGE_COLUMNS if stage not in ("audio", "signal", "fast", "precision"))

#: What the comparison measures of every clip with numbers of its own; judges' scores come on top.
SIGNAL_COLUMNS = tuple(column.name for column in _SIGNAL)
COUNTED_COLUMNS = tuple(column.name for column in _COUNTED)


def judge_columns() -> tuple[str, ...]:
    """The score columns of the judges that the results database has places for."""
    return tuple(name for stage in _JUDGES for name in STAGE_COLUMNS[stage] if not name.endswith("_notes"))


def catalogue(scores: Iterable[str] = ()) -> dict[str, ColumnInfo]:
    """Every column by name.

    Args:
        scores: score columns of judges from elsewhere.
    """
    judged = [ColumnInfo(name, "number", "", f"score of a judge ({name.partition('_')[0]})") for name in (*judge_columns(), *scores)]
    return {column.name: column for column in (*_SIGNAL, *_COUNTED, *judged, *_TRUTHS, *_TEXTS)}


def kinds(scores: Iterable[str] = ()) -> dict[str, Kind]:
    """The columns' names with their kinds, as ``rules.parse`` takes them."""
    return {name: column.kind for name, column in catalogue(scores).items()}
