"""Conditions over arrays in three values: true, false and unknown."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

COMPARED: dict[type, Callable] = {
    ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt, ast.GtE: operator.ge, ast.Eq: operator.eq, ast.NotEq: operator.ne,
}  # fmt: skip
COMPUTED: dict[type, Callable] = {ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv}


class Truth(NamedTuple):
    """A condition over clips, two arrays of shape (N,): where it is true, and where it is known at all. What is true is known."""

    true: np.ndarray
    known: np.ndarray


def truth_of(node: ast.expr, columns: Mapping[str, np.ndarray]) -> Truth:
    """What a condition, read and checked before, says of each clip."""
    match node:
        case ast.Name():
            return Truth(columns[node.id], np.ones(len(columns[node.id]), bool))
        case ast.UnaryOp():
            inner = truth_of(node.operand, columns)
            return Truth(inner.known & ~inner.true, inner.known)
        case ast.BoolOp():
            return joined([truth_of(part, columns) for part in node.values], all_of=isinstance(node.op, ast.And))
        case ast.Compare():
            pairs = zip([node.left, *node.comparators], node.ops, node.comparators, strict=False)
            return joined([_compared(left, op, right, columns) for left, op, right in pairs], all_of=True)
    raise AssertionError(ast.dump(node))  # refused when it was read


def joined(found: list[Truth], *, all_of: bool) -> Truth:
    """Kleene's three-valued and (``all_of``) and or."""
    result = found[0]
    for other in found[1:]:
        settles = [part.known & (~part.true if all_of else part.true) for part in (result, other)]
        true = result.true & other.true if all_of else result.true | other.true
        result = Truth(true, (result.known & other.known) | settles[0] | settles[1])
    return result


def _compared(left: ast.expr, op: ast.cmpop, right: ast.expr, columns: Mapping[str, np.ndarray]) -> Truth:
    a = _value(left, columns)
    if isinstance(op, (ast.In, ast.NotIn)):
        items = [_value(item, columns) for item in right.elts]  # type: ignore[attr-defined]
        true, known = np.any([_equal(a, item) for item in items], axis=0), _known(a)
        true = known & (~true if isinstance(op, ast.NotIn) else true)
    else:
        b = _value(right, columns)
        known = _known(a) & _known(b)
        with np.errstate(invalid="ignore"):
            true = known & np.asarray(COMPARED[type(op)](a, b), dtype=bool)
    size = len(next(iter(columns.values())))
    return Truth(np.broadcast_to(true, size), np.broadcast_to(known, size))


def _equal(a: np.ndarray, b: object) -> np.ndarray:
    return np.asarray(a == b, dtype=bool)


def _known(value: np.ndarray | float | str) -> np.ndarray:
    value = np.asarray(value)
    return np.isfinite(value) if value.dtype.kind == "f" else np.ones(value.shape, bool)


def _value(node: ast.expr, columns: Mapping[str, np.ndarray]) -> np.ndarray | float | str:
    match node:
        case ast.Name():
            return columns[node.id]
        case ast.Constant():
            return node.value if isinstance(node.value, str) else float(node.value)
        case ast.UnaryOp():
            inner = _value(node.operand, columns)
            return -inner if isinstance(node.op, ast.USub) else inner
        case ast.BinOp():
            a, b = _value(node.left, columns), _value(node.right, columns)
            with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
                return np.asarray(COMPUTED[type(node.op)](np.asarray(a, float), np.asarray(b, float)))
    raise AssertionError(ast.dump(node))  # refused when it was read
