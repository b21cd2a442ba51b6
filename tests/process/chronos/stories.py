#!/usr/bin/env python3
"""Commands of the chronos program that follow one another: what one writes, the next reads."""

import argparse
import csv
import json
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

SHORT = ["--context", "24", "--horizon", "6", "--observed", "10", "--max-windows", "12", "--samples", "4"]


class Story:
    """Runs the program in a folder of its own, on one thread, so that equal means equal to the bit."""

    def __init__(self, program, tables, folder):
        self.program, self.folder = program, pathlib.Path(folder)
        self.vitals = str(pathlib.Path(tables) / "vitals.csv")

    def command(self, *words):
        return [self.program, *words, "--threads", "1"]

    def run(self, *words):
        done = subprocess.run(self.command(*words), cwd=self.folder, capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit(f"{' '.join(words)}\nended with {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout

    def pretrain(self, steps="4", out="model"):
        self.run("pretrain", "--size", "nano", "--out", out, "--context", "24", "--horizon", "6", "--generated", "12",
                 "--mixtures", "6", "--length", "64", "--batch", "4", "--steps", steps, "--checkpoint-every", "2")

    def finetuning(self, out, *more):
        return ["finetune", "--model", "model", "--series", self.vitals, "--out", out, *SHORT, "--batch", "4", *more]

    def numbers(self, file):
        with open(self.folder / file) as lines:
            return [[float(cell) for cell in row[2:]] for row in list(csv.reader(lines))[1:]]

    def report(self, run):
        found = json.loads((self.folder / run / "report.json").read_text())
        del found["seconds"]
        return found


def require(condition, words):
    if not condition:
        sys.exit(words)


def merged_is_adapted(story):
    """A merged model forecasts what the adapted one does, and an exported adapter what the run's own does."""
    story.pretrain()
    story.run(*story.finetuning("run", "--adapter", "lora", "--rank", "2", "--on", "q,v", "--rate", "0.05", "--steps", "15"))
    story.run("merge", "--model", "model", "--adapter", "run", "--out", "merged")
    story.run("export", "--model", "model", "--adapter", "run", "--out", "exported")
    forecast = ["forecast", "--series", story.vitals, "--id", "patient", "--target", "heart_rate_bpm"]
    story.run(*forecast, "--model", "model", "--out", "plain.csv")
    story.run(*forecast, "--model", "model", "--adapter", "run", "--out", "adapted.csv")
    story.run(*forecast, "--model", "model", "--adapter", "exported", "--out", "exported.csv")
    story.run(*forecast, "--model", "merged", "--out", "merged.csv", "--plot", "merged.svg")
    plain, adapted, exported, merged = (story.numbers(f"{name}.csv") for name in ("plain", "adapted", "exported", "merged"))
    require(len(adapted) == 40 * 6, f"{len(adapted)} rows were forecast")
    require(adapted == exported, "the exported adapter forecasts something else")
    require(adapted != plain, "the adapter changes nothing")
    # Rounding of the merged weights may move a draw into the next bin, which is rare.
    far = sum(abs(a - b) > 1e-3 * abs(a) for one, other in zip(adapted, merged) for a, b in zip(one, other))
    require(far < 0.02 * 4 * len(adapted), f"{far} numbers of the merged model differ")
    out = story.run("evaluate", "--model", "model", "--adapter", "run", "--series", story.vitals, *SHORT, "--report",
                    "scores.json")
    require(all(word in out for word in ("last value", "auto-ar", "zero-shot", "run")), out)


def killed_goes_on(story):
    """A run that was killed ends with the report of one that was not."""
    story.pretrain()
    wanted = ["--adapter", "fourier_ft", "--frequencies", "100", "--target", "mean_pressure_mmhg", "--steps", "120",
              "--validate-every", "10", "--validation-windows", "8"]
    story.run(*story.finetuning("whole", *wanted))
    for number in (signal.SIGKILL, signal.SIGTERM):
        out = f"signal{int(number)}"
        running = subprocess.Popen(story.command(*story.finetuning(out, *wanted)), cwd=story.folder,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        checkpoint = story.folder / out / "training.checkpoint"
        while running.poll() is None and not checkpoint.exists():
            time.sleep(0.01)
        running.send_signal(number)
        words = running.communicate()[1]
        require(running.returncode == (-9 if number == signal.SIGKILL else 143), f"ended with {running.returncode}: {words}")
        require(not (story.folder / out / "report.json").exists(), "the run was over before the signal came")
        if number == signal.SIGTERM:
            require("the same command goes on from there" in words, words)
        story.run(*story.finetuning(out, *wanted))
        require(story.report(out) == story.report("whole"), "the report of the run that went on is another one")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("story", choices=["merged_is_adapted", "killed_goes_on"])
    parser.add_argument("program")
    parser.add_argument("tables")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="fmsb-chronos-") as folder:
        globals()[arguments.story](Story(arguments.program, arguments.tables, folder))


if __name__ == "__main__":
    main()
