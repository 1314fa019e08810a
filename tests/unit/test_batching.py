"""Batches lose no clip, keep their limits, and shrink when memory runs out: with the errors that real runtimes raise when they are asked for too much."""

from __future__ import annotations

import weakref
from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.batching import in_batches, is_out_of_memory, length_buckets
from workbench.errors import EngineError

LENGTHS = st.lists(st.floats(0, 2000, allow_subnormal=False), max_size=40)
MOST = st.integers(1, 12)
MOST_LENGTH = st.none() | st.floats(0, 5000)
#: More than any address space holds, so that no machine can grant it.
TOO_MANY = 2**50


def out_of_python() -> None:
    np.empty(TOO_MANY)


def out_of_torch() -> None:
    import torch

    torch.empty(TOO_MANY)


def out_of_card() -> None:
    """What torch raises for a card; without one, nothing but torch itself can bring it about."""
    import torch

    raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")


@cache
def _filler():
    import onnxruntime
    from onnx import TensorProto, helper

    count, filled = helper.make_tensor_value_info("n", TensorProto.INT64, [1]), helper.make_tensor_value_info("y", TensorProto.FLOAT, [None])
    graph = helper.make_graph([helper.make_node("ConstantOfShape", ["n"], ["y"])], "fill", [count], [filled])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    return onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])


def out_of_onnx() -> None:
    _filler().run(None, {"n": np.array([TOO_MANY])})


def out_of_wrapped() -> None:
    try:
        out_of_python()
    except MemoryError as error:
        raise EngineError("the model failed", where="tiny") from error


RUN_OUT = [out_of_python, out_of_torch, out_of_card, out_of_onnx, out_of_wrapped]


@given(LENGTHS, MOST, MOST_LENGTH)
def test_every_clip_is_in_one_bucket_and_no_bucket_is_over_a_limit(lengths, most_items, most_length):
    buckets = length_buckets(lengths, most_items=most_items, most_length=most_length)
    assert sorted(index for bucket in buckets for index in bucket) == list(range(len(lengths)))
    for bucket in buckets:
        assert 1 <= len(bucket) <= most_items
        assert most_length is None or len(bucket) == 1 or max(lengths[k] for k in bucket) * len(bucket) <= most_length


@given(LENGTHS, MOST, MOST_LENGTH)
def test_buckets_go_from_long_to_short_and_hold_neighbours_in_length(lengths, most_items, most_length):
    in_order = [lengths[k] for bucket in length_buckets(lengths, most_items=most_items, most_length=most_length) for k in bucket]
    assert in_order == sorted(lengths, reverse=True)


@given(LENGTHS, MOST)
def test_without_a_length_limit_all_buckets_but_the_last_are_full(lengths, most_items):
    buckets = length_buckets(lengths, most_items=most_items)
    assert all(len(bucket) == most_items for bucket in buckets[:-1])


@given(LENGTHS, MOST, MOST_LENGTH)
def test_results_come_in_the_order_of_the_clips(lengths, most_items, most_length):
    items = [f"clip {k}" for k in range(len(lengths))]
    calls: list[int] = []

    def call(batch):
        calls.append(len(batch))
        return [item.upper() for item in batch]

    assert in_batches(items, call, lengths=lengths, most_items=most_items, most_length=most_length) == [item.upper() for item in items]
    assert sum(calls) == len(items)


@pytest.mark.parametrize("run_out", RUN_OUT, ids=lambda f: f.__name__)
@pytest.mark.parametrize("room", [1, 3, 8])
def test_when_memory_runs_out_the_batch_halves_and_no_clip_is_lost_or_computed_twice(run_out, room):
    done: list[int] = []
    sizes: list[int] = []
    told: list[int] = []

    def call(batch):
        sizes.append(len(batch))
        if len(batch) > room:
            run_out()
        done.extend(batch)
        return [-item for item in batch]

    items = list(range(21))
    assert in_batches(items, call, lengths=[1.0] * 21, most_items=16, halved=told.append) == [-item for item in items]
    assert sorted(done) == items
    # 16 is halved until it fits, and what fitted holds for all that follow.
    assert told == [size for size in (8, 4, 2, 1) if size * 2 > room]
    assert max(sizes[len(told) :]) == told[-1] <= room


@pytest.mark.parametrize("run_out", RUN_OUT, ids=lambda f: f.__name__)
def test_a_single_clip_that_does_not_fit_raises_what_ran_out(run_out):
    def call(batch):
        if 3 in batch:
            run_out()
        return batch

    with pytest.raises(Exception) as caught:  # noqa: PT011 - each runtime has a type of its own
        in_batches([1, 2, 3, 4], call, lengths=[1.0] * 4, most_items=4)
    assert is_out_of_memory(caught.value)


def test_what_a_failed_batch_held_is_free_before_the_next_one_begins():
    class Held:
        pass

    held: list[weakref.ref] = []

    def call(batch):
        assert all(ref() is None for ref in held)
        mine = Held()
        mine.itself = mine
        if len(batch) > 1:
            held.append(weakref.ref(mine))
            out_of_python()
        return batch

    assert in_batches([1, 2, 3, 4], call, lengths=[1.0] * 4, most_items=4) == [1, 2, 3, 4]
    assert len(held) == 2


@pytest.mark.parametrize("error", [ValueError("out of memory"), RuntimeError("shapes do not fit"), EngineError("heard: he ran out of memory"), KeyboardInterrupt()])
def test_other_errors_pass_through_and_nothing_is_tried_again(error):
    calls: list[int] = []

    def call(batch):
        calls.append(len(batch))
        raise error

    with pytest.raises(type(error)):
        in_batches([1, 2, 3, 4], call, lengths=[1.0] * 4, most_items=4)
    assert calls == [4]


def test_what_cannot_be_right_is_refused_by_name():
    with pytest.raises(EngineError, match="lost clips; where: batching; got: 1; expected: 2"):
        in_batches([1, 2], lambda batch: batch[:1], lengths=[1.0, 1.0], most_items=2)
    with pytest.raises(EngineError, match="not one length per clip; where: batching; got: 1; expected: 2"):
        in_batches([1, 2], list, lengths=[1.0], most_items=2)
    with pytest.raises(EngineError, match="no batch can hold a clip"):
        length_buckets([1.0], most_items=0)
    assert in_batches([], list, lengths=[], most_items=1) == []
