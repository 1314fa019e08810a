"""From a judge's score to the opinion people would have: a monotone map fitted to a listening test, checked on texts that it was not fitted to."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import Field

from workbench.config import Config
from workbench.errors import ListeningError
from workbench.whole_files import write_whole

SCHEMA = 1
SCALE = (1.0, 5.0)
#: Groups of equal size, by predicted opinion, in which predictions are held against opinions.
BINS = 5


class CalibrationRules(Config):
    """What a fit needs: rated clips that the judge scored, their texts, ratings for a clip on average, and folds of the check."""

    least_clips: int = Field(30, ge=5)
    least_texts: int = Field(10, ge=2)
    least_ratings_per_clip: float = Field(3.0, ge=1)
    folds: int = Field(5, ge=2, le=50)


@dataclass(frozen=True, slots=True)
class Rated:
    """A clip with a judge's score and its listeners' mean opinion."""

    text: str
    score: float
    opinion: float
    ratings: int


@dataclass(frozen=True, slots=True)
class Bin:
    """Clips of similar predicted opinion: what was predicted, what was said, and how many."""

    predicted: float
    said: float
    clips: int


@dataclass(frozen=True, slots=True)
class Calibration:
    """A fitted map. Between its knots it is straight, outside it stays level.

    Attributes:
        column: the judge's score, a column of the results.
        kind: ``linear`` or ``isotonic``.
        scores, opinions: the knots, both increasing.
        rmse_before: of the bare score taken as the opinion; ``rmse_after`` of the map, each clip predicted by a map that never saw its text; ``rmse_constant`` of
            saying the mean opinion for every clip, in the same way. ``bias_*`` are mean predicted minus said.
        reliability_before, reliability_after: the same predictions in bins.
    """

    column: str
    kind: str
    scores: tuple[float, ...]
    opinions: tuple[float, ...]
    clips: int
    texts: int
    ratings: int
    rmse_before: float
    rmse_after: float
    rmse_constant: float
    bias_before: float
    bias_after: float
    reliability_before: tuple[Bin, ...]
    reliability_after: tuple[Bin, ...]

    def opinion(self, score: float) -> float:
        """The mean opinion, 1 to 5, that listeners of the test would have of a clip with this score."""
        return float(np.interp(score, self.scores, self.opinions))

    def covers(self, score: float) -> bool:
        """Whether clips with such a score were rated; beyond them the map only repeats its end."""
        return self.scores[0] <= score <= self.scores[-1]


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a judge got no map."""

    column: str
    why: str


def calibrate(column: str, rated: Sequence[Rated], rules: CalibrationRules, *, seed: int) -> Calibration | Refusal:
    """Fit both kinds of map and keep the one that predicts texts better that it was not fitted to.

    Clips weigh by their ratings. The isotonic map is kept only where it is better than the line by more than one standard error over texts. A judge gets no map
    where the data are few, where it ranks the wrong way round, or where the map is not in the same way better than the mean opinion.
    """
    texts = {one.text for one in rated}
    ratings = sum(one.ratings for one in rated)
    each = ratings / max(1, len(rated))
    needs = ((len(rated), rules.least_clips, "rated clips with a score"), (len(texts), rules.least_texts, "texts"), (each, rules.least_ratings_per_clip, "ratings per clip"))
    for got, least, what in needs:
        if got < least:
            return Refusal(column, f"{got:.3g} {what}, at least {least:g} are needed")
    x, y, weight = (np.array([getattr(one, name) for one in rated], dtype=float) for name in ("score", "opinion", "ratings"))
    if np.ptp(x) == 0 or np.ptp(y) == 0:
        return Refusal(column, f"the {'score' if np.ptp(x) == 0 else 'opinion'} is the same for every clip")
    if np.cov(x, y, aweights=weight)[0, 1] <= 0:
        return Refusal(column, "the judge ranks the wrong way round: the higher its score, the lower the opinion")
    groups = np.array([one.text for one in rated])
    predicted = {kind: _held_out(kind, x, y, weight, groups, rules.folds, seed) for kind in ("constant", "linear", "isotonic")}
    kind = "isotonic" if _clearly_better(predicted["isotonic"], predicted["linear"], y, weight, groups) else "linear"
    rmse = {name: _rmse(found, y, weight) for name, found in predicted.items()}
    if not _clearly_better(predicted[kind], predicted["constant"], y, weight, groups):
        errors = f"error {rmse[kind]:.2f} against {rmse['constant']:.2f}"
        return Refusal(column, f"on texts not fitted it is not clearly better than saying the mean opinion every time ({errors})")
    scores, opinions = _knots(kind, x, y, weight)
    return Calibration(
        column, kind, scores, opinions, len(rated), len(texts), ratings,
        _rmse(x, y, weight), rmse[kind], rmse["constant"], float(np.average(x - y, weights=weight)), float(np.average(predicted[kind] - y, weights=weight)),
        _bins(x, y, weight), _bins(predicted[kind], y, weight),
    )  # fmt: skip


