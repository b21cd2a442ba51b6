#!/usr/bin/env python3
"""Writes golden/safetensors_types.safetensors with Python's safetensors: a tensor of every number type, one without
numbers, one without dimensions, a name with everything that JSON escapes.

    python3 -m pip install safetensors==0.8.0 numpy ml_dtypes
    python3 tests/parity/safetensors_golden.py          # writes the file
    python3 tests/parity/safetensors_golden.py FILE...  # shows what Python reads in files, for comparing
"""

import pathlib
import sys

import ml_dtypes
import numpy as np
from safetensors import safe_open
from safetensors.numpy import save_file

GOLDEN = pathlib.Path(__file__).resolve().parent / "golden" / "safetensors_types.safetensors"
TYPES = ["bool", "uint8", "int8", "int16", "uint16", "float16", "int32", "uint32", "float32", "float64", "int64", "uint64"]


def write():
    tensors = {f"type.{name}": np.array([[1, 0, 1]], dtype=name) for name in TYPES}
    tensors["type.bfloat16"] = np.array([[1, 0, 1]], dtype=ml_dtypes.bfloat16)
    tensors["without numbers"] = np.zeros((0, 3), dtype="float32")
    tensors["without dimensions"] = np.array(-2, dtype="float32")
    tensors['quote " backslash \\ line\n tab\t bell\a é 漢 😀'] = np.array([0.5], dtype="float32")
    save_file(tensors, GOLDEN, metadata={"format": "np"})


def show(path):
    with safe_open(path, framework="np") as file:
        print(path, file.metadata())
        for name in file.keys():
            value = file.get_tensor(name)
            print(f"  {name!r} {value.dtype} {list(value.shape)} sum {value.astype('float64').sum()!r}")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        for argument in sys.argv[1:]:
            show(argument)
    else:
        write()
