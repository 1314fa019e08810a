"""What the store costs above the bare driver: upserts per second of Store.write against executemany, on SQLite and on PostgreSQL, side by side.

Both write the same rows: one clip each with a fast transcript of twelve words, signal figures and one judge's scores, in transactions of the same size. The bare
driver gets the statement and the finished tuples (JSON already text), the store gets StageRecords, which it merges, checks and turns into such tuples, and it sees to
it that no other result is overwritten. ``..._ratio`` compares these. ``..._ratio_from_values`` compares the store with executemany of a program that has finished
tuples too, but lists where JSON goes, and calls json.dumps for them. Members of scans and files are left out. Half of the rounds insert, the other half update the same
rows. Medians over rounds.
"""

from __future__ import annotations

import argparse
import json
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.postgres_for_tests import PostgresMissing, PostgresServer
from workbench.clips import Clip
from workbench.store import Member, RowKey, StageRecord, StageResult, Store
from workbench.store.schema import audio_quality
from workbench.store.statements import Statements
from workbench.store.writing import KEPT, batch_of, in_order, row_columns

STAGES = ("signal", "fast", "dnsmos")
WORDS = "the quick brown fox jumps over the lazy dog again and again".split()


def records_of(numbers: range, tag: str) -> list[StageRecord]:
    """Three stages' results for every clip."""
    records = []
    for number in numbers:
        key = RowKey(f"{(number * 2654435761) % 2**32:08x}{tag}{number:056x}"[:64], "bench", f"{number:016x}")
        clip = Clip(clip_id=f"clip{number:06d}", audio=f"/data/bench/clip{number:06d}.wav", text=" ".join(WORDS), dataset="bench", speaker="slt", category="everyday")
        signal = {
            "duration_sec": 3.1 + number / 7,
            "sample_rate_hz": 16000,
            "peak_amplitude": 0.7,
            "rms_db": -23.4567,
            "clipping_pct": 0.0,
            "silence_pct": 12.25,
            "energy_std": 0.0312,
            "dynamic_range_db": 31.7,
            "zero_crossing_rate": 0.0871,
            "spectral_centroid_hz": 1673.2,
            "spectral_rolloff_hz": 3411.9,
        }
        heard = [[word, round(0.25 * place, 4), round(0.25 * place + 0.2, 4), 0.912345] for place, word in enumerate(WORDS)]
        fast = {"fast_engine": "pocketsphinx", "fast_text": " ".join(WORDS), "fast_words": heard, "fast_confidence": 0.912345, "fast_confidence_method": "posterior"}
        judge = {"dnsmos_sig": 3.51, "dnsmos_bak": 4.02, "dnsmos_ovrl": 3.22 + number / 1e6, "dnsmos_p808": 3.6}
        for stage, values in zip(STAGES, (signal, fast, judge), strict=True):
            records.append(StageRecord(key, clip, stage, StageResult(f"{stage}-0123456789abcdef", values, 0.25)))
    return records


def bare_rows(postgres: bool, records: Sequence[StageRecord]) -> tuple[str, list[tuple]]:
    """The store's own statement for these stages, and the rows for it, finished."""
    [(stages, rows)] = batch_of(records).rows.items()
    columns = row_columns(stages)
    prepared = Statements("postgresql" if postgres else "sqlite").upsert(audio_quality, columns, keep=KEPT)
    return prepared.sql, in_order(prepared, columns, list(rows.values()))


def bare_sqlite(place: str) -> Callable[[str, Sequence[tuple]], None]:
    connection = sqlite3.connect(place)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")

    def write(sql: str, rows: Sequence[tuple]) -> None:
        with connection:
            connection.executemany(sql, rows)

    return write


def bare_postgres(place: str) -> Callable[[str, Sequence[tuple]], None]:
    import psycopg

    connection = psycopg.connect(place)

    def write(sql: str, rows: Sequence[tuple]) -> None:
        with connection.transaction(), connection.cursor() as cursor:
            cursor.executemany(sql, rows)

    return write


