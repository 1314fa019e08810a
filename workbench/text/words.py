"""Words of a special kind: fillers, abbreviations, spelling variants."""

from __future__ import annotations

FILLERS = frozenset("uh um er erm ah eh hm hmm hmmm mm mmm mhm uhm uhh umm huh oh ahem".split())


def is_filler(word: str) -> bool:
    """Whether ``word`` is a sound of hesitation."""
    return word.lower() in FILLERS


def abbreviation_of(word: str) -> tuple[tuple[str, ...], ...]:
    """Possible full spoken forms of an abbreviation."""
    return {"mph": (("miles", "per", "hour"),)}.get(word.lower(), ())


def spelling_variants(a: str, b: str) -> bool:
    """Whether ``a`` and ``b`` are the same word spelt otherwise."""
    from workbench.text.phones import sound_alike

    return a.replace("our", "or").replace("ll", "l") == b.replace("our", "or").replace("ll", "l") and sound_alike([a], [b])
