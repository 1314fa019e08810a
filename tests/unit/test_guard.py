"""Engines are kept honest: on their device, rested when they fail, the same draws from the same seed."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from workbench.errors import EngineError
from workbench.guard import Breakers, CircuitBreaker, State, Ticket, assert_on, seed_everything, seed_of


class TestDevice:
    """Only torch's ``meta`` device is a second device on every machine; a part left there is a part left behind."""

    def test_a_whole_module_on_its_device_passes_in_every_shape_it_may_be_given(self):
        import torch

        module = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.BatchNorm1d(2))
        for given in (module, module.parameters(), [module, module[0]], {"encoder": module}, module[0].weight):
            assert_on(given, "cpu", engine="tiny")

    @pytest.mark.parametrize(("left", "said"), [("0.weight", "parameter 0.weight of Sequential"), ("1.running_mean", "buffer 1.running_mean of Sequential")])
    def test_the_first_part_left_elsewhere_is_named_with_engine_and_both_devices(self, left, said):
        import torch

        module = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.BatchNorm1d(2))
        owner, _, name = left.partition(".")
        own = getattr(module[int(owner)], name)
        moved = torch.nn.Parameter(own.to("meta")) if isinstance(own, torch.nn.Parameter) else own.to("meta")
        setattr(module[int(owner)], name, moved)
        with pytest.raises(EngineError) as caught:
            assert_on(module, "cpu", engine="tiny")
        assert "'tiny'" in caught.value.what
        assert (caught.value.where, caught.value.got, caught.value.expected) == (said, "meta", "cpu")

    def test_a_model_asked_onto_a_card_but_left_on_the_processor_is_refused(self):
        import torch

        for asked in ("cuda", "cuda:0"):
            with pytest.raises(EngineError, match=f"got: cpu; expected: {asked}"):
                assert_on(torch.nn.Linear(2, 2), asked, engine="tiny")

    def test_an_onnx_session_that_fell_back_to_the_processor_is_refused(self):
        import onnxruntime

        session = onnxruntime.InferenceSession(_identity_graph(), providers=["CPUExecutionProvider"])
        assert_on(session, "cpu", engine="tiny")
        with pytest.raises(EngineError, match="execution provider of model; got: cpu:0; expected: cuda"):
            assert_on(session, "cuda", engine="tiny")

    def test_nothing_to_check_is_an_error_not_a_pass(self):
        import torch

        for nothing in (torch.nn.ReLU(), [], {}, (p for p in ())):
            with pytest.raises(EngineError, match="nothing to check"):
                assert_on(nothing, "cpu", engine="tiny")
        with pytest.raises(EngineError, match="cannot tell on which device"):
            assert_on(object(), "cpu", engine="tiny")


def _identity_graph() -> bytes:
    from onnx import TensorProto, helper

    place = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1]) for name in ("x", "y")]
    graph = helper.make_graph([helper.make_node("Identity", ["x"], ["y"])], "same", place[:1], place[1:])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8).SerializeToString()


