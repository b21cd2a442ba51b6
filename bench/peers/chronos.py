#!/usr/bin/env python3
"""Chronos-T5 beside Python's chronos-forecasting: forecasts and steps of fine-tuning.

    cmake --preset bench && cmake --build --preset bench --target chronos_peer
    bench/peers/chronos.py

Makes a virtual environment under build/peers and installs chronos_requirements.txt there, writes a tiny Chronos-T5 with
random weights, checks that both sides compute the same logits of it, measures (about twenty-five minutes), and writes
docs/results/chronos_peers.md and .svg. Both sides run float32 on one thread, each measurement in a process of its own,
in turn. Python's takes a second turn with freed memory kept, as our program keeps it.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

from common import enter_environment

from pages import ROOT, Aims, commit, pairs_of_bars, processor, table, three

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:] = [p for p in sys.path if pathlib.Path(p or ".").resolve() != HERE]  # `import chronos` would find this

FORECASTS = [("forecast", "32"), ("forecast", "1")]
TRAININGS = [("train", adapter, context, horizon) for context, horizon in (("36", "6"), ("512", "64"))
             for adapter in ("lora", "fourier_ft")]
NAMES = {"lora": "LoRA r=2 on q, k, v, o", "fourier_ft": "FourierFT n=100 on q, v"}


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peer", type=pathlib.Path, default=ROOT / "build/bench/bin/chronos_peer",
                        help="our program (default build/bench/bin/chronos_peer)")
    parser.add_argument("--venv", type=pathlib.Path, default=ROOT / "build/peers/chronos",
                        help="the virtual environment to use or make (default build/peers/chronos)")
    parser.add_argument("--rounds", type=int, default=5, help="turns that the two sides take (default 5)")
    parser.add_argument("--only", choices=["forecast", "train"], help="measure one half; writes no page")
    parser.add_argument("--out", type=pathlib.Path, default=ROOT / "docs/results",
                        help="folder of the page and the plot (default docs/results)")
    parser.add_argument("--theirs", nargs="+", help=argparse.SUPPRESS)  # one measurement, in this process
    return parser.parse_args()


def write_model(folder):
    import torch
    from transformers import T5Config, T5ForConditionalGeneration
    torch.manual_seed(0)
    config = T5Config(vocab_size=4096, d_model=256, d_kv=64, d_ff=1024, num_layers=4, num_heads=4, dropout_rate=0.1,
                      initializer_factor=0.05, feed_forward_proj="relu", pad_token_id=0, eos_token_id=1,
                      decoder_start_token_id=0)
    config.architectures = ["T5ForConditionalGeneration"]
    config.chronos_config = {
        "tokenizer_class": "MeanScaleUniformBins", "tokenizer_kwargs": {"low_limit": -15.0, "high_limit": 15.0},
        "n_tokens": 4096, "n_special_tokens": 2, "pad_token_id": 0, "eos_token_id": 1, "use_eos_token": True,
        "model_type": "seq2seq", "context_length": 512, "prediction_length": 64, "num_samples": 20, "temperature": 1.0,
        "top_k": 50, "top_p": 1.0}
    T5ForConditionalGeneration(config).save_pretrained(folder)


def timed(work):
    import resource
    import time
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return {"cpu": time.process_time() - cpu, "wall": time.perf_counter() - wall,
            "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}


def their_forecast(folder, count):
    import torch
    from chronos import ChronosPipeline
    pipeline = ChronosPipeline.from_pretrained(folder, device_map="cpu", dtype=torch.float32)
    torch.manual_seed(1)
    series = torch.randn(int(count), 512).cumsum(1)
    return timed(lambda: pipeline.predict(series, prediction_length=64, num_samples=20))


def their_training(folder, adapter, context, horizon, steps):
    import torch
    from peft import FourierFTConfig, LoraConfig, get_peft_model
    from transformers import T5ForConditionalGeneration
    config = (LoraConfig(r=2, lora_alpha=2, target_modules=["q", "k", "v", "o"]) if adapter == "lora" else
              FourierFTConfig(n_frequency=100, scaling=150.0, target_modules=["q", "v"]))
    model = get_peft_model(T5ForConditionalGeneration.from_pretrained(folder), config).train()
    adam = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=1e-3, fused=True)
    torch.manual_seed(1)
    ids = torch.randint(3, 4096, (32, int(context) + 1))
    labels = torch.randint(3, 4096, (32, int(horizon) + 1))
    mask = torch.ones_like(ids, dtype=torch.bool)

    def step():
        adam.zero_grad()
        model(input_ids=ids, attention_mask=mask, labels=labels).loss.backward()
        adam.step()

    step()
    return timed(lambda: [step() for _ in range(int(steps))])


def their_logits(folder):
    import torch
    from transformers import T5ForConditionalGeneration
    model = T5ForConditionalGeneration.from_pretrained(folder).eval()
    ids = (torch.arange(2 * 513) * 37 % 4093 + 3).view(2, 513)
    tokens = (torch.arange(2 * 8) * 101 % 4093 + 3).view(2, 8)
    with torch.no_grad():
        return model(input_ids=ids, decoder_input_ids=tokens).logits.transpose(0, 1).reshape(-1)


def check_logits(options, folder):
    import torch
    done = subprocess.run([str(options.peer), "logits", folder], check=True, capture_output=True, text=True)
    ours, theirs = torch.tensor([float(x) for x in done.stdout.split()]), their_logits(folder)
    apart = ((ours - theirs).abs().max() / theirs.abs().max()).item()
    if apart > 1e-5:
        raise SystemExit(f"The two sides' logits differ by {apart:.1e} of the largest: they do not compute the same.")
    return apart


def steps_of(task):
    return [] if task[0] == "forecast" else ["10" if task[2] == "36" else "1"]


KEPT = {"MALLOC_MMAP_MAX_": "0", "MALLOC_TRIM_THRESHOLD_": "16000000000"}  # what train::keep_freed_memory asks for


def run(command, **environment):
    done = subprocess.run(command, check=True, capture_output=True, text=True, env={**os.environ, **environment})
    return json.loads(done.stdout.splitlines()[-1])


def measure(options, folder):
    """task -> side -> list of measurements; every one in a fresh process, the sides in turn."""
    tasks = [t for t in FORECASTS + TRAININGS if options.only in (None, t[0])]
    found = {task: {"chronos": [], "kept": [], "fmsb": []} for task in tasks}
    for turn in range(options.rounds):
        for task in tasks:
            print(f"\rturn {turn + 1} of {options.rounds}: {' '.join(task)}      ", end="", file=sys.stderr, flush=True)
            words = [task[0], folder, *task[1:], *steps_of(task)]
            found[task]["chronos"].append(run([sys.executable, __file__, "--theirs", *words]))
            found[task]["kept"].append(run([sys.executable, __file__, "--theirs", *words], **KEPT))
            found[task]["fmsb"].append(run([str(options.peer), *words]))
    print(file=sys.stderr)
    return {task: {side: {key: statistics.median(m[key] for m in values) for key in ("cpu", "wall", "peak")}
                   for side, values in sides.items()} for task, sides in found.items()}


def label(task):
    if task[0] == "forecast":
        return f"forecast of {task[1]} series" if task[1] != "1" else "forecast of one series"
    return f"{NAMES[task[1]]}, {task[2]} + {task[3]} tokens"


def per(task):
    """What a measurement is divided by: series of a forecast, steps of a training."""
    return int(task[1]) if task[0] == "forecast" else int(steps_of(task)[0])


def rows_of(found):
    rows = []
    for task, sides in found.items():
        cells = [three(sides[side][key] / per(task)) for key in ("cpu", "wall") for side in ("chronos", "fmsb")]
        peaks = [f"{sides[side]['peak']:,.0f}" for side in ("chronos", "fmsb")]
        ratios = [f"{sides[side]['cpu'] / sides['fmsb']['cpu']:.2f}" for side in ("chronos", "kept")]
        rows.append([label(task), *cells, *peaks, *ratios])
    return rows


HEADER = ["task", "chronos CPU s", "fmsb CPU s", "chronos wall s", "fmsb wall s", "chronos MB", "fmsb MB",
          "chronos / fmsb CPU", "the same, memory kept"]


def aims_of(found):
    aims = Aims()
    for task, sides in found.items():
        ratio = sides["chronos"]["cpu"] / sides["fmsb"]["cpu"]
        memory = sides["fmsb"]["peak"] / sides["chronos"]["peak"]
        if task == ("forecast", "32"):
            aims.add("CPU time of a forecast of 32 series", "a fifth at most", f"1 / {ratio:.2f}", ratio >= 5)
            aims.add("memory of a forecast of 32 series", "a quarter at most", f"{memory:.2f}", memory <= 0.25)
        elif task[0] == "train":
            aims.add(f"rate of {label(task)}", "1.2 times at least", f"{ratio:.2f}", ratio >= 1.2)
            aims.add(f"memory of {label(task)}", "no more", f"{memory:.2f}", memory <= 1)
    return aims


def write_page(options, found, apart):
    from importlib.metadata import version
    text = f"""# Chronos-T5 beside chronos-forecasting

