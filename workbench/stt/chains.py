"""How likely given word sequences are, by the acoustic model alone: Viterbi over cross-word triphone chains.

A network is a row of places with alternatives in each: words with all their pronunciations, an optional pause after any of them. All
networks about one stretch of audio run in one pass.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from workbench.stt.acoustic import AcousticModel, FrameScores

#: One word: its pronunciations, each a tuple of phone names of the model.
Pronunciations = tuple[tuple[str, ...], ...]
#: What may be said in one place: alternatives, each a sequence of words; an empty one is nothing.
Alternatives = Sequence[Sequence[Pronunciations]]
#: Places in order. Words are numbered through the network as they stand in it.
Network = Sequence[Alternatives]
_NEVER = np.float32(-1e30)
#: The "node" before a window's first frame.
_START = -1


@lru_cache(maxsize=20_000)
def _sound_of(word: str) -> Pronunciations:
    from workbench.text import pronunciations

    return tuple(tuple(variant) for variant in pronunciations(word) if variant)


def sounds_of(words: Sequence[str]) -> list[Pronunciations]:
    """Pronunciations of words; those that have none, not even by rule, are left out."""
    return [sound for word in words if (sound := _sound_of(word))]


class _Graph:
    """Phones as nodes of three states each; ``word`` is the number of the word a node belongs to, -1 for pauses; ``ends`` has a list per
    network."""

    def __init__(self) -> None:
        self.phone: list[int] = []
        self.before: list[list[int]] = []
        self.word: list[int] = []
        self.ends: list[list[int]] = []

    def add(self, phone: int, word: int, before: list[int]) -> int:
        self.phone.append(phone)
        self.word.append(word)
        self.before.append(before)
        return len(self.phone) - 1


@dataclass(frozen=True, eq=False)
class Path:
    """Where the best path of a network was at each of T frames.

    Attributes:
        word: shape (T,), the number of the word in the network, -1 in pauses.
        segment: shape (T,), running number of the phone.
        log_likelihood: shape (T,), nats of the state that explained the frame.
        senone: shape (T,), that state.
    """

    word: np.ndarray
    segment: np.ndarray
    log_likelihood: np.ndarray
    senone: np.ndarray

    def span(self, word: int) -> tuple[int, int]:
        """First frame of a word and the frame after its last; words always have at least three frames."""
        frames = np.flatnonzero(self.word == word)
        return int(frames[0]), int(frames[-1]) + 1


@dataclass(frozen=True, eq=False)
class Chain:
    """The best path of one network: nats over the window, and the path where it was asked for and exists."""

    score: float
    path: Path | None = None


class ChainScorer:
    """Scores networks of words against windows of features; keeps no state between calls."""

    def __init__(self, model: AcousticModel) -> None:
        self.model = model
        self._silence = model.phone_index["SIL"]

    def best(self, scores: FrameScores, networks: Sequence[Network], *, align: bool = False) -> list[Chain]:
        """Viterbi scores of ``networks`` over all frames of ``scores``, all in one pass.

        Args:
            networks: at least one.
            align: also trace the best paths back.

        Returns:
            One chain each; its score is -inf where even the shortest path needs more frames than there are.
        """
        graph = _Graph()
        for network in networks:
            self._add(graph, network)
        final, back = self._viterbi(scores, graph, trace=align)
        chains = []
        for ends in graph.ends:
            best = max(ends, key=lambda node: final[node])
            reached = final[best] > _NEVER / 2
            chains.append(Chain(float(final[best]) if reached else -np.inf, _trace(graph, back, best) if align and reached else None))
        return chains

    def _add(self, graph: _Graph, network: Network) -> None:
        """Append one network. A phone's neighbours are part of its node, so that a path through nodes is a chain of triphones."""
        silence, index = self._silence, self.model.phone_index
        slots = [[[[[index[p] for p in variant] for variant in word] for word in words] for words in slot] for slot in network]
        followers = _followers(slots, silence)
        opening = graph.add(silence, -1, [_START])
        # (node, its phone, the phone it must be followed by or None for any): a window may begin inside speech, so the first word may
        # start at once.
        exits = [(_START, silence, None), (opening, silence, None)]
        number = 0
        for place, slot in enumerate(slots):
            after: list = []
            for words in slot:
                leaving = exits
                for at, word in enumerate(words):
                    rights = {variant[0] for variant in words[at + 1]} | {silence} if at + 1 < len(words) else followers[place + 1]
                    leaving = self._add_word(graph, word, number, leaving, rights)
                    number += 1
                after += leaving
            exits = list(dict.fromkeys(after))
        graph.ends.append([node for node, _, right in exits if node != _START and right in (None, silence)])

    def _add_word(self, graph: _Graph, word: list[list[int]], number: int, exits: list, rights: set[int]) -> list:
        """Append a word with the pause that may follow it; gives the exits to what comes next."""
        silence = self._silence
        left = [leaving for variant in word for leaving in self._add_variant(graph, variant, number, exits, rights)]
        pause = graph.add(silence, -1, [node for node, _, right in left if right == silence])
        return [(pause, silence, None), *left]

    def _add_variant(self, graph: _Graph, variant: list[int], place: int, exits: list, rights: set[int]) -> list:
        """Append one pronunciation, reachable from ``exits``; gives its own exits, one per phone that may follow."""
        phone_id = self.model.phone_id
        entries: dict[int, list[int]] = {}
        for node, base, right in exits:
            if right is None or right == variant[0]:
                entries.setdefault(base, []).append(node)
        if len(variant) == 1:
            return [
                (graph.add(phone_id(variant[0], left, right, position="single"), place, before), variant[0], right)
                for left, before in entries.items()
                for right in sorted(rights)
            ]
        current = [graph.add(phone_id(variant[0], left, variant[1], position="begin"), place, before) for left, before in entries.items()]
        for before, phone, after in zip(variant, variant[1:-1], variant[2:]):
            current = [graph.add(phone_id(phone, before, after, position="internal"), place, current)]
        return [
            (graph.add(phone_id(variant[-1], variant[-2], right, position="end"), place, current), variant[-1], right)
            for right in sorted(rights)
        ]

    def _viterbi(self, scores: FrameScores, graph: _Graph, *, trace: bool):
        """Best log likelihood of every node's last state having been left after the last frame; optionally back pointers."""
        model, count = self.model, len(graph.phone)
        phones = np.asarray(graph.phone)
        senones, places = np.unique(model.state_sequence[phones].ravel(), return_inverse=True)
        emission = scores.of(senones)
        moves = model.transitions[model.transition_of[phones]].astype(np.float32)
        stay = np.stack([moves[:, s, s] for s in range(3)])
        step = np.stack([moves[:, s, s + 1] for s in range(3)])
        width = max(len(before) for before in graph.before)
        # Index count = "never", count + 1 = "the window's first frame".
        before = np.full((width, count), count)
        for index, nodes in enumerate(graph.before):
            for rank, earlier in enumerate(nodes):
                before[rank, index] = count + 1 if earlier < 0 else earlier
        places = places.reshape(count, 3).T
        state = np.full((3, count), _NEVER, dtype=np.float32)
        left = np.full(count + 2, _NEVER, dtype=np.float32)
        left[count + 1] = 0.0
        back = np.zeros((scores.frames, 3, count), dtype=bool) if trace else None
        came = np.zeros((scores.frames, count), dtype=np.int32) if trace else None
        for frame in range(scores.frames):
            gathered = left[before]
            entry = gathered.max(axis=0)
            moved = np.empty_like(state)
            moved[0] = entry
            moved[1:] = state[:2] + step[:2]
            stayed = state + stay
            if trace:
                back[frame] = moved > stayed
                came[frame] = before[gathered.argmax(axis=0), np.arange(count)]
            state = np.maximum(moved, stayed) + emission[frame][places]
            left[:count] = state[2] + step[2]
            left[count + 1] = _NEVER
        return left[:count], (back, came, emission, places, senones)


def _followers(slots: list, silence: int) -> list[set[int]]:
    """Per place, and after the last, the phones with which speech may go on there; a pause always may."""
    followers = [{silence} for _ in range(len(slots) + 1)]
    for place in range(len(slots) - 1, -1, -1):
        for words in slots[place]:
            followers[place] |= {variant[0] for variant in words[0]} if words else followers[place + 1]
    return followers


def _trace(graph: _Graph, back, node: int) -> Path:
    """Follow the best path backwards from its last node."""
    moved, came, emission, places, senones = back
    count = len(moved)
    word, segment, place = (np.empty(count, dtype=np.int64) for _ in range(3))
    state, number = 2, 0
    for frame in range(count - 1, -1, -1):
        word[frame], segment[frame], place[frame] = graph.word[node], number, places[state, node]
        if moved[frame, state, node]:
            if state:
                state -= 1
            else:
                node, state, number = int(came[frame, node]), 2, number - 1
    return Path(word, segment - segment.min() if count else segment, emission[np.arange(count), place].astype(np.float64), senones[place])
