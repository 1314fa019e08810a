"""A test's plan: its sounds with their key, and the trials of every listener, the same ones whenever they are asked for."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path

from pydantic import Field

from workbench.config import Config
from workbench.errors import ConfigError, ListeningError
from workbench.listening.base import NO_PREFERENCE, Check, Item, Trial, TrialKind
from workbench.listening.design import Heard, mos_design, pair_design, pairs_of
from workbench.whole_files import write_whole

SCHEMA = 1
#: Raised when the same plan would give other trials, so that old ratings are never read as answers to new questions.
DESIGN_VERSION = 1
PLAN_FILE = "plan.json"


class PlanRules(Config):
    """What a test asks.

    Attributes:
        mos_trials, ab_trials, abx_trials: of each kind per listener, attention checks not counted.
        checks_every: one attention check for so many trials of a kind, at least one; 0 leaves them out.
        no_preference: whether AB trials offer that neither is better.
        baseline: a system; pairs are then those with it alone. Empty: all pairs.
        loudness_lufs: every sound at this loudness; None plays clips as they are.
    """

    mos_trials: int = Field(20, ge=0, le=2000)
    ab_trials: int = Field(10, ge=0, le=2000)
    abx_trials: int = Field(0, ge=0, le=2000)
    checks_every: int = Field(10, ge=0)
    no_preference: bool = True
    baseline: str = ""
    loudness_lufs: float | None = Field(None, ge=-60, le=0)
    seed: int = 1


@dataclass(frozen=True)
class Plan:
    """Rules and sounds. ``items`` hold the key; nothing that a listener sees may show it."""

    rules: PlanRules
    items: tuple[Item, ...]
    sample_rate_hz: int

    @cached_property
    def plan_id(self) -> str:
        """Twelve hex digits that name everything the trials depend on."""
        told = {"schema": SCHEMA, "design": DESIGN_VERSION, "rate": self.sample_rate_hz, "rules": self.rules.model_dump(), "items": [asdict(item) for item in self.items]}
        return hashlib.sha256(json.dumps(told, sort_keys=True).encode("utf-8", "surrogatepass")).hexdigest()[:12]

    @cached_property
    def item(self) -> dict[str, Item]:
        return {item.item_id: item for item in self.items}

    @cached_property
    def systems(self) -> tuple[str, ...]:
        return tuple(sorted({item.system for item in self.items if not item.check}))

    @cached_property
    def texts(self) -> tuple[str, ...]:
        """In the order in which designs take them: shuffled once, by the seed."""
        found = sorted({item.text for item in self.items if not item.check})
        random.Random(f"texts/{self.rules.seed}").shuffle(found)
        return tuple(found)

    @cached_property
    def pairs(self) -> tuple[tuple[str, str], ...]:
        """The pairs of systems that are compared."""
        return tuple((self.systems[one], self.systems[other]) for one, other in self._pairs)

    def trials(self, slot: int) -> tuple[Trial, ...]:
        """Everything the listener in ``slot`` (0, 1, 2 ...) is asked, in order."""
        if slot not in self._trials:
            self._trials[slot] = self._made(slot)
        return self._trials[slot]

    @cached_property
    def _trials(self) -> dict[int, tuple[Trial, ...]]:
        return {}

    @cached_property
    def _pairs(self) -> list[tuple[int, int]]:
        baseline = self.rules.baseline
        return pairs_of(len(self.systems), baseline=self.systems.index(baseline) if baseline else None)

    @cached_property
    def _place(self) -> dict[tuple[str, str], str]:
        return {(item.text, item.system): item.item_id for item in self.items if not item.check}

    def _made(self, slot: int) -> tuple[Trial, ...]:
        rules, texts = self.rules, len(self.texts)
        of_kind = {TrialKind.MOS: mos_design(texts=texts, systems=len(self.systems), trials=rules.mos_trials, slot=slot, seed=rules.seed)}
        for kind, trials in ((TrialKind.AB, rules.ab_trials), (TrialKind.ABX, rules.abx_trials)):
            with_x = kind is TrialKind.ABX
            of_kind[kind] = pair_design(texts=texts, pairs=self._pairs, trials=trials, slot=slot, seed=rules.seed, with_x=with_x) if trials else []
        trials: list[Trial] = []
        for kind, heard in of_kind.items():
            asked = self._with_checks(kind, [self._question(kind, one) for one in heard], slot)
            trials += [self._trial(len(trials) + number, slot, kind, *question) for number, question in enumerate(asked, start=1)]
        return tuple(trials)

    def _question(self, kind: TrialKind, heard: Heard) -> tuple[tuple[str, ...], str, tuple[str, ...]]:
        """Items, check, accepted answers."""
        items = tuple(self._place[self.texts[heard.text], self.systems[system]] for system in heard.systems)
        right = (("A", "B")[heard.systems.index(heard.systems[2])],) if kind is TrialKind.ABX else ()
        return items, "", right

    def _with_checks(self, kind: TrialKind, asked: list, slot: int) -> list:
        """One check in every stretch of ``checks_every`` trials, somewhere in it but never as the test's first."""
        kinds = self._checks_of(kind)
        if not (self.rules.checks_every and asked and kinds):
            return asked
        rng = random.Random(f"checks/{kind}/{self.rules.seed}/{slot}")
        count, out = max(1, round(len(asked) / self.rules.checks_every)), []
        for number in range(count):
            start, end = number * len(asked) // count, (number + 1) * len(asked) // count
            place = rng.randint(start + (number == 0), end)
            out += [*asked[start:place], self._check(kind, kinds[(number + slot) % len(kinds)], rng), *asked[place:end]]
        return out

    def _checks_of(self, kind: TrialKind) -> list[Check]:
        present = {item.check for item in self.items}
        found = [Check.DEGRADED] if Check.DEGRADED in present else []
        if kind is TrialKind.MOS and Check.INSTRUCTED in present:
            found.append(Check.INSTRUCTED)
        return [*found, Check.IDENTICAL] if kind is TrialKind.AB and self.rules.no_preference else found

    def _check(self, kind: TrialKind, check: Check, rng: random.Random) -> tuple[tuple[str, ...], str, tuple[str, ...]]:
        if check is Check.IDENTICAL:
            item = rng.choice([item.item_id for item in self.items if not item.check])
            return (item, item), check.value, (NO_PREFERENCE,)
        made = rng.choice([item for item in self.items if item.check == check])
        if kind is TrialKind.MOS:
            return (made.item_id,), check.value, made.accepted
        clean = next(item.item_id for item in self.items if not item.check and (item.clip_id, item.text) == (made.clip_id, made.text))
        items = [clean, made.item_id]
        rng.shuffle(items)
        if kind is TrialKind.AB:
            return tuple(items), check.value, (("A", "B")[items.index(clean)],)
        x = rng.randrange(2)
        return (*items, items[x]), check.value, (("A", "B")[x],)

    def _trial(self, position: int, slot: int, kind: TrialKind, items: tuple[str, ...], check: str, accepted: tuple[str, ...]) -> Trial:
        told = f"{self.plan_id}/{slot}/{position}/{kind}/{','.join(items)}/{check}/{','.join(accepted)}"
        return Trial(position, kind, items, hashlib.sha256(told.encode()).hexdigest()[:10], check, accepted)


