"""A small real report: clips spoken by whatever speaks here, verdicts of every kind, texts that try to break the page."""

from __future__ import annotations

import io
import math
import shutil
import subprocess
import wave
from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from workbench.clips import Clip
from workbench.errors import Failure
from workbench.report import figures, html, players
from workbench.report.figures_cascade import spread
from workbench.scan.results import ClipResult
from workbench.stats import Estimate
from workbench.stt.base import Word
from workbench.text.tokens import Token
from workbench.verdicts.base import ClipVerdicts, EditCounts, Insertion, Verdict, WordVerdict

HOSTILE = '</script><script>window.broken=1</script><img src=x onerror="window.broken=2"> & \'quoted\' "twice"'
PLAIN = "The quick brown fox jumps over the lazy dog near the river bank."
HARD = "She paid $3.50 for the book shelves, labelled by colour, and wound the clock at the centre of Dr. Hale's hall."

#: (index, verdict, fast heard, precision heard, phone distance) by word of HARD.
MISHEARD = {
    2: (Verdict.STT_ERROR, "free", "three", 0.2),
    9: (Verdict.COMPOUND, "bookshelves", "bookshelves", 0.0),
    10: (Verdict.COMPOUND, "bookshelves", "bookshelves", 0.0),
    11: (Verdict.SPELLING_VARIANT, "labeled", "labeled", 0.0),
    13: (Verdict.PRECISION_ERROR, "colour", "collar", 0.31),
    15: (Verdict.TTS_FAILURE, "bound", "bound", 0.25),
    17: (Verdict.AMBIGUOUS, "", "", None),
    22: (Verdict.ABBREVIATION, "doctor", "doctor", 0.0),
    23: (Verdict.TTS_FAILURE, "whales", "whales", 0.4),
    24: (Verdict.HOMOPHONE, "haul", "haul", 0.0),
}


def speech(text: str, folder: Path) -> bytes:
    """The text as WAV bytes, by flite, else espeak-ng, else as a tone of the same length."""
    target = folder / "speech.wav"
    for command in (["flite", "-t", text, "-o", str(target)], ["espeak-ng", "-w", str(target), text]):
        if shutil.which(command[0]):
            subprocess.run(command, check=True, capture_output=True, timeout=60)
            return target.read_bytes()
    out, rate = io.BytesIO(), 16_000
    with wave.open(out, "wb") as sound:
        sound.setparams((1, 2, rate, 0, "NONE", ""))
        count = int(rate * max(1.0, len(text) / 15))
        sound.writeframes(b"".join(int(8000 * math.sin(0.08 * i)).to_bytes(2, "little", signed=True) for i in range(count)))
    return out.getvalue()


def length_sec(wav: bytes) -> float:
    with wave.open(io.BytesIO(wav)) as sound:
        return sound.getnframes() / sound.getframerate()


def tokens_of(text: str) -> tuple[Token, ...]:
    """Words by their place in the text; the price is spoken as five words that share one place."""
    found, cursor = [], 0
    for written in text.split():
        start = text.index(written, cursor)
        cursor = start + len(written)
        core = written.strip(".,")
        start += written.index(core)
        spoken = ("three", "dollars", "and", "fifty", "cents") if core == "$3.50" else (core.casefold(),)
        found += [Token(word, start, start + len(core), core) for word in spoken]
    return tuple(found)


def result(
    clip_id: str, text: str, wav: bytes, *, voice: str = "slt", misheard: dict | None = None, insertions: tuple = (), **extra
) -> ClipResult:
    """One clip with verdicts as told; word times spread over the audio by length of the word."""
    tokens, duration = tokens_of(text), length_sec(wav)
    letters = [len(t.text) + 1 for t in tokens]
    edges = [duration * sum(letters[:i]) / sum(letters) for i in range(len(tokens) + 1)]
    words = []
    for index, token in enumerate(tokens):
        verdict, fast, precision, distance = (misheard or {}).get(index, (Verdict.PASS, token.text, token.text, None))
        start, end = edges[index], edges[index + 1] - 0.01
        heard = [tuple(Word(w, start, end, 0.9) for w in said.split()) for said in (fast, precision)]
        words.append(
            WordVerdict(
                index, token.text, verdict, heard[0], heard[1], distance, start, end, 0.41 if misheard and index in misheard else 0.97
            )
        )
    wrong = sum(w.verdict is not Verdict.PASS for w in words)
    verdicts = ClipVerdicts(
        tuple(words),
        insertions,
        extra.pop("flags", ()),
        EditCounts(len(words) - wrong, wrong, 0, len(insertions)),
        EditCounts(len(words), 0, 0, 0),
        0.953,
    )
    given = {"scores": {"dnsmos_ovrl": 3.12}, "failures": (), "notes": (), "stage_sec": {}} | extra
    return ClipResult(Clip(clip_id, clip_id, text, "sample", voice), "00", duration, tokens, None, None, verdicts, **given)


