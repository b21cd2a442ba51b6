#!/usr/bin/env python3
"""Adapted linear layers beside Python's peft: what an adapter costs over the frozen layer that it adapts.

    cmake --preset bench && cmake --build --preset bench --target adapter_peer
    bench/peers/peft.py

Makes a virtual environment under build/peers and installs tests/parity/peft/requirements.txt there, measures (about five minutes),
and writes docs/results/adapters_peers.md and .svg. Both sides run float32 on one thread, forward and backward with the
input's gradient, the base frozen; each divides by its own base layer, measured in turn with the adapted ones. That both
compute the same is held by the fixtures of tests/parity/peft.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import time

from common import enter_environment

from pages import ROOT, commit, pairs_of_bars, processor, table, three

sys.path.remove(str(pathlib.Path(__file__).resolve().parent))  # there, `import peft` would find this script

SHAPES = [(256, 1024), (256, 64), (768, 1024), (768, 64), (1024, 1024), (1024, 64)]
METHODS = ["LoRA r=8", "DoRA r=8", "VeRA r=256", "FourierFT n=100", "FourierFT n=1000", "LoRA merged"]


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peer", type=pathlib.Path, default=ROOT / "build/bench/bin/adapter_peer",
                        help="our program (default build/bench/bin/adapter_peer)")
    parser.add_argument("--venv", type=pathlib.Path, default=ROOT / "build/peers/peft",
                        help="the virtual environment to use or make (default build/peers/peft)")
    parser.add_argument("--rounds", type=int, default=5, help="turns that the two sides take (default 5)")
    parser.add_argument("--out", type=pathlib.Path, default=ROOT / "docs/results",
                        help="folder of the page and the plot (default docs/results)")
    return parser.parse_args()


def calls_of(width, tokens):
    """name -> one forward and backward pass of peft's layer."""
    import torch
    from peft import FourierFTConfig, LoraConfig, VeraConfig, get_peft_model

    class Holder(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = torch.nn.Linear(width, width)

        def forward(self, x):
            return self.layer(x)

    torch.manual_seed(1)
    x = torch.randn(tokens, width, requires_grad=True)
    gradient = torch.randn(tokens, width)
    target = {"target_modules": ["layer"]}

    def call(module):
        def run():
            x.grad = None
            for p in module.parameters():
                p.grad = None
            module(x).backward(gradient)
        return run

    base = Holder().requires_grad_(False)
    merged = get_peft_model(Holder(), LoraConfig(r=8, **target)).merge_and_unload().requires_grad_(False)
    return {
        "base": call(base),
        "LoRA r=8": call(get_peft_model(Holder(), LoraConfig(r=8, **target))),
        "DoRA r=8": call(get_peft_model(Holder(), LoraConfig(r=8, use_dora=True, **target))),
        "VeRA r=256": call(get_peft_model(Holder(), VeraConfig(r=256, **target))),
        "FourierFT n=100": call(get_peft_model(Holder(), FourierFTConfig(n_frequency=100, **target))),
        "FourierFT n=1000": call(get_peft_model(Holder(), FourierFTConfig(n_frequency=1000, **target))),
        "LoRA merged": call(merged),
    }


def theirs(calls, rounds):
    times = {name: [] for name in calls}
    for turn in range(-2, rounds):
        for name, run in calls.items():
            began = time.perf_counter()
            run()
            if turn >= 0:
                times[name].append((time.perf_counter() - began) * 1e3)
    return times


def ours(options, width, tokens, rounds):
    done = subprocess.run([str(options.peer), str(width), str(tokens), str(rounds)], check=True, capture_output=True,
                          text=True)
    return json.loads(done.stdout)


def measure(options):
    found = {}
    for width, tokens in SHAPES:
        calls = calls_of(width, tokens)
        passes = max(4, int(200 * 64 / tokens * (256 / width) ** 2))
        sides = {"peft": {}, "fmsb": {}}
        for turn in range(options.rounds):
            print(f"\rwidth {width}, {tokens} tokens: turn {turn + 1} of {options.rounds}   ", end="", file=sys.stderr,
                  flush=True)
            for side, times in (("peft", theirs(calls, passes)), ("fmsb", ours(options, width, tokens, passes))):
                for name, values in times.items():
                    sides[side].setdefault(name, []).extend(values)
        found[width, tokens] = {side: {name: statistics.median(values) for name, values in times.items()}
                                for side, times in sides.items()}
    print(file=sys.stderr)
    return found


def write_page(options, found):
    from importlib.metadata import version
    blocks = []
    for (width, tokens), sides in found.items():
        rows = []
        for name in METHODS:
            costs = {side: sides[side][name] / sides[side]["base"] for side in sides}
            rows.append([name, three(sides["peft"][name]), three(sides["fmsb"][name]), f"{costs['peft']:.2f}",
                         f"{costs['fmsb']:.2f}", f"{sides['peft'][name] / sides['fmsb'][name]:.2f}"])
        blocks.append(f"### Width {width}, {tokens} tokens\n\nThe frozen layer takes {three(sides['peft']['base'])} ms "
                      f"from Python and {three(sides['fmsb']['base'])} ms here.\n\n" +
                      table(["layer", "peft ms", "fmsb ms", "peft over base", "fmsb over base", "peft / fmsb"], rows))
    text = f"""# Adapted layers beside peft

Generated by `bench/peers/peft.py`; do not edit. One linear layer, float32, one thread: forward and backward with the
input's gradient, the base frozen. Medians; "over base" divides by the frozen layer of the same side, measured in turn
with the adapted ones. The outputs and gradients of both sides are held equal by the fixtures of tests/parity/peft.

![Cost over the frozen layer](adapters_peers.svg)

""" + "\n\n".join(blocks) + f"""

## How

- `cmake --preset bench && cmake --build --preset bench --target adapter_peer && bench/peers/peft.py`
- {processor()}, {os.cpu_count()} cores, one thread; load average {options.load:.1f} at the start
- peft {version("peft")}, torch {version("torch")}
- fmsb at {commit()}
"""
    (options.out / "adapters_peers.md").write_text(text, encoding="utf-8")


def write_plot(options, found):
    bars = []
    for width, tokens in ((768, 1024), (768, 64), (1024, 1024), (1024, 64)):
        for name in METHODS[:-1]:
            costs = [found[width, tokens][side][name] / found[width, tokens][side]["base"] for side in ("peft", "fmsb")]
            bars.append((f"{name}, {width} x {tokens}", *costs))
    pairs_of_bars(options.out / "adapters_peers.svg", bars,
                  "Forward and backward over the frozen layer, by width x tokens", "times the frozen layer",
                  ("peft", "fmsb"), "set logscale x 2")


def main():
    options = arguments()
    if os.environ.get("FMSB_PEERS") != "1":
        enter_environment(options.venv, ROOT / "tests/parity/peft/requirements.txt")
    if not options.peer.exists():
        raise SystemExit(f"{options.peer} is not built; see --help.")
    import torch
    torch.set_num_threads(1)
    options.load = os.getloadavg()[0]
    found = measure(options)
    write_page(options, found)
    write_plot(options, found)
    print(options.out / "adapters_peers.md")


if __name__ == "__main__":
    main()
