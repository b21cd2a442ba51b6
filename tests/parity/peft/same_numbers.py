#!/usr/bin/env python3
"""Compares the tensors of two folders of fixtures: same_numbers.py <committed> <written now>."""

import pathlib
import sys

from safetensors.torch import load_file


def main():
    committed, now = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    files = sorted(path.relative_to(committed) for path in committed.rglob("*.safetensors"))
    wrong = []
    for file in files:
        old, new = load_file(committed / file), load_file(now / file)
        if old.keys() != new.keys():
            wrong.append(f"{file}: other names")
            continue
        for name in old:
            if old[name].shape != new[name].shape:
                wrong.append(f"{file}: {name} has another shape")
            elif not old[name].double().allclose(new[name].double(), rtol=1e-5, atol=1e-6):
                wrong.append(f"{file}: {name} differs")
    print("\n".join(wrong) if wrong else f"{len(files)} files of fixtures are what peft writes now")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
