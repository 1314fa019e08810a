"""From two engines' relations to one verdict: the precedence table.

Each engine's hearing of a reference word is first related to it (``relate.Relation``). Then, the first row that fits:

| fast | precision | verdict |
|---|---|---|
| right or notation | right or notation | pass, or the notation's verdict (the fast engine's where both have one) |
| right or notation | anything else | precision_error |
| anything else | right or notation | stt_error |
| anything else | typo | gt_typo |
| typo | sound | gt_typo |
| sound | sound | homophone |
| sound | nothing or other | precision_error |
| nothing or other | sound | stt_error |
| nothing | nothing | tts_failure; gt_error where the text doubles a function word ("the the") and one of the two was heard |
| other | other | tts_failure or ambiguous, see ``both_wrong`` |
| all that is left | | ambiguous |

"Notation" is another way to write what was said: abbreviation, compound, spelling_variant, filler_word, and gt_error for a missing or
needless space. It is no hearing error, so one engine's suffices. An engine that heard the word itself outweighs one that heard a
sound-alike, and one that heard a sound-alike outweighs one that heard something else: the audio then holds the sound.

With one engine nothing can be confirmed: right passes, notation, sound and typo keep their verdicts, all else is ambiguous.
"""

from __future__ import annotations

from types import MappingProxyType

from rapidfuzz.distance import Levenshtein

from workbench.stt.base import Word
from workbench.text import is_filler, known_word
from workbench.verdicts.base import Insertion, Verdict
from workbench.verdicts.relate import Relation, distance_of

#: Two engines heard the same sound when their words are at most this far apart ...
AGREE_NEAR = 0.25
#: ... and at most this share of the distance of the nearer one to the reference.
AGREE_RATIO = 0.5
#: A word that the lexicon lacks has a guessed pronunciation: heard within this distance it may well have been said.
NAME_NEAR = 0.5
#: Function words in their weak forms ("a" for "the") differ less than recognisers and their language models can tell.
WEAK_NEAR = 0.6
#: Insertions longer than this are compared word by word, not by sound.
_MAX_INSERTED = 8

#: Words with weak forms (the closed class of English: articles, prepositions, pronouns, auxiliaries, conjunctions).
WEAK_FORMS = frozenset(
    (
        "a an the and but or nor as than that of to at for from in on into onto by with is are am was were be been has have had do does "
        "did can could will would shall should must he she it its his her him them their there you your we us our me my i this these those "
        "so some if"
    ).split()
)
#: Function words that nobody says twice in a row, unlike "had had", "that that" or "very very".
_NEVER_DOUBLED = frozenset(
    "a an the and but or nor as than of to at for from into onto by with are am were be been its their your our my".split()
)

_NOTATION = MappingProxyType({
    Relation.ABBREVIATION: Verdict.ABBREVIATION,
    Relation.COMPOUND: Verdict.COMPOUND,
    Relation.SPACING: Verdict.GT_ERROR,
    Relation.SPELLING: Verdict.SPELLING_VARIANT,
    Relation.FILLER: Verdict.FILLER_WORD,
})


def _table_entry(fast: Relation, precision: Relation) -> Verdict | None:
    written = {Relation.RIGHT, *_NOTATION}
    if precision is Relation.ABSENT:
        alone = {Relation.RIGHT: Verdict.PASS, Relation.SOUND: Verdict.HOMOPHONE, Relation.TYPO: Verdict.GT_TYPO, **_NOTATION}
        return alone.get(fast, Verdict.AMBIGUOUS)
    if fast in written and precision in written:
        return _NOTATION.get(fast) or _NOTATION.get(precision) or Verdict.PASS
    if fast in written:
        return Verdict.PRECISION_ERROR
    if precision in written:
        return Verdict.STT_ERROR
    if precision is Relation.TYPO or (fast is Relation.TYPO and precision is Relation.SOUND):
        return Verdict.GT_TYPO
    if fast is Relation.SOUND or precision is Relation.SOUND:
        if fast is precision:
            return Verdict.HOMOPHONE
        return Verdict.PRECISION_ERROR if fast is Relation.SOUND else Verdict.STT_ERROR
    if fast is Relation.NOTHING is precision:
        return Verdict.TTS_FAILURE
    return None if fast is Relation.OTHER is precision else Verdict.AMBIGUOUS


