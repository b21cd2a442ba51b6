#!/usr/bin/env python3
"""Loads in Python's peft what fmsb wrote, and compares the outputs: compare.py <folder> [fixtures].

<folder>/<case>/ holds adapter_config.json, adapter_model.safetensors and expected.safetensors {input, output}.
"""

import pathlib
import sys

import peft
import torch
from safetensors.torch import load_file

import models


def main():
    folder = pathlib.Path(sys.argv[1])
    fixtures = pathlib.Path(sys.argv[2] if len(sys.argv) > 2 else pathlib.Path(__file__).parent / "fixtures")
    torch.set_num_threads(1)
    failed = 0
    for name, (base, _, _) in models.CASES.items():
        if not (folder / name).is_dir():
            print(f"{name:22s} was not written")
            failed += 1
            continue
        model = models.built(base)
        model.load_state_dict(load_file(fixtures / f"base_{base}.safetensors"))
        adapted = peft.PeftModel.from_pretrained(model, folder / name).eval()
        expected = load_file(folder / name / "expected.safetensors")
        y = adapted(expected["input"])
        distance = ((y - expected["output"]).abs().max() / expected["output"].abs().max()).item()
        print(f"{name:22s} {distance:.1e}")
        failed += not distance < 1e-5
    print("all agree" if failed == 0 else f"{failed} do not agree")
    return failed != 0


if __name__ == "__main__":
    sys.exit(main())
