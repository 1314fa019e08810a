"""Keep rules: conditions on a clip's columns, as ``wer_fast < 0.05 and duration_sec < 15``, for a notebook's yields and for ``workbench filter`` alike.

A rule is read by Python's own parser and only what is listed here is carried out, so that a rule from a parameter file can compute nothing else: ``and or not``, comparisons
(chains too), ``in`` with constants, ``+ - * /`` on numbers, columns, constants, and the names of other rules.

A comparison with a value that is unknown (no such judge in the scan, an engine that failed) is neither true nor false, as in SQL; a clip stays only where its rule is true.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from workbench.datasets.truth import COMPARED, COMPUTED, Truth, joined, truth_of
from workbench.errors import ConfigError, unknown_name

Kind = Literal["number", "truth", "text"]

#: R4's three bounds.
STANDARD = {
    "strict": "wer_fast < 0.02 and confidence > 0.98",
    "balanced": "wer_fast < 0.05 and confidence > 0.97",
    "permissive": "wer_fast < 0.10 and confidence > 0.95",
}
#: A rule from a file must cost neither memory nor the interpreter's stack.
LONGEST_RULE, MOST_PARTS, DEEPEST = 2000, 1000, 50
LARGEST = 1e15
_GRAMMAR = "conditions on columns joined by and, or, not; for instance: wer_fast < 0.05 and duration_sec < 15"
_MEND = {"&&": "write and", "||": "write or", "&": "write and", "|": "write or", "~": "write not", "!": "write not, or !=", "=": "write == to compare"}
_PARTS = (ast.BoolOp, ast.UnaryOp, ast.BinOp, ast.Compare, ast.Name, ast.Constant, ast.Tuple, ast.List, ast.Set)


@dataclass(frozen=True)
class Clause:
    """One of the conditions that a rule joins by ``and``."""

    text: str
    node: ast.expr

    def of(self, columns: Mapping[str, np.ndarray]) -> Truth:
        return truth_of(self.node, columns)


@dataclass(frozen=True)
class Rule:
    """A rule that was read and checked.

    Attributes:
        name: how it is called; its text where it has no name.
        clauses: the conditions that ``and`` joins on its outermost level, those of other rules that it names among them.
        columns: every column that it asks for.
    """

    name: str
    text: str
    clauses: tuple[Clause, ...]
    columns: tuple[str, ...]

    def of(self, columns: Mapping[str, np.ndarray]) -> Truth:
        """What the rule says of each clip.

        Args:
            columns: name -> array of shape (N,): float (NaN for unknown), bool, or object (text); at least ``self.columns``.
        """
        found = [clause.of(columns) for clause in self.clauses]
        return joined(found, all_of=True)


def parse(text: str, *, columns: Mapping[str, Kind], named: Mapping[str, str] | None = None, name: str = "") -> Rule:
    """Read a rule.

    Args:
        columns: the columns there are, and what kind of value each holds.
        named: other rules that it may name, by default ``STANDARD``.

    Raises:
        UnknownNameError: a column or rule that does not exist, with the nearest that do.
        ConfigError: anything that is no rule, with what to write instead.
    """
    named = STANDARD if named is None else named
    expanded = _expanded(_read(text), text, columns, named, within=(name,) if name else ())
    if _kind(expanded, text, columns) != "truth":
        raise _refused(text, got=ast.unparse(expanded), expected="a condition, not a value", mend="compare it with something")
    clauses = tuple(Clause(ast.unparse(node), node) for node in _flat(expanded))
    asked = dict.fromkeys(node.id for clause in clauses for node in ast.walk(clause.node) if isinstance(node, ast.Name))
    if not asked:
        raise _refused(text, got="no column", expected="a condition on a column")
    return Rule(name or text.strip(), text.strip(), clauses, tuple(asked))


def parse_all(rules: Mapping[str, str], *, columns: Mapping[str, Kind]) -> tuple[Rule, ...]:
    """Named rules, each of which may name the others and the standard ones; a rule named like a standard one takes its place."""
    return tuple(parse(text, columns=columns, named={**STANDARD, **rules}, name=name) for name, text in rules.items())


def _read(text: str) -> ast.expr:
    if len(text) > LONGEST_RULE:
        raise _refused(text[:60], got=f"{len(text):,} characters", expected=f"at most {LONGEST_RULE:,}")
    try:
        # A rule may run over several lines, as YAML folds them or not.
        tree = ast.parse(" ".join(text.split()), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        mend = next((how for sign, how in _MEND.items() if sign in text.replace("==", "").replace("!=", "").replace("<=", "").replace(">=", "")), None)
        raise _refused(text, got=getattr(error, "msg", None) or str(error), mend=mend) from None
    for node in ast.walk(tree):
        if isinstance(node, ast.expr) and not isinstance(node, _PARTS):
            raise _refused(text, got=ast.unparse(node) if len(text) < 200 else type(node).__name__)
    return _bounded(tree, text)


def _bounded(tree: ast.expr, text: str) -> ast.expr:
    """The tree, if it is neither too large nor too deep for what works through it."""
    level: list[ast.AST] = [tree]
    parts = depth = 0
    while level:
        parts, depth = parts + len(level), depth + 1
        if parts > MOST_PARTS or depth > DEEPEST:
            raise _refused(text[:60], got="a rule with too many parts", expected=f"at most {MOST_PARTS} parts, {DEEPEST} deep", mend="split it into several --keep")
        level = [child for node in level for child in ast.iter_child_nodes(node)]
    return tree


def _expanded(node: ast.expr, text: str, columns: Mapping[str, Kind], named: Mapping[str, str], *, within: tuple[str, ...]) -> ast.expr:
    """The same with other rules in place of their names."""

    class Names(ast.NodeTransformer):
        def visit_Name(self, found: ast.Name) -> ast.expr:
            if found.id in columns:
                return found
            if found.id not in named:
                raise unknown_name("column", found.id, [*columns, *named], where=f"rule {text!r}")
            if found.id in within:
                raise _refused(text, got=f"{found.id} names itself", expected="rules that do not name each other in a circle")
            return _expanded(_read(named[found.id]), named[found.id], columns, named, within=(*within, found.id))

    return _bounded(Names().visit(node), text)


def _flat(node: ast.expr) -> list[ast.expr]:
    if isinstance(node, ast.BoolOp) and isinstance(node.op, ast.And):
        return [part for value in node.values for part in _flat(value)]
    return [node]


def _kind(node: ast.expr, text: str, columns: Mapping[str, Kind]) -> Kind:
    """The kind of value that an expression has; raises ``ConfigError`` for everything that is not carried out."""

    def wants(part: ast.expr, kind: Kind, why: str) -> None:
        if _kind(part, text, columns) != kind:
            raise _refused(text, got=ast.unparse(part), expected=why)

    match node:
        case ast.Name():
            return columns[node.id]
        case ast.Constant(value=bool()):
            raise _refused(text, got=str(node.value), expected="a condition", mend="write the column alone, or not and the column")
        case ast.Constant(value=int() | float()):
            if not -LARGEST < node.value < LARGEST:
                raise _refused(text, got=ast.unparse(node), expected=f"a number within {LARGEST:g}")
            return "number"
        case ast.Constant(value=str()):
            return "text"
        case ast.UnaryOp(op=ast.Not()):
            wants(node.operand, "truth", "a condition after not")
            return "truth"
        case ast.UnaryOp(op=ast.USub() | ast.UAdd()):
            wants(node.operand, "number", "a number after the sign")
            return "number"
        case ast.BinOp() if type(node.op) in COMPUTED:
            for part in (node.left, node.right):
                wants(part, "number", "numbers to compute with")
            return "number"
        case ast.BoolOp():
            for part in node.values:
                wants(part, "truth", "conditions between and and or")
            return "truth"
        case ast.Compare():
            return _check_compare(node, text, columns)
    raise _refused(text, got=ast.unparse(node), mend=next((how for sign, how in _MEND.items() if sign in ast.unparse(node)), None))


def _check_compare(node: ast.Compare, text: str, columns: Mapping[str, Kind]) -> Kind:
    left = node.left
    for op, right in zip(node.ops, node.comparators, strict=True):
        kind = _kind(left, text, columns)
        if kind == "truth":
            raise _refused(text, got=ast.unparse(node), expected="a number or a text to compare", mend=f"write {ast.unparse(left)} alone, or not {ast.unparse(left)}")
        if isinstance(op, (ast.In, ast.NotIn)):
            items = right.elts if isinstance(right, (ast.Tuple, ast.List, ast.Set)) else None
            if not items or not all(_is_constant(item) and _kind(item, text, columns) == kind for item in items):
                raise _refused(text, got=ast.unparse(node), expected='constants of the same kind in brackets, as speaker in ("anna", "bert")')
        elif type(op) not in COMPARED:
            raise _refused(text, got=ast.unparse(node), expected="< <= > >= == != in")
        elif _kind(right, text, columns) != kind:
            raise _refused(text, got=ast.unparse(node), expected="two numbers or two texts to compare")
        elif kind == "text" and not isinstance(op, (ast.Eq, ast.NotEq)):
            raise _refused(text, got=ast.unparse(node), expected="== != in between texts")
        left = right
    return "truth"


def _is_constant(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) or (isinstance(node, ast.UnaryOp) and isinstance(node.operand, ast.Constant))


def _refused(text: str, *, got: str, expected: str = _GRAMMAR, mend: str | None = None) -> ConfigError:
    return ConfigError("not a keep rule", where=f"rule {text!r}", got=got, expected=expected, mend=mend)
