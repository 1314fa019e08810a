"""Messages between the two sides of a pipe: a length, a JSON header, then the bytes of the arrays that the header names.

Both sides import this file, so it needs Python 3.8 and numpy only. Nothing is unpickled: an array is numbers, a header is JSON (NaN
included).
"""

import json
import struct

import numpy as np

LENGTH = struct.Struct("<Q")
#: A longer header is not one of ours: something else wrote into the pipe.
MOST_HEADER_BYTES = 1 << 28
_MARK = "__array__"
_KINDS = "fiub"


class WireError(Exception):
    """The bytes are no message."""


def encode(value):
    """Buffers to write one after the other for a tree of dicts, lists, strings, numbers, None and arrays."""
    arrays = []
    tree = _without_arrays(value, arrays)
    described = [[array.dtype.str, list(array.shape)] for array in arrays]
    header = json.dumps({"value": tree, "arrays": described}).encode()
    return [LENGTH.pack(len(header)), header, *(memoryview(array.reshape(-1)).cast("B") for array in arrays if array.size)]


def _without_arrays(value, arrays):
    if isinstance(value, np.ndarray):
        if value.dtype.kind not in _KINDS:
            raise WireError(f"an array of {value.dtype} cannot cross; numbers can")
        arrays.append(np.ascontiguousarray(value, value.dtype.newbyteorder("<")).reshape(value.shape))
        return {_MARK: len(arrays) - 1}
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, dict):
        return {str(key): _without_arrays(item, arrays) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_without_arrays(item, arrays) for item in value]
    if value is None or isinstance(value, (str, bool, int, float)):
        return value
    raise WireError(f"a {type(value).__name__} cannot cross; dicts, lists, strings, numbers, None and arrays can")


def decode(read_into):
    """The next message. ``read_into(buffer)`` fills a writable buffer of bytes or raises EOFError."""
    (length,) = LENGTH.unpack(_read(read_into, LENGTH.size))
    if length > MOST_HEADER_BYTES:
        raise WireError(f"a header of {length} bytes is not a message")
    try:
        header = json.loads(bytes(_read(read_into, length)).decode())
        described, tree = header["arrays"], header["value"]
    except (ValueError, KeyError, TypeError) as error:
        raise WireError(f"not a message: {error}") from None
    return _with_arrays(tree, [_array(read_into, dtype, shape) for dtype, shape in described])


def _read(read_into, length):
    buffer = bytearray(length)
    if length:
        read_into(memoryview(buffer))
    return buffer


def _array(read_into, dtype, shape):
    kind = np.dtype(dtype)
    if kind.kind not in _KINDS:
        raise WireError(f"an array of {kind} is not expected")
    array = np.empty(shape, kind)
    if array.size:
        read_into(memoryview(array.reshape(-1)).cast("B"))
    return array


def _with_arrays(tree, arrays):
    if isinstance(tree, dict):
        return arrays[tree[_MARK]] if _MARK in tree else {key: _with_arrays(item, arrays) for key, item in tree.items()}
    return [_with_arrays(item, arrays) for item in tree] if isinstance(tree, list) else tree