def make_plan(rules: PlanRules, items: Sequence[Item], *, sample_rate_hz: int) -> Plan:
    """A plan that can be asked.

    Raises:
        ConfigError: the rules ask nothing, pairs of one system, or a baseline that is not among the systems.
    """
    plan = Plan(rules, tuple(sorted(items, key=lambda item: item.item_id)), sample_rate_hz)
    if not (rules.mos_trials or rules.ab_trials or rules.abx_trials):
        raise ConfigError("the test asks nothing", where="mos_trials, ab_trials, abx_trials", got="0 of each", expected="at least one kind of trial")
    if (rules.ab_trials or rules.abx_trials) and len(plan.systems) < 2:
        raise ConfigError("pairs need two systems", where="ab_trials, abx_trials", got=f"one system, {', '.join(plan.systems)}", mend="set both to 0, or add a system")
    if rules.baseline and rules.baseline not in plan.systems:
        raise ConfigError("the baseline is no system of the test", where="baseline", got=rules.baseline, expected=f"one of {', '.join(plan.systems)}")
    return plan


def save_plan(plan: Plan, folder: Path) -> None:
    """Write ``plan.json``, whole or not at all."""
    told = {"schema": SCHEMA, "design": DESIGN_VERSION, "plan": plan.plan_id, "sample_rate_hz": plan.sample_rate_hz, "rules": plan.rules.model_dump(),
            "systems": plan.systems, "items": [asdict(item) for item in plan.items]}  # fmt: skip
    write_whole(folder / PLAN_FILE, json.dumps(told, indent=1) + "\n")


def load_plan(folder: str | Path) -> Plan:
    """The plan of a test's folder.

    Raises:
        ListeningError: there is none, it is damaged or was changed by hand, or another version of the workbench made it.
    """
    path = Path(folder) / PLAN_FILE
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        version = (told["schema"], told["design"])
        items = tuple(Item(**{**item, "accepted": tuple(item["accepted"])}) for item in told["items"])
        plan = Plan(PlanRules.of(told["rules"], where=path), items, told["sample_rate_hz"])
    except FileNotFoundError:
        raise ListeningError("no listening test lies here", where=path, mend="name clips to make one from, or another folder") from None
    except (OSError, ValueError, TypeError, KeyError, ConfigError) as error:
        what = f"the plan cannot be read: {type(error).__name__}: {error}"
        raise ListeningError(what, where=path, mend="take the plan from a backup; ratings need the one they were given for") from None
    if version != (SCHEMA, DESIGN_VERSION):
        mend = "report with that version of the workbench"
        raise ListeningError("the plan was made by another version", where=path, got=version, expected=(SCHEMA, DESIGN_VERSION), mend=mend)
    if plan.plan_id != told["plan"]:
        raise ListeningError("the plan was changed after it was made", where=path, got=plan.plan_id, expected=told["plan"], mend="take the plan from a backup")
    return plan