def _knots(kind: str, x: np.ndarray, y: np.ndarray, weight: np.ndarray) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """The map as points; a line leaves the scale at points of its own."""
    if kind == "isotonic":
        from sklearn.isotonic import IsotonicRegression

        fitted = IsotonicRegression(y_min=SCALE[0], y_max=SCALE[1], out_of_bounds="clip").fit(x, y, sample_weight=weight)
        return tuple(map(float, fitted.X_thresholds_)), tuple(map(float, fitted.y_thresholds_))
    from sklearn.linear_model import LinearRegression

    line = LinearRegression().fit(x[:, None], y, sample_weight=weight)
    slope, base = float(line.coef_[0]), float(line.intercept_)
    low, high = float(x.min()), float(x.max())
    bends = sorted((end - base) / slope for end in SCALE) if slope else []
    scores = (low, *(bend for bend in bends if low < bend < high), high)
    return scores, tuple(min(SCALE[1], max(SCALE[0], base + slope * score)) for score in scores)


def _held_out(kind: str, x: np.ndarray, y: np.ndarray, weight: np.ndarray, texts: np.ndarray, folds: int, seed: int) -> np.ndarray:
    """Each clip predicted by a map fitted without any clip of its text."""
    from sklearn.model_selection import GroupKFold

    predicted = np.empty(len(x))
    for fitted, held in GroupKFold(min(folds, len(set(texts))), shuffle=True, random_state=seed).split(x, groups=texts):
        if kind == "constant" or np.ptp(x[fitted]) == 0:
            predicted[held] = np.average(y[fitted], weights=weight[fitted])
        else:
            predicted[held] = np.interp(x[held], *_knots(kind, x[fitted], y[fitted], weight[fitted]))
    return predicted


def _clearly_better(one: np.ndarray, other: np.ndarray, y: np.ndarray, weight: np.ndarray, texts: np.ndarray) -> bool:
    gains = weight * ((other - y) ** 2 - (one - y) ** 2)
    by_text = np.array([gains[texts == text].sum() for text in sorted(set(texts))])
    return bool(by_text.mean() > by_text.std(ddof=1) / math.sqrt(len(by_text)))


def _rmse(predicted: np.ndarray, y: np.ndarray, weight: np.ndarray) -> float:
    return float(np.sqrt(np.average((predicted - y) ** 2, weights=weight)))


def _bins(predicted: np.ndarray, y: np.ndarray, weight: np.ndarray) -> tuple[Bin, ...]:
    order = np.argsort(predicted, kind="stable")
    parts = [part for part in np.array_split(order, BINS) if len(part)]
    return tuple(Bin(float(np.average(predicted[p], weights=weight[p])), float(np.average(y[p], weights=weight[p])), len(p)) for p in parts)


def save_calibrations(path: str | Path, calibrations: Iterable[Calibration], *, provenance: Mapping[str, Any], simulated: bool) -> None:
    """Write maps with where they come from, whole or not at all. ``simulated`` maps are marked, and ``load_calibrations`` refuses them."""
    told = {"schema": SCHEMA, "simulated": simulated, "provenance": dict(provenance), "calibrations": [asdict(one) for one in calibrations]}
    write_whole(Path(path), json.dumps(told, indent=1, sort_keys=True, allow_nan=False) + "\n")


def load_calibrations(path: str | Path, *, allow_simulated: bool = False) -> dict[str, Calibration]:
    """Maps by the judge's column.

    Raises:
        ListeningError: no such file, not one of these, or fitted to simulated listeners.
    """
    path = Path(path)
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        if told["schema"] != SCHEMA:
            raise ListeningError("calibrations of another version", where=path, got=told["schema"], expected=SCHEMA)
        found = [_calibration(one) for one in told["calibrations"]]
        simulated = bool(told["simulated"])
    except (OSError, ValueError, TypeError, KeyError) as error:
        what = f"calibrations cannot be read: {type(error).__name__}: {error}"
        raise ListeningError(what, where=path, expected="a calibration.json of a listening test's run") from None
    if simulated and not allow_simulated:
        raise ListeningError("these maps were fitted to simulated listeners and are no evidence", where=path, mend="collect ratings, and fit to them")
    return {one.column: one for one in found}


def _calibration(told: dict[str, Any]) -> Calibration:
    bins = {name: tuple(Bin(**one) for one in told[name]) for name in ("reliability_before", "reliability_after")}
    found = Calibration(**{**told, "scores": tuple(told["scores"]), "opinions": tuple(told["opinions"]), **bins})
    if len(found.scores) != len(found.opinions) or len(found.scores) < 2 or not all(map(math.isfinite, (*found.scores, *found.opinions))):
        raise ValueError(f"the map of {found.column} has no proper knots")
    return found