Generated by `bench/peers/chronos.py`; do not edit. The tiny shape with random weights, float32, one thread. A forecast is
of 64 steps and 20 samples from 512 observations, per series; fine-tuning is a step of AdamW on a batch of 32, per step,
with dropout, the base frozen (transformers' T5, adapted by peft). Each measurement is a process of its own, the sides in
turn, medians of {options.rounds}; memory is the process' peak. Logits of the two sides differ by {apart:.1e} of the
largest. Our program keeps freed memory for its next step ([keep_freed_memory](../reference/train/freed_memory.md)), as
`examples/chronos` does; the last column is the ratio where Python's process is told the same by its environment.

![CPU time](chronos_peers.svg)

{table(HEADER, rows_of(found))}

## Aims

{aims_of(found).table()}

## How

- `cmake --preset bench && cmake --build --preset bench --target chronos_peer && bench/peers/chronos.py`
- {processor()}, {os.cpu_count()} cores, one thread; load average {options.load:.1f} at the start
- chronos-forecasting {version("chronos-forecasting")}, transformers {version("transformers")}, peft {version("peft")},
  torch {version("torch")}
- fmsb at {commit()}
"""
    (options.out / "chronos_peers.md").write_text(text, encoding="utf-8")
    bars = [(label(task), sides["chronos"]["cpu"] / per(task), sides["fmsb"]["cpu"] / per(task))
            for task, sides in found.items()]
    pairs_of_bars(options.out / "chronos_peers.svg", bars, "CPU time a series, and a step of fine-tuning",
                  "seconds", ("chronos-forecasting", "fmsb"))


def theirs(words):
    import torch
    torch.set_num_threads(1)
    found = their_forecast(*words[1:]) if words[0] == "forecast" else their_training(*words[1:])
    print(json.dumps(found))


def main():
    options = arguments()
    if os.environ.get("FMSB_PEERS") != "1":
        enter_environment(options.venv, "chronos_requirements.txt")
    if options.theirs:
        return theirs(options.theirs)
    if not options.peer.exists():
        raise SystemExit(f"{options.peer} is not built; see --help.")
    options.load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as folder:
        write_model(folder)
        apart = check_logits(options, folder)
        found = measure(options, folder)
    if options.only:
        print(f"logits differ by {apart:.1e}")
        print(table(HEADER, rows_of(found)))
        return None
    write_page(options, found, apart)
    aims_of(found).say()
    print(options.out / "chronos_peers.md")
    return None


if __name__ == "__main__":
    main()
