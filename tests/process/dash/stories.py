#!/usr/bin/env python3
"""Commands of the dash program that follow one another: what one writes, the next reads."""

import json
import pathlib
import signal
import subprocess
import sys
import tempfile
import time


class Story:
    """Runs the program in a folder of its own, on one thread, so that equal means equal to the bit."""

    def __init__(self, program, tables, folder):
        self.program, self.tables, self.folder = program, pathlib.Path(tables), pathlib.Path(folder)

    def command(self, *words):
        return [self.program, *words, "--threads", "1"]

    def searching(self, out, *more):
        return ["search", "--task", "genomics", "--train", str(self.tables / "train.csv"), "--test",
                str(self.tables / "test.csv"), "--batch", "16", "--out", out, *more]

    def run(self, *words, code=0):
        done = subprocess.run(self.command(*words), cwd=self.folder, capture_output=True, text=True)
        if done.returncode != code:
            sys.exit(f"{' '.join(words)}\nended with {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout + done.stderr

    def report(self, run):
        return json.loads((self.folder / run / "report.json").read_text())


def require(condition, words):
    if not condition:
        sys.exit(words)


def search_train_show(story):
    """A run is searched, trained, trained plain and shown; the same training twice is done once."""
    said = story.run(*story.searching("run", "--epochs", "2"))
    require("1 of test stand in train" in said, said)
    require("block2.conv2" in said, said)
    for file in ("run.json", "found.hpp", "trace.svg", "entropy.svg", "architecture.svg", "log.jsonl"):
        require((story.folder / "run" / file).stat().st_size > 0, f"{file} is empty")
    said = story.run("train", "--run", "run", "--epochs", "2", "--batch", "16")
    for row in ("found", "random convolution", "logistic regression", "nearest neighbour"):
        require(row in said, said)
    said = story.run("train", "--run", "run", "--epochs", "2", "--batch", "16", "--plain", "--seeds", "2", "--augment",
                     "hide=.1", "--label-smoothing", ".1")
    require("\nplain " in said and "sd" in said, said)
    rows = {row["name"]: row for row in story.report("run")["outcomes"]}
    require(len(rows["plain"]["runs"]) == 2, "two seeds were asked for")
    require("without_copies" in rows["found"]["runs"][0]["scores"], "a copy was planted")
    begin = (story.folder / "run" / "found-seed1.safetensors").stat().st_mtime_ns
    story.run("train", "--run", "run", "--epochs", "2", "--batch", "16")
    again = (story.folder / "run" / "found-seed1.safetensors").stat().st_mtime_ns
    require(begin == again, "the same training was done again")
    said = story.run("show", "--run", "run")
    require("inline constexpr std::array" in said and "receptive" not in said, said)
    said = story.run(*story.searching("run", "--epochs", "3"), code=2)
    require("holds a run whose search differs" in said, said)


def killed_goes_on(story):
    """A search that is killed and begun again finds what one that was left alone does."""
    options = ["--epochs", "6", "--share", "1"]
    story.run(*story.searching("whole", *options))
    process = subprocess.Popen(story.command(*story.searching("ended", *options)), cwd=story.folder,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    checkpoint = story.folder / "ended" / "search.checkpoint"
    deadline = time.monotonic() + 120
    while not checkpoint.exists() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    story.run(*story.searching("ended", *options))
    traces = [story.report(run)["search"]["trace"] for run in ("whole", "ended")]
    require(traces[0] == traces[1], "the resumed search came to other shares")


def main():
    name, program, tables = sys.argv[1:]
    with tempfile.TemporaryDirectory(prefix="fmsb-dash-") as folder:
        {"search_train_show": search_train_show, "killed_goes_on": killed_goes_on}[name](
            Story(program, tables, folder))


main()
