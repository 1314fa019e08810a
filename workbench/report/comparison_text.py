"""The sentences of a comparison: rankings in words, and what it rests on and leaves out."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from workbench.scan.compared import Compared
from workbench.scan.comparison_metrics import NULLS, WER, Objective, judge_title
from workbench.scan.counted import Scored
from workbench.scan.model_comparison import ModelComparison
from workbench.scan.null_predictors import MOSTLY, NULL_WORDS
from workbench.scan.summaries import flagged_count
from workbench.stats import Outcome, Rank, fewest_texts

_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")
#: A report with so few prompts says so in its first sentence.
FEW_PROMPTS = 10


def listed(names: Sequence[str]) -> str:
    """Names as a sentence has them: ``a, b and c``."""
    return " and ".join(filter(None, (", ".join(names[:-1]), *names[-1:])))


def some(names: Sequence[str], *, most: int = 5) -> str:
    """The first names and how many more there are."""
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


def counted(number: int, what: str) -> str:
    """``1 prompt``, ``3 prompts``."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def place(rank: Rank, ranks: Sequence[Rank]) -> str:
    """A system's place for a table: ``1st``, ``2nd, tie``."""
    ending = "th" if rank.rank % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(rank.rank % 10, "th")
    tied = sum(other.rank == rank.rank for other in ranks) > 1
    return f"{rank.rank}{ending}{', tie' if tied else ''}"


def ranking(ranks: Sequence[Rank]) -> str:
    """The whole order in words, ties as ties. Systems that share a place are linked by ties: between the first and the last of many there may be a difference."""
    if len(ranks) < 2:
        return ""
    groups = [(number, [rank.system for rank in group]) for number, group in groupby(ranks, key=lambda rank: rank.rank)]
    if len(groups) == 1:
        return f"{listed(groups[0][1])} cannot be {'ranked' if len(ranks) > 2 else 'told apart'}"
    return ", ".join(f"{listed(names)} {'share' if len(names) > 1 else 'is'} {_ordinal(number)}{' place' if len(names) > 1 else ''}" for number, names in groups)


def _ordinal(number: int) -> str:
    return _ORDINALS[number - 1] if number <= len(_ORDINALS) else f"number {number}"


def verdict(found: ModelComparison) -> str:
    """The answer: the order by words said and by naturalness, each with its ties, and who is beaten on everything."""
    compared = found.compared
    n = len(compared.comparison.texts_by_metric.get(WER.name, ()))
    if not compared.systems:
        return "No system could be compared: none has a clip that could be heard."
    if len(compared.systems) == 1:
        return f"One system only, so there is nothing to compare: {compared.systems[0]} on {counted(n, 'prompt')}{_values(compared)}."
    told = [f"{len(compared.systems)} systems on {counted(n, 'prompt')}{', too few to say much' if n < FEW_PROMPTS else ''}."]
    for objective, said in ((Objective.INTELLIGIBILITY, "Words said"), (Objective.NATURALNESS, "Naturalness")):
        if metric := compared.objectives.get(objective):
            if order := ranking(compared.comparison.ranks(metric.name)):
                told.append(f"{said} ({metric.label}): {order}{_settling(compared, metric.name)}{_by_null(compared, metric.name)}.")
    if compared.front and compared.front.off:
        told.append(f"Pareto front of {listed([objective.value for objective in compared.objectives])}, by the estimates: {listed(compared.front.on)}{_unsupported(compared)}.")
    failed = {system: len(compared.counted.failed(system)) for system in compared.systems}
    told += [f"{system} failed on {counted(count, 'clip')}." for system, count in failed.items() if count]
    return " ".join(told)


def supported(compared: Compared, other: str, system: str) -> list[str]:
    """The objectives on which the data, and not the estimates alone, have ``other`` before ``system``."""
    return [o.value for o, m in compared.objectives.items() if (pair := compared.comparison.pair(m.name, other, system)) and pair.better == other]


def _unsupported(compared: Compared) -> str:
    """Who is off the front by the estimates and may be on it all the same."""
    near = [system for system, others in compared.front.off.items() if not any(supported(compared, other, system) for other in others)]
    return f"; the data do not show that {listed(near)} {'is' if len(near) == 1 else 'are'} behind" if near else ""


def _settling(compared: Compared, metric: str) -> str:
    """What it would take to settle the first place, where it is shared."""
    ranks = compared.comparison.ranks(metric)
    if ranks[1].rank != 1:
        return ""
    pair = compared.comparison.pair(metric, ranks[0].system, ranks[1].system)
    if pair is None or pair.texts_needed is None:
        return ""
    if pair.outcome is not Outcome.TIE:
        return ""
    return f"; about {pair.texts_needed:,} prompts would settle it between {listed(sorted((pair.a, pair.b)))}, were the observed difference the true one"


def _by_null(compared: Compared, metric: str) -> str:
    """A warning where length or loudness alone would choose much as the judges do."""
    found = [compared.predictions.found.get((metric, name)) for name in NULLS]
    near = [p for p in found if p and p.agreement.low is not None and p.agreement.low > MOSTLY]
    if not near or metric == compared.objectives[Objective.INTELLIGIBILITY].name:
        return ""
    closest = max(near, key=lambda p: p.agreement.value)
    how = NULL_WORDS[closest.predictor][closest.more_is_better]
    return f"; but {how} clip is its choice in {closest.agreement.value:.0%} of pairs, so it may be a ranking by {NULLS[closest.predictor]}"


