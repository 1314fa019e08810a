"""The words a clip should say: its text, and where that may be said in several ways (``spoken_forms`` in ``Clip.extra``) the way nearest to what was heard."""

from __future__ import annotations

from workbench.clips import Clip
from workbench.errors import TextError
from workbench.stt.base import Transcript
from workbench.text import Token, check_reference, tokenise
from workbench.text.spoken import SPOKEN_FORMS, ways_to_say


def forms_of(clip: Clip) -> str:
    """The clip's spoken forms as written; empty where its text is all there is."""
    return str(clip.extra.get(SPOKEN_FORMS) or "")


def reference_tokens(clip: Clip, fast: Transcript | None) -> tuple[Token, ...]:
    """The reference for both engines alike: with spoken forms the way nearest to the fast engine's words, the usual one where it did not hear.

    One way for both: were each engine measured by its own nearest, "fifteen" and "fifty" could both be right of one clip. Forms that do not fit the text count for
    nothing here; ``check_text`` names them.
    """
    if not (forms := forms_of(clip)):
        return tokenise(clip.text)
    try:
        spoken = ways_to_say(clip.text, forms)
    except TextError:
        return tokenise(clip.text)
    return spoken.first if fast is None else spoken.nearest([word.text for word in fast.words])


def check_text(clip: Clip) -> None:
    """Refuse a text that no voice can speak, or spoken forms that do not fit it.

    Raises:
        TextError: names the clip.
    """
    check_reference(clip.text, where=clip.clip_id)
    if forms := forms_of(clip):
        ways_to_say(clip.text, forms, where=clip.clip_id)
