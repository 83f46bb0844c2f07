"""Writes the golden safetensors files of tests/io with the format's reference implementation.

Needs Python's safetensors (0.8.0 was used): python make.py
"""

import ctypes
import os
import struct

from safetensors import TensorSpec, serialize_file

FOLDER = os.path.dirname(os.path.abspath(__file__))


KEPT = []  # a TensorSpec does not keep its memory alive


def tensor(dtype, shape, data):
    KEPT.append(ctypes.create_string_buffer(data, max(len(data), 1)))
    return TensorSpec(dtype=dtype, shape=shape, data_ptr=ctypes.addressof(KEPT[-1]), data_len=len(data))


ALL_DTYPES = {
    "zeta": tensor("float32", [2, 3], struct.pack("<6f", 0, 1, -2, 3.5, 1e-3, float("inf"))),
    "alpha": tensor("float32", [1], struct.pack("<f", 7)),
    "double": tensor("float64", [2], struct.pack("<2d", 0.1, -0.0)),
    "brain": tensor("bfloat16", [3], struct.pack("<3H", 0x3F80, 0xC000, 0x7FC1)),
    "long": tensor("int64", [2], struct.pack("<2q", -(2**63), 2**63 - 1)),
    "int": tensor("int32", [2], struct.pack("<2i", -1, 5)),
    "byte": tensor("uint8", [3], bytes([0, 127, 255])),
    "flag": tensor("bool", [2], bytes([1, 0])),
    "scalar": tensor("int64", [], struct.pack("<q", 42)),
    "empty": tensor("float32", [0, 3], b""),
    'a "quoted" \\ name\n\u00e9\U0001f600': tensor("uint8", [1], b"x"),
}

serialize_file(ALL_DTYPES, os.path.join(FOLDER, "all_dtypes.safetensors"), {"format": "pt"})
serialize_file({}, os.path.join(FOLDER, "nothing.safetensors"))
serialize_file(
    {"half": tensor("float16", [2], struct.pack("<2e", 1, -2)), "one": tensor("float32", [1], struct.pack("<f", 1))},
    os.path.join(FOLDER, "float16.safetensors"),
)