#: (fast, precision) -> verdict; None where the words themselves must be compared (``both_wrong``).
TABLE = MappingProxyType({
    (fast, precision): _table_entry(fast, precision) for fast in Relation if fast is not Relation.ABSENT for precision in Relation
})


def both_wrong(reference: tuple[str, ...], fast: tuple[str, ...], precision: tuple[str, ...], nearest: float) -> Verdict:
    """Verdict where neither engine heard the reference.

    tts_failure when both heard the same words or the same sound: at most ``AGREE_NEAR`` apart, and at most ``AGREE_RATIO`` of their
    distance to the reference ("cat" and "cap" for "dog" agree that it was not "dog"; "bat" and "cat" for "hat" do not). Ambiguous where
    they disagree, and in two cases where agreement proves little: a word unknown to the lexicon heard within ``NAME_NEAR`` (no recogniser
    can write it, and how it should sound is itself a guess), and a function word heard as another within ``WEAK_NEAR`` (a/the, in/and:
    their weak forms are settled by the language models, in which engines are alike).

    Args:
        nearest: the smaller phone distance of the two hearings to the reference.
    """
    if nearest <= NAME_NEAR and not all(map(known_word, reference)):
        return Verdict.AMBIGUOUS
    if fast != precision:
        apart = distance_of(fast, precision)
        if apart > AGREE_NEAR or apart > AGREE_RATIO * nearest:
            return Verdict.AMBIGUOUS
    if nearest <= WEAK_NEAR and WEAK_FORMS.issuperset((*reference, *fast, *precision)):
        return Verdict.AMBIGUOUS
    return Verdict.TTS_FAILURE


def is_doubled(words: list[str], index: int) -> bool:
    """Whether the text doubles a function word at ``index`` by mistake ("the the")."""
    return index > 0 and words[index] == words[index - 1] and words[index] in _NEVER_DOUBLED


def judge_insertion(before: int, fast: tuple[Word, ...], precision: tuple[Word, ...] | None) -> list[Insertion]:
    """Verdicts on the words that were heard before reference word ``before`` without standing in the text.

    Fillers are filler_word whoever heard them. Of the rest, what both heard (the same words, or within ``AGREE_NEAR`` by sound) is
    tts_failure, what one heard is that engine's error, what they heard differently is ambiguous; with one engine all is ambiguous.
    """
    out: list[Insertion] = []
    if any([is_filler(w.text) for w in fast]) or (precision and any([is_filler(w.text) for w in precision])):
        fillers = [tuple(w for w in words or () if is_filler(w.text)) for words in (fast, precision)]
        out.append(Insertion(before, Verdict.FILLER_WORD, *fillers))
        fast = tuple(w for w in fast if not is_filler(w.text))
        precision = tuple(w for w in precision if not is_filler(w.text)) if precision is not None else None
    if precision is None:
        return [*out, Insertion(before, Verdict.AMBIGUOUS, fast, ())] if fast else out
    if not fast and not precision:
        return out
    return [*out, *_judge_words(before, fast, precision)]


def _judge_words(before: int, fast: tuple[Word, ...], precision: tuple[Word, ...]) -> list[Insertion]:
    texts, others = tuple(w.text for w in fast), tuple(w.text for w in precision)
    if not texts or not others:
        return [Insertion(before, Verdict.STT_ERROR if texts else Verdict.PRECISION_ERROR, fast, precision)]
    if texts == others or (max(len(texts), len(others)) <= _MAX_INSERTED and distance_of(texts, others) <= AGREE_NEAR):
        return [Insertion(before, Verdict.TTS_FAILURE, fast, precision)]
    out = []
    for tag, i0, i1, j0, j1 in Levenshtein.opcodes(texts, others):
        if tag == "equal":
            verdict = Verdict.TTS_FAILURE
        elif tag == "replace":
            near = i1 - i0 <= _MAX_INSERTED and distance_of(texts[i0:i1], others[j0:j1]) <= AGREE_NEAR
            verdict = Verdict.TTS_FAILURE if near else Verdict.AMBIGUOUS
        else:
            verdict = Verdict.STT_ERROR if tag == "delete" else Verdict.PRECISION_ERROR
        out.append(Insertion(before, verdict, fast[i0:i1], precision[j0:j1]))
    return out
