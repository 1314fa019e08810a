"""The shipped prompt sets: what they hold, that every accepted way to say a prompt passes, and that a wrong one does not."""

from __future__ import annotations

import csv
import re
from collections import Counter, defaultdict
from functools import cache
from pathlib import Path

import pytest

from workbench.clips import Clip
from workbench.scan.reference import reference_tokens
from workbench.stt.base import Transcript, Word
from workbench.text import comparable, normalise, pronunciations
from workbench.text.phones import PHONES
from workbench.text.prompts import CATEGORIES, Prompt, load_prompts, prompt_sets
from workbench.verdicts import judge
from workbench.verdicts.base import FLAGGED, ClipVerdicts, Verdict

SETS = ("evaluation", "evaluation_large", "stress")
HOMOGRAPHS = Path(__file__).resolve().parents[3] / "shared" / "data" / "text" / "homographs_wikipedia" / "wordids.tsv"
#: Each word's neighbour of the same kind: another number, month or currency.
OTHER = {
    word: other
    for row in """one two three four five six seven eight nine | eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen
        twenty thirty forty fifty sixty seventy eighty ninety | first second third fourth fifth sixth seventh eighth ninth
        eleventh twelfth thirteenth fourteenth fifteenth sixteenth seventeenth eighteenth nineteenth | million billion trillion
        january february march april may june july august september october november december | dollars euros pounds | cents pence""".replace("\n", "|").split("|")
    for word, other in zip(row.split(), row.split()[1:] + row.split()[:1], strict=True)
}
NEGATIONS = frozenset("not no never none nobody nothing nor neither cannot unless without hardly".split())
AFFIRMED = {"can't": "can", "won't": "will", "shan't": "shall"}


@cache
def prompts(name: str) -> tuple[Prompt, ...]:
    return tuple(load_prompts(name))


def said(prompt: Prompt, number: int) -> list[str]:
    """The prompt with every place said in its way of that number, counted round."""
    return [token.text for ways in prompt.spoken.stretches for token in ways[number % len(ways)]]


def heard_by_both(prompt: Prompt, words: list[str]) -> ClipVerdicts:
    transcript = Transcript(tuple(Word(word, 0.3 * k, 0.3 * k + 0.25, 0.99) for k, word in enumerate(words)), "both", "none")
    clip = Clip(prompt.prompt_id, "", prompt.text, "d", extra=dict(prompt.extra))
    return judge(reference_tokens(clip, transcript), transcript, transcript)


def flagged(verdicts: ClipVerdicts) -> bool:
    return any(one.verdict in FLAGGED for one in (*verdicts.words, *verdicts.insertions))


def test_the_evaluation_set_has_ten_prompts_in_each_of_the_ten_categories_the_large_one_fifty():
    assert CATEGORIES == ("numbers", "decimals", "dates", "currency", "negations", "quotes", "lists", "abbreviations", "homographs", "long prosody")
    for name, each in (("evaluation", 10), ("evaluation_large", 50)):
        assert Counter(p.category for p in prompts(name)) == dict.fromkeys(CATEGORIES, each)
        assert [p.category for p in load_prompts(name, limit=20)] == [category for category in CATEGORIES for _ in range(2)]


def test_the_stress_set_says_of_every_prompt_what_it_tests():
    of_category = Counter(p.category for p in prompts("stress"))
    assert of_category.keys() == set(CATEGORIES) and min(of_category.values()) >= 12
    assert all(p.extra["tests"] for p in prompts("stress"))


def test_no_prompt_occurs_twice_in_any_set_or_shares_eight_words_in_a_row_with_another():
    texts, runs, ids = defaultdict(list), defaultdict(set), Counter()
    for name in prompt_sets():
        for prompt in prompts(name):
            words = normalise(prompt.text).split()
            texts[" ".join(words)].append(prompt.prompt_id)
            ids[prompt.prompt_id] += 1
            for start in range(len(words) - 7):
                runs[tuple(words[start : start + 8])].add(prompt.prompt_id)
    assert [of for of in texts.values() if len(of) > 1] == [] and max(ids.values()) == 1
    assert [(" ".join(run), of) for run, of in runs.items() if len(of) > 1] == []


def test_the_hundred_hold_every_phone_of_english():
    phones = Counter(phone for p in prompts("evaluation") for token in p.spoken.first for phone in pronunciations(token.text)[0])
    assert {phone for phone in PHONES if phones[phone] < 5} == set()