def _values(compared: Compared) -> str:
    system, said = compared.systems[0], []
    for metric in compared.objectives.values():
        estimate = compared.comparison.estimates[system, metric.name]
        if estimate.value is not None:
            said.append(f"{metric.label} {estimate.value:.1%}" if metric.percent else f"{metric.label} {estimate.value:.2f}")
    return f", {', '.join(said)}" if said else ""


def basis(found: ModelComparison) -> list[str]:
    """What the comparison rests on and what it leaves out, a sentence each; empty when there is nothing to say."""
    compared = found.compared
    # A system's name is not capitalised.
    told = [f"{line}." for line in (*found.naming, *found.gathered.left_out)]
    told += [compared.baseline_said] if compared.baseline_said else []
    return [*told, *_sources(found), *_prompts(found), *_audio(compared), *_judges(compared), *_weights(found), *_few_prompts(compared)]


def _sources(found: ModelComparison) -> list[str]:
    told = []
    for source in found.gathered.sources:
        name = source.system.name
        if source.unmatched:
            told.append(f"{counted(source.unmatched, 'clip')} of {name} {'says' if source.unmatched == 1 else 'say'} none of the prompts, for instance {', '.join(source.examples)}: left out.")
        if source.other_text:
            told.append(f"{counted(source.other_text, 'clip')} of {name} came with another text than their prompt's; they are held against the prompt.")
    return told


def _prompts(found: ModelComparison) -> list[str]:
    compared = found.compared
    told = [
        f"{system} has {counted(count, 'usable prompt')} of {len(found.prompts)}: too few, it is set aside, as all others would be compared on those alone."
        for system, count in compared.counted.set_aside.items()
    ]
    told += [f"{system} has no clip that could be heard and is not compared." for system in compared.counted.all_failed]
    told += [_failed(compared.counted.failed(system), compared.counted.of(system)) for system in compared.systems if compared.counted.failed(system)]
    metric = compared.objectives.get(Objective.INTELLIGIBILITY)
    if metric is None or len(compared.systems) < 2:
        return told
    lacking = {system: texts for (system, name), texts in compared.comparison.left_out.lacking.items() if name == metric.name}
    told += [f"{system} lacks {counted(len(texts), 'prompt')} that another system has: {some(texts)}." for system, texts in lacking.items()]
    if lacking:
        common = len(compared.comparison.texts_by_metric[metric.name])
        told.append(f"All systems are compared on the {common} of {len(found.prompts)} prompts that every one of them has.")
    return told


def _failed(failed: Sequence[Scored], own: Sequence[Scored]) -> str:
    """Failures cost a system nothing in the table, as their prompts are left out for all; this says what they would cost."""
    words = sum(len(clip.result.verdicts.words) for clip in own if clip.usable)
    flagged = sum(flagged_count(clip.result) for clip in own if clip.usable)
    lost = sum(len(clip.result.tokens) for clip in failed)
    told = f"{failed[0].system} failed on {counted(len(failed), 'clip')} ({failed[0].failure.message})"
    return f"{told}; with those counted as wholly wrong, {(flagged + lost) / (words + lost):.1%} of its words are flagged." if words + lost else f"{told}."


def _audio(compared: Compared) -> list[str]:
    own = compared.counted
    told = [f"{system} gave the same audio again for {counted(count, 'take')} of a prompt: each audio is counted once." for system, count in own.repeats.items()]
    told += [f"{system} gave the same audio for different prompts, {counted(count, 'clip')} in all." for system, count in own.stuck.items()]
    return told + [f"{s.a} and {s.b} gave the very same audio for {s.prompts} of {s.shared} prompts: there they are one system." for s in own.same_audio]


def _judges(compared: Compared) -> list[str]:
    told = []
    opinions = [use for use in compared.uses if use.opinion]
    if len(compared.composite_of) > 1:
        told.append(f"The fair composite is the mean of {listed(list(map(judge_title, compared.composite_of)))}, which scored every clip of every system.")
    elif len(opinions) > 1:
        told.append("There is no fair composite: fewer than two judges scored every clip of every system.")
    told += [f"{judge_title(use.judge)} is no part of a composite: {use.fell_out}." for use in opinions if use.fell_out]
    for system, metric in compared.comparison.left_out.missing:
        found = compared.metric(metric)
        told.append(f"{system} has no {found.label} and is left out of that comparison.")
    texts = compared.comparison.texts_by_metric
    common = len(texts.get(WER.name, ()))
    for metric in compared.metrics:
        if 0 < len(texts[metric.name]) < common:
            told.append(f"{metric.label} is compared on the {len(texts[metric.name])} of these {common} prompts that it is known on for every system.")
    return told


def _weights(found: ModelComparison) -> list[str]:
    weighed = found.compared.weighted
    told = [f"{name} is weighed, but nothing measured it: it is no part of the weighted number." for name in found.compared.unmeasured]
    return told + [f"{system} has no {listed(lacking)} and gets no weighted number." for system, lacking in (weighed.incomplete.items() if weighed else ())]


def _few_prompts(compared: Compared) -> list[str]:
    """With too few prompts for so many comparisons no p-value can be small enough, whatever the data."""
    found = compared.comparison
    most = max((pair.difference.n for pair in found.pairs if pair.p_value is not None), default=0)
    if not most or most >= (needed := fewest_texts((1 - found.level) / found.comparisons)):
        return []
    told = f"{counted(most, 'prompt')} are too few for {counted(found.comparisons, 'comparison')}: after the correction nothing can be called better"
    return [f"{told}. Give at least {needed}."]
