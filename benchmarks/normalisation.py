"""How many written/spoken pairs compare equal, beside whisper-normalizer in the same run; how many that differ do so too; and how fast.

    .venv/bin/python benchmarks/normalisation.py [PAIRS.tsv] [--nemo] [--show]

``PAIRS.tsv`` has the columns category, written, spoken (default: ../shared/data/text/written_spoken.tsv). ``--nemo`` also puts the
written side through nemo_text_processing (its grammars take about a minute the first time). ``--show`` prints the pairs that stay
unequal. The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import csv
import json
import random
import re
import statistics
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from workbench.text import agree, comparable, tokenise

DEFAULT_PAIRS = Path(__file__).resolve().parents[1].parent / "shared" / "data" / "text" / "written_spoken.tsv"
PROSE = (
    "She had walked up and down the room for nearly an hour, and the letter lay unopened on the table where the boy had left it. "
    "Nobody spoke; the old clock, which her father had never trusted, struck the quarter as though it didn't care who was listening. "
)
SEMIOTIC = "On 3 March 2021, Dr. Lee paid $3.50 for 12 kg at 4:30 p.m. and drove 60 mph down Main St.; it was 50% off, 1/2 of No. 5. "


@dataclass(frozen=True)
class Pair:
    category: str
    written: str
    spoken: str


def read_pairs(path: Path) -> list[Pair]:
    """Pairs of a tab-separated file; quotes in it are text, not quoting."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        return [Pair(row["category"], row["written"] or "", row["spoken"] or "") for row in rows]


def share(pairs: list[Pair], equal: Callable[[str, str], bool]) -> float:
    return round(sum(equal(pair.written, pair.spoken) for pair in pairs) / max(1, len(pairs)), 4)


def changed_digit(pairs: list[Pair], *, seed: int = 7) -> list[Pair]:
    """Pairs whose written side has one digit replaced by another: they must no longer compare equal."""
    chance = random.Random(seed)
    changed = []
    for pair in pairs:
        places = [m.start() for m in re.finditer(r"[0-9]", pair.written)]
        if places:
            at = chance.choice(places)
            digit = chance.choice([d for d in "0123456789" if d != pair.written[at]])
            changed.append(Pair(pair.category, pair.written[:at] + digit + pair.written[at + 1 :], pair.spoken))
    return changed


def swapped(pairs: list[Pair]) -> list[Pair]:
    """Every written side with the spoken side of the next pair of its category that is spelt otherwise."""
    groups = defaultdict(list)
    for pair in pairs:
        groups[pair.category].append(pair)
    return [
        Pair(a.category, a.written, b.spoken)
        for group in groups.values()
        for a, b in zip(group, group[1:] + group[:1], strict=True)
        if _bare(a.spoken) != _bare(b.spoken)
    ]


def _bare(spoken: str) -> str:
    return re.sub(r"[^a-z]|\band\b", "", spoken.casefold())


def characters_per_sec(work: Callable[[str], object], text: str, *, runs: int = 5) -> int:
    """Median over ``runs`` of 20,000 characters, each time another text so that nothing is remembered whole; in CPU seconds."""
    rates = []
    for run in range(runs + 1):
        sample = (text * (20_000 // len(text) + 1))[: 20_000 - run] + "."
        started = time.process_time()
        work(sample)
        rates.append(len(sample) / (time.process_time() - started))
    return round(statistics.median(rates[1:]))


def measure_nemo(pairs: list[Pair]) -> dict[str, float]:
    """nemo_text_processing on the written side, then the same comparison."""
    from nemo_text_processing.text_normalization.normalize import Normalizer
    from platformdirs import user_cache_dir

    started = time.perf_counter()
    normalizer = Normalizer(input_case="cased", lang="en", cache_dir=user_cache_dir("workbench/nemo_text_processing"))
    load_sec = time.perf_counter() - started
    started = time.perf_counter()
    said = [Pair(p.category, normalizer.normalize(p.written) if p.written.strip() else "", p.spoken) for p in pairs]
    per_text_ms = 1000 * (time.perf_counter() - started) / len(pairs)
    return {
        "nemo_share": share(said, lambda a, b: comparable(a) == comparable(b)),
        "nemo_load_sec": round(load_sec, 1),
        "nemo_ms_per_text": round(per_text_ms, 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pairs", nargs="?", type=Path, default=DEFAULT_PAIRS)
    parser.add_argument("--nemo", action="store_true", help="also measure nemo_text_processing")
    parser.add_argument("--show", action="store_true", help="print what stays unequal")
    options = parser.parse_args()
    pairs = read_pairs(options.pairs)

    from whisper_normalizer.english import EnglishTextNormalizer

    whisper = EnglishTextNormalizer()

    def ours(a: str, b: str) -> bool:
        return comparable(a) == comparable(b)

    if options.show:
        for pair in pairs:
            if not ours(pair.written, pair.spoken):
                print(f"{pair.category}: {pair.written!r} -> {comparable(pair.written)!r}; {pair.spoken!r} -> {comparable(pair.spoken)!r}")
    categories = sorted({pair.category for pair in pairs})
    started = time.process_time()
    for pair in pairs:
        tokenise(pair.written)
    per_text_ms = 1000 * (time.process_time() - started) / max(1, len(pairs))
    result = {
        "equal_share": share(pairs, ours),
        "whisper_normalizer_share": share(pairs, lambda a, b: whisper(a) == whisper(b)),
        "agree_share": share(pairs, agree),
        "false_equal_changed_digit": share(changed_digit(pairs), ours),
        "false_equal_swapped": share(swapped(pairs), ours),
        "whisper_false_equal_changed_digit": share(changed_digit(pairs), lambda a, b: whisper(a) == whisper(b)),
        "pairs": len(pairs),
        "ms_per_text": round(per_text_ms, 3),
        "tokenise_prose_characters_per_sec": characters_per_sec(tokenise, PROSE),
        "tokenise_numbers_characters_per_sec": characters_per_sec(tokenise, SEMIOTIC),
        "comparable_prose_characters_per_sec": characters_per_sec(comparable, PROSE),
        "whisper_prose_characters_per_sec": characters_per_sec(whisper, PROSE),
        "per_category": {c: share([p for p in pairs if p.category == c], ours) for c in categories},
    }
    if options.nemo:
        result |= measure_nemo(pairs)
    print(json.dumps(result))


if __name__ == "__main__":
    main()