def sample_results(folder: Path) -> tuple[list[ClipResult], dict[str, bytes]]:
    """Four clips: all pass; nearly every verdict; hostile names and texts; one that could not be read."""
    sounds = {name: speech(text, folder) for name, text in (("plain", PLAIN), ("hard", HARD), ("hostile", "hello world"))}
    um = Insertion(4, Verdict.FILLER_WORD, (Word("um", 1.2, 1.4, 0.6),), (Word("um", 1.2, 1.4, 0.6),))
    added = tuple(Word(word, 6.0 + k / 10, 6.1 + k / 10, 0.6) for k, word in enumerate("wall and so on until there is no end to what was added".split()))
    tail = Insertion(25, Verdict.TTS_FAILURE, added, added)
    hostile = result(
        f"a b/{HOSTILE}",
        f"hello {HOSTILE} world",
        sounds["hostile"],
        voice="<b>awb</b>",
        misheard={1: (Verdict.AMBIGUOUS, "<i>", "</q>", 0.5)},
        failures=(Failure("judges", "EngineError", f"bad {HOSTILE}"),),
        notes=(f"scored on a copy {HOSTILE}",),
    )
    unread = ClipResult(
        Clip("missing.wav", "missing.wav", "no one hears this", "sample", "rms"),
        "11",
        None,
        (),
        None,
        None,
        None,
        {},
        (Failure("read", "AudioError", "no such file; where: missing.wav"),),
        (),
        {},
    )
    hard = result(
        "hard-01",
        HARD,
        sounds["hard"],
        misheard=MISHEARD,
        insertions=(um, tail),
        flags=("added_tail",),
        notes=("peak above 1, scored on a peak-normalised copy",),
    )
    return [hard, hostile, result("plain-01", PLAIN, sounds["plain"]), unread], {
        "hard-01": sounds["hard"],
        hostile.clip.clip_id: sounds["hostile"],
        "plain-01": sounds["plain"],
    }


def fragments(folder: Path) -> dict[str, html.Fragment]:
    """Every kind of piece that a report shows."""
    results, sounds = sample_results(folder)
    counts = {
        voice: {
            Verdict.PASS: 900 - 40 * i,
            Verdict.TTS_FAILURE: 4 + 9 * i,
            Verdict.AMBIGUOUS: 3 + i,
            Verdict.STT_ERROR: 41,
            Verdict.PRECISION_ERROR: 12,
            Verdict.HOMOPHONE: 6,
            Verdict.COMPOUND: 2 * i,
            Verdict.GT_TYPO: 1,
        }
        for i, voice in enumerate(("slt", "rms", "espeak en-us"))
    }
    estimate = Estimate(0.0312, 0.0211, 0.0467, 40)
    rows = [
        {
            "voice": voice,
            "clips": 40,
            "minutes": 5.21 + i,
            "words": 1204,
            "flagged": estimate,
            "wer": Estimate(0.12 + i / 9, 0.09 + i / 9, 0.15 + i / 9, 40),
            "passed": Estimate(0.931 - i / 50, 0.91 - i / 50, 0.95 - i / 50, 40),
            "fault": 13 + 4 * i,
            "ambiguous": i,
            "dnsmos": Estimate(3.12, 3.01, 3.2, 40),
            "confidence": Estimate(0.95, None, None, 2),
            "failed": 0 if i else None,
        }
        for i, voice in enumerate(("slt", "rms", HOSTILE[:20]))
    ]
    columns = [
        html.Column("voice", "voice"),
        html.Column("clips", "clips", fmt=",d"),
        html.Column("minutes", "audio", "min", ".1f"),
        html.Column("words", "words"),
        html.Column("flagged", "flagged", fmt=".1%", help="words that both recognisers hold against the audio"),
        html.Column("passed", "pass", fmt=".1%"),
        html.Column("fault", "tts_failure"),
        html.Column("ambiguous", "ambiguous"),
        html.Column("wer", "WER, fast engine", fmt=".1%", help="raw, its own mistakes included"),
        html.Column("dnsmos", "DNSMOS", fmt=".2f"),
        html.Column("confidence", "confidence", fmt=".2f"),
        html.Column("failed", "failures"),
    ]
    from workbench.scan.summaries import StageTime

    line = [
        figures.RocPoint(f, r, t)
        for f, r, t in ((0, 0.6, 20), (0.002, 0.8, 9), (0.005, 0.9, 5), (0.008, 0.94, 2), (0.02, 0.96, 0), (0.05, 0.98, -5))
    ]
    kinds = ["replaced_neighbour", "replaced_unrelated", "dropped", "doubled", "swapped", "tail_cut"]
    return {
        "verdict": html.verdict_line(
            "3.1% of 3,612 words in 120 clips are flagged as not said (95% interval 2.1 to 4.7%); least slt 1.2%, most espeak 5.1%. "
            "Planted errors: 94% caught, 0.8% false alarms.",
            tone="mixed",
        ),
        "table": html.table(
            rows, columns, caption="Headline per voice", note="In brackets: 95% intervals.", total=rows[0] | {"voice": "all", "clips": 120}
        ),
        "identity": html.identity(
            {
                "run": "20261123T213600Z-1f2e3d4c",
                "parameters": "1f2e3d4c5b6a7988",
                "dataset": "everyday: 40 texts",
                "clips (hash)": "9a8b7c6d5e4f",
                "engines": ["pocketsphinx (fast)", "pocketsphinx-grammar (precision)", "dnsmos"],
                "operating point": "log ratio +2.50 nats, shipped",
                "code": "workbench 0.1.0, 122908912345",
                "odd": HOSTILE,
                "absent": None,
            }
        ),
        "breakdown": figures.verdict_breakdown(counts, caption="Share of words with each verdict other than pass."),
        "yields": figures.yields(
            [
                figures.YieldRow(v, p, k, 40, k / 40 - 0.1, min(1, k / 40 + 0.1))
                for v in counts
                for p, k in (("strict", 20), ("balanced", 31), ("permissive", 38))
            ]
        ),
        "times": figures.stage_times(
            [
                StageTime(s, s, 120, sec, 930)
                for s, sec in (("pocketsphinx", 170.2), ("pocketsphinx-grammar", 64.5), ("dnsmos", 131.0), ("signal", 0.81))
            ]
        ),
        "recall": figures.recall_by_kind([figures.RecallRow(k, 28 - i, 30, 0.8 - i / 50, 0.99) for i, k in enumerate(kinds)], target=0.93),
        "roc": figures.roc(
            line,
            line[3],
            others=[figures.RocPoint(0.062, 0.97, label="fast alone"), figures.RocPoint(0.012, 0.85, label="precision alone")],
        ),
        "wer": spread(
            {
                "slt": [i % 9 / 60 for i in range(40)],
                "rms": [i % 7 / 40 for i in range(40)],
                "espeak en-us": [0.2 + i / 30 for i in range(40)],
            },
            label="word error rate of a clip (%)",
            bounds={"5%": 0.05},
        ),
        "gallery": players.gallery(
            results,
            audio_of=lambda r: sounds.get(r.clip.clip_id),
            budget_bytes=3_000_000,
            title="Worst clips",
            total=120,
            note="By share of flagged words.",
        ),
    }


