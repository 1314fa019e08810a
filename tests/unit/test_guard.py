"""Engines are kept honest: on their device, and none can stop a scan."""

from __future__ import annotations

import pytest

from workbench.errors import EngineError
from workbench.guard import assert_on


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

    def test_an_onnx_session_that_fell_back_to_the_processor_is_refused(self, tmp_path):
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