def compare(make_place: Callable[[], str], *, clips: int, batch: int, rounds: int) -> dict[str, float]:
    """Rows per second of the store and of the bare driver."""
    ours_place, bare_place = make_place(), make_place()
    postgres = bare_place.startswith("postgresql")
    Store.open(bare_place).close()
    write = (bare_postgres if postgres else bare_sqlite)(bare_place)
    bare_rate, dumps_rate, our_rate, read_rate, member_rate = [], [], [], [], []
    with Store.open(ours_place) as store:
        for number in range(rounds):
            bare_sec = dumps_sec = our_sec = 0.0
            for first in range(0, clips, batch):
                # Every second round writes the rows of the one before again. Batch by batch, as a scan has them: neither side carries the other's load.
                records = records_of(range(first, first + batch), f"r{number // 2}")
                sql, rows = bare_rows(postgres, records)
                plain = [tuple(json.loads(value) if isinstance(value, str) and value.startswith("[") else value for value in row) for row in rows]
                started = time.perf_counter()
                rows = [tuple(json.dumps(value, ensure_ascii=False) if isinstance(value, list) else value for value in row) for row in plain]
                dumps_sec += time.perf_counter() - started
                started = time.perf_counter()
                write(sql, rows)
                between = time.perf_counter()
                store.write(records)
                bare_sec, our_sec = bare_sec + between - started, our_sec + time.perf_counter() - between
            bare_rate.append(clips / bare_sec)
            dumps_rate.append(clips / (bare_sec + dumps_sec))
            our_rate.append(clips / our_sec)
        members = [Member(place, record.key, record.clip) for place, record in enumerate(records_of(range(clips), "r0")[:: len(STAGES)])]
        store.write([], scan_id="bench", members=members)
        keys = [member.key for member in members]
        for _ in range(rounds):
            started = time.perf_counter()
            for start in range(0, clips, 500):
                store.read(keys[start : start + 500], stages=("signal",))
            read_rate.append(clips / (time.perf_counter() - started))
            started = time.perf_counter()
            for _members in store.members("bench"):
                pass
            member_rate.append(clips / (time.perf_counter() - started))
    return {
        "ratio": round(statistics.median(ours / bare for ours, bare in zip(our_rate, bare_rate, strict=True)), 3),
        "ratio_from_values": round(statistics.median(ours / bare for ours, bare in zip(our_rate, dumps_rate, strict=True)), 3),
        "rows_per_sec": round(statistics.median(our_rate)),
        "bare_rows_per_sec": round(statistics.median(bare_rate)),
        "read_rows_per_sec": round(statistics.median(read_rate)),
        "members_per_sec": round(statistics.median(member_rate)),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=int, default=4000)
    parser.add_argument("--batch", type=int, default=500, help="clips in a transaction")
    parser.add_argument("--rounds", type=int, default=6)
    options = parser.parse_args()
    sizes = {"clips": options.clips, "batch": options.batch, "rounds": options.rounds}
    figures: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        places = (str(Path(folder, f"{number}.sqlite")) for number in range(2))
        figures |= {f"sqlite_{name}": value for name, value in compare(lambda: next(places), **sizes).items()}
    print(f"SQLite: {figures['sqlite_rows_per_sec']:,} rows/s, bare driver {figures['sqlite_bare_rows_per_sec']:,}")
    try:
        server = PostgresServer()
    except PostgresMissing as error:
        print(error)
        raise SystemExit(1) from error
    try:
        server.start()
        figures |= {f"postgres_{name}": value for name, value in compare(server.create_database, **sizes).items()}
    finally:
        server.stop()
    print(f"PostgreSQL: {figures['postgres_rows_per_sec']:,} rows/s, bare driver {figures['postgres_bare_rows_per_sec']:,}")
    print(json.dumps(figures | sizes))


if __name__ == "__main__":
    main()