def sample_notebook(path: Path, folder: Path) -> Path:
    """An executed notebook that shows every piece, in the shape papermill leaves behind."""
    shown = {
        name: new_output("display_data", data={"text/html": piece._repr_html_(), "text/plain": repr(piece)})
        for name, piece in fragments(folder).items()
    }

    def cell(source, *names, tags=(), outputs=()):
        return new_code_cell(source, execution_count=1, metadata={"tags": list(tags)}, outputs=[*(shown[n] for n in names), *outputs])

    theme = new_output("execute_result", data={"text/html": html.theme()._repr_html_()}, execution_count=1)
    progress = new_output("stream", name="stdout", text=f"\x1b[32m40 of 120 clips\x1b[0m\n{HOSTILE}\n")
    widget = new_output(
        "display_data", data={"application/vnd.jupyter.widget-view+json": {"model_id": "x"}, "text/plain": "IntProgress(value=3)"}
    )
    foreign = new_output(
        "display_data",
        data={
            "text/html": f"<p onclick='window.broken=3'>styled elsewhere</p><script>window.broken=4</script><img src='https://example.org/a.png'>{HOSTILE[:9]}"
        },
    )
    cells = [
        new_markdown_cell("# Sample validation\n\nEach clip is heard by two recognisers and every word gets a verdict with its evidence."),
        cell("voices = ['slt']  # </script> & <b>", tags=["parameters"]),
        cell("from workbench.report.html import theme\ntheme()", outputs=[theme]),
        cell("report = validate(config)", outputs=[progress, widget]),
        cell("display(report.verdict(), report.headline(), report.identity())", "verdict", "table", "identity"),
        new_markdown_cell(
            "## Verdicts\n\nOnly `tts_failure` counts; **ambiguous** wants an ear. <script>window.broken=5</script>\n\n![far](https://example.org/b.png)"
        ),
        cell("report.breakdown()", "breakdown"),
        new_markdown_cell("## Yields"),
        cell("report.yields()", "yields", "wer"),
        new_markdown_cell("## Can the validator be trusted?\n\n| kind | why |\n|---|---|\n| dropped | a word is left out |"),
        cell("report.planted()", "recall", "roc"),
        new_markdown_cell("## Listen"),
        cell("report.worst()", "gallery", outputs=[foreign]),
        new_markdown_cell("## Time"),
        cell("report.times()", "times"),
    ]
    notebook = new_notebook(cells=cells, metadata={"papermill": {"start_time": "2026-11-23T21:36:00+00:00", "duration": 83.2}})
    nbformat.write(notebook, path)
    return path
