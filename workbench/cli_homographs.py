"""``workbench homographs ...``: the model of readings and what it says of a text; controls with known truth, calibration, verdicts of a list of trials."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

homographs_app = typer.Typer(no_args_is_help=True, help="Homographs: which reading a sentence asks for, and which one a voice spoke.")

Listener = Annotated[str, typer.Option(help="pocketsphinx, or a phone recogniser: wav2vec2-phoneme")]
Workers = Annotated[int, typer.Option(help="processes")]
Device = Annotated[str, typer.Option(help="cpu or cuda")]
TrialList = Annotated[Path, typer.Argument(metavar="TRIALS.tsv", help="columns audio, expected, sentence, start_byte, end_byte; spoken, voice, engine where known")]


@homographs_app.command()
def train(
    data: Annotated[Path, typer.Argument(help="labelled sentences in the Wikipedia Homograph Data's format: a .tsv file, or a folder with train.tsv")],
    out: Annotated[Path, typer.Option(help="file to write")],
    source: Annotated[str, typer.Option(help="name and licence of the data, for the provenance")] = "",
    encoder: Annotated[Path | None, typer.Option(help="folder of a Hugging Face encoder, used frozen; without one the small linear model is trained")] = None,
    device: Annotated[str, typer.Option(help="of the encoder: cpu or cuda")] = "cpu",
) -> None:
    """Train the model that tells which reading a sentence asks for; the last line is its file."""
    from workbench.homographs.train_model import train_to_file

    for line in train_to_file(data, out, source=source, encoder=encoder, device=device, say=lambda line: typer.echo(line, err=True)):
        typer.echo(line, err=True)
    typer.echo(str(out))


@homographs_app.command()
def expected(
    text: Annotated[str | None, typer.Argument(help="text; without one it is read from --file or standard input")] = None,
    file: Annotated[Path | None, typer.Option("--file", help="text file, UTF-8")] = None,
    model: Annotated[Path | None, typer.Option(help="trained model; by default the one that ships")] = None,
    threshold: Annotated[float, typer.Option(min=0, max=1, help="a reading less likely than this is not chosen")] = 0.65,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object a line")] = False,
    device: Annotated[str, typer.Option(help="of an encoder: cpu or cuda")] = "cpu",
) -> None:
    """Show every homograph of a text: where, the reading that is asked for, how sure, how it sounds."""
    from workbench.homographs.telling import lines_of, text_from

    for line in lines_of(text_from(text, file), model=model, threshold=threshold, as_json=as_json, device=device):
        typer.echo(line)


@homographs_app.command()
def controls(
    folder: Annotated[Path, typer.Argument(help="where audio, trials.tsv and controls.json go")],
    voices: Annotated[str, typer.Option(help="engine/voice, comma-separated; of engines that take phonemes")] = "flite/slt,flite/rms,espeak/en-us,espeak/en-gb",
    words: Annotated[str, typer.Option(help="homographs, comma-separated; by default all")] = "",
    data: Annotated[Path | None, typer.Option(help="sentences in the Wikipedia Homograph Data's format; by default the lexicon's own")] = None,
    sentences: Annotated[int, typer.Option(help="of every reading, per voice and speed")] = 1,
    per_voice: Annotated[int, typer.Option(help="sentences per voice and speed at most, 0 for all")] = 0,
    speeds: Annotated[str, typer.Option(help="factors, comma-separated; several make a drift test")] = "1.0",
    british: Annotated[str, typer.Option(help="voices that say British pronunciations, comma-separated; by default those with gb in their name")] = "",
    verifier: Annotated[str | None, typer.Option(help="phone recogniser that checks engines which tell no transcription")] = None,
    seed: int = 1,
    workers: Workers = 2,
    device: Device = "cpu",
) -> None:
    """Make negative controls: every sentence said as it asks and as it does not; the last line is the list of trials."""
    from workbench.scan.homograph_commands import controls_in

    speakers = _parts(voices)
    try:
        factors = [float(speed) for speed in _parts(speeds)]
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--speeds") from None
    controls_in(
        folder, voices=speakers, words=_parts(words), data=data, sentences=sentences, per_voice=per_voice or None,
        speeds=factors, british=_parts(british) or [voice for voice in speakers if "gb" in voice],
        verifier=verifier, seed=seed, workers=workers, device=device,
    )  # fmt: skip
    typer.echo(str(folder / "trials.tsv"))


@homographs_app.command()
def score(
    trials: TrialList,
    out: Annotated[Path | None, typer.Option(help="file of verdicts; by default TRIALS.verdicts.tsv")] = None,
    listener: Listener = "pocketsphinx",
    calibration: Annotated[Path | None, typer.Option(help="by default the one that ships")] = None,
    rule: Annotated[str, typer.Option(help="calibrated, or reference: distances to a free decode, no allowlist")] = "calibrated",
    every_word: Annotated[bool, typer.Option("--every-word", help="decide words that the calibration does not vouch for, too")] = False,
    workers: Workers = 2,
    device: Device = "cpu",
) -> None:
    """Judge a list of trials; where it tells what was said, say how well. The last line is the file of verdicts."""
    from workbench.scan.homograph_commands import score_list

    path = out or trials.parent / f"{trials.stem}.verdicts.tsv"
    for line in score_list(trials, path, listener=listener, calibration=calibration, rule=rule, every_word=every_word, workers=workers, device=device):
        typer.echo(line)
    typer.echo(str(path))


@homographs_app.command()
def calibrate(
    trials: TrialList,
    out: Annotated[Path, typer.Option(help="the calibration, a small JSON file")] = Path("calibration.json"),
    listener: Listener = "pocketsphinx",
    false_alarms: Annotated[float, typer.Option(help="share of right trials that may be flagged")] = 0.02,
    workers: Workers = 2,
    device: Device = "cpu",
) -> None:
    """Learn weights, bounds and the lists of words from trials whose truth is known; the last line is the calibration."""
    from workbench.scan.homograph_commands import calibrate_from

    for line in calibrate_from(trials, out, listener=listener, false_alarms=false_alarms, workers=workers, device=device):
        typer.echo(line)
    typer.echo(str(out))


def _parts(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]