class BreakerModel(RuleBasedStateMachine):
    """Any order of asking, telling, losing time and coming back late; beside it the plainest account of what a breaker promises."""

    FAILURES, REST_SEC = 3, 10.0

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.breaker = CircuitBreaker(failures=self.FAILURES, rest_sec=self.REST_SEC, clock=lambda: self.now)
        self.held: list[Ticket] = []
        self.in_a_row, self.rests_until, self.probe = 0, None, None

    @rule(sec=st.floats(0, 12))
    def time_goes_on(self, sec):
        self.now += sec

    @rule()
    def ask(self):
        ticket = self.breaker.ask()
        resting = self.rests_until is not None
        if not resting:
            assert ticket == Ticket(self.breaker.opened) and not ticket.probe
        elif self.probe is not None or self.now < self.rests_until:
            assert ticket is None
        else:
            assert ticket.probe
            self.probe = ticket
        if ticket is not None:
            self.held.append(ticket)

    @precondition(lambda self: self.held)
    @rule(data=st.data(), outcome=st.sampled_from(["good", "bad", "nothing"]))
    def tell(self, data, outcome):
        ticket = self.held.pop(data.draw(st.integers(0, len(self.held) - 1)))
        opened, last_error = self.breaker.opened, self.breaker.last_error
        is_probe = self.probe is not None and ticket is self.probe
        late = ticket.opened != opened or (self.rests_until is not None and not is_probe)
        {"good": self.breaker.succeeded, "nothing": self.breaker.returned, "bad": lambda t: self.breaker.failed(t, f"at {self.now}")}[outcome](ticket)
        if late:
            assert (self.breaker.opened, self.breaker.last_error) == (opened, last_error)
        elif outcome == "good":
            self.in_a_row, self.rests_until, self.probe = 0, None, None
        elif outcome == "bad":
            self.in_a_row += 1
            assert self.breaker.last_error == f"at {self.now}"
            if is_probe or self.in_a_row == self.FAILURES:
                assert self.breaker.opened == opened + 1
                self.in_a_row, self.rests_until, self.probe = 0, self.now + self.REST_SEC, None
        elif is_probe:
            self.probe = None

    @invariant()
    def the_state_is_the_one_the_account_gives(self):
        expected = State.CLOSED if self.rests_until is None else State.HALF_OPEN if self.probe is not None else State.OPEN
        assert self.breaker.state is expected


BreakerModel.TestCase.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
TestBreakerModel = BreakerModel.TestCase


class TestBreakers:
    def breakers(self, **options) -> Breakers:
        return Breakers(["stt", "judge"], failures=2, rest_sec=5.0, **options)

    def test_each_engine_has_a_breaker_of_its_own(self):
        breakers = self.breakers()
        breakers.tell("stt", breakers.ask("stt"), ["Boom: a", "Boom: b"])
        assert breakers.ask("stt") is None and breakers.ask("judge") is not None
        stt, judge = breakers.report()
        assert (stt.name, stt.state, stt.opened, stt.last_error) == ("stt", State.OPEN, 1, "Boom: b")
        assert (judge.name, judge.state, judge.opened, judge.last_error) == ("judge", State.CLOSED, 0, "")

    def test_a_success_between_failures_starts_the_count_again_and_bad_input_does_not(self):
        breakers = self.breakers()
        breakers.tell("stt", breakers.ask("stt"), ["Boom", "", "Boom"])
        assert breakers.report()[0].state is State.CLOSED
        breakers.tell("stt", breakers.ask("stt"), [None, "Boom"])
        assert breakers.report()[0].state is State.OPEN

    def test_a_probe_on_bad_input_leaves_the_question_open_for_the_next_clip(self):
        now = [0.0]
        breakers = self.breakers(clock=lambda: now[0])
        breakers.tell("stt", breakers.ask("stt"), ["Boom", "Boom"])
        now[0] = 5.0
        breakers.tell("stt", breakers.ask("stt"), [None])
        probe = breakers.ask("stt")
        assert probe.probe and breakers.ask("stt") is None
        breakers.tell("stt", probe, [""])
        assert breakers.report()[0].state is State.CLOSED

    def test_without_a_number_of_failures_no_engine_ever_rests(self):
        breakers = Breakers(["stt"], failures=None, rest_sec=5.0)
        breakers.tell("stt", breakers.ask("stt"), ["Boom"] * 1000)
        assert breakers.ask("stt") is not None


class TestSeeds:
    @given(st.integers(0, 2**63), st.text(max_size=20))
    def test_a_seed_comes_from_the_run_and_the_work_alone(self, seed, work):
        assert seed_of(seed, work) == seed_of(seed, work) != seed_of(seed + 1, work)
        assert 0 <= seed_of(seed, work) < 2**32

    def test_every_generator_in_use_draws_the_same_after_the_same_seed(self):
        import numpy as np
        import torch

        def draws(seed):
            seed_everything(seed)
            return random.random(), np.random.random(), float(torch.rand(()))

        assert draws(5) == draws(5)
        assert all(a != b for a, b in zip(draws(5), draws(6), strict=True))