def test_lengths_are_as_documented(project):
    documented = dict(re.findall(r"^\| `(\w+)` \| (.*?) \|$", (project / "docs" / "prompts.md").read_text(), re.MULTILINE))
    for name in SETS:
        words = sorted(len(p.spoken.first) for p in prompts(name))
        characters = sum(len(p.text) for p in prompts(name))
        assert documented[name] == f"{len(words)} | {sum(words):,} | {words[0]}–{words[-1]}, median {words[len(words) // 2]} | {characters:,}"
    for name in SETS[:2]:
        for prompt in prompts(name):
            fewest, most = (40, 70) if prompt.category == "long prosody" else (5, 25)
            assert fewest <= len(prompt.spoken.first) <= most, prompt


@pytest.mark.parametrize("name", SETS)
def test_everything_that_is_not_written_as_it_is_said_has_spoken_forms(name):
    for prompt in prompts(name):
        plain = [token for ways in prompt.spoken.stretches if len(ways) == 1 for token in ways[0] if token.kind != "spoken"]
        assert all(token.kind == "word" and not re.search(r"\d", token.written) for token in plain), prompt
        if name != "stress":
            assert not [t.written for t in plain if t.written.isupper() and len(t.written) > 1 and t.written.isalpha()], prompt


@pytest.mark.parametrize("name", SETS)
def test_the_normaliser_reads_every_prompt_in_an_accepted_way(name):
    for prompt in prompts(name):
        nearest = " ".join(token.text for token in prompt.spoken.nearest(normalise(prompt.text).split()))
        assert comparable(prompt.text) == comparable(nearest), prompt
        assert not flagged(heard_by_both(prompt, normalise(prompt.text).split())), prompt


@pytest.mark.parametrize("name", SETS)
def test_every_accepted_form_passes_when_it_is_heard(name):
    for prompt in prompts(name):
        for number in range(max(map(len, prompt.spoken.stretches))):
            words = said(prompt, number)
            verdicts = heard_by_both(prompt, words)
            assert {w.verdict for w in verdicts.words} == {Verdict.PASS} and not verdicts.insertions, (prompt, words)
            # As a recogniser that writes these words gives them.
            assert normalise(" ".join(words)).split() == words


def wrong(prompt: Prompt) -> list[list[str]]:
    """The prompt's usual way with one number, month or currency another, or with one negation dropped."""
    tokens = prompt.spoken.first
    words, out = [token.text for token in tokens], []
    for k, (word, token) in enumerate(zip(words, tokens, strict=True)):
        if word in OTHER and token.kind == "spoken":
            out.append([*words[:k], OTHER[word], *words[k + 1 :]])
        if word in NEGATIONS:
            out.append([*words[:k], *words[k + 1 :]])
        if word.endswith("n't"):
            out.append([*words[:k], AFFIRMED.get(word, word[:-3]), *words[k + 1 :]])
    return out


@pytest.mark.parametrize("name", SETS)
def test_another_number_or_a_dropped_negation_does_not_pass(name):
    tried = Counter()
    for prompt in prompts(name):
        mistakes = wrong(prompt)
        for words in mistakes if name == "evaluation" else mistakes[::3]:
            tried[prompt.category] += 1
            assert flagged(heard_by_both(prompt, words)), (prompt, words)
    assert min(tried[category] for category in ("numbers", "decimals", "dates", "currency", "negations")) >= 10


@pytest.mark.parametrize("name", SETS)
def test_a_written_form_that_is_not_said_does_not_pass(name):
    for prompt in prompts(name):
        stretches = prompt.spoken.stretches
        places = [k for k, ways in enumerate(stretches) if ways[0] and ways[0][0].kind == "spoken"]
        for place in places[: None if name == "evaluation" else 2]:
            words = [token.text for k, ways in enumerate(stretches) if k != place for token in ways[0]]
            assert not words or flagged(heard_by_both(prompt, words)), (prompt, words)


def test_every_homograph_prompt_names_its_words_and_the_readings_asked_for():
    known = None
    if HOMOGRAPHS.exists():
        with HOMOGRAPHS.open(encoding="utf-8", newline="") as lines:
            known = {(row["homograph"], row["wordid"]) for row in csv.DictReader(lines, delimiter="\t")}
    for name in SETS:
        for prompt in prompts(name):
            if prompt.category == "homographs":
                assert prompt.homographs, prompt
            for word, reading, start, end in prompt.homographs:
                assert prompt.text[start:end] == word and re.fullmatch(rf"{word.lower()}(_[\w-]+)?", reading), prompt
                assert known is None or (word.lower(), reading) in known, (prompt.prompt_id, reading)
    readings = [reading for p in prompts("evaluation_large") for _, reading, *_ in p.homographs]
    assert len(set(readings)) >= 50
