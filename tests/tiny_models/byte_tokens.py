"""The vocabulary that byte-level tokenizers grow from: one token per byte, no merges."""

from __future__ import annotations


def byte_vocabulary(*first: str) -> dict[str, int]:
    """Token to number: ``first``, then the 256 bytes."""
    from tokenizers import pre_tokenizers

    return {token: number for number, token in enumerate((*first, *sorted(pre_tokenizers.ByteLevel.alphabet())))}
