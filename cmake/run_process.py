#!/usr/bin/env python3
"""Runs a program in an empty folder and compares exit code, output and files with what was announced."""

import argparse
import os
import pathlib
import re
import subprocess
import sys
import tempfile


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--exit", type=int, default=0)
    parser.add_argument("--stdout", action="append", default=[], help="regular expression that must be found")
    parser.add_argument("--stderr", action="append", default=[], help="regular expression that must be found")
    parser.add_argument("--creates", action="append", default=[], help="file that must be there and hold something")
    parser.add_argument("--leaves-nothing", action="store_true", help="the folder must be empty afterwards")
    parser.add_argument("--skip-without", help="file of the shared data that the test needs")
    parser.add_argument("--source", required=True, help="what {source} stands for")
    parser.add_argument("--root", required=True, help="the project's root: the shared data lie beside it")
    parser.add_argument("command", nargs="+")
    arguments = parser.parse_args()

    data = pathlib.Path(os.environ.get("FMSB_DATA") or pathlib.Path(arguments.root).parent / "shared" / "data")
    if arguments.skip_without and not (data / arguments.skip_without).exists():
        print(f"skipped: {arguments.command[0]}: {arguments.skip_without} is not in the shared data folder")
        return 0
    command = [part.replace("{data}", str(data)).replace("{source}", arguments.source) for part in arguments.command]

    with tempfile.TemporaryDirectory(prefix="fmsb-process-") as folder:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, errors="replace",
                              stdin=subprocess.DEVNULL)
        wrong = []
        if done.returncode != arguments.exit:
            wrong.append(f"exit code {done.returncode} instead of {arguments.exit}")
        for stream, patterns in (("stdout", arguments.stdout), ("stderr", arguments.stderr)):
            for pattern in patterns:
                if not re.search(pattern, getattr(done, stream), re.MULTILINE):
                    wrong.append(f"{stream} holds nothing like /{pattern}/")
        for name in arguments.creates:
            file = pathlib.Path(folder, name)
            if not file.is_file() or file.stat().st_size == 0:
                wrong.append(f"{name} was not written, or is empty")
        left = sorted(str(path.relative_to(folder)) for path in pathlib.Path(folder).rglob("*"))
        if arguments.leaves_nothing and left:
            wrong.append(f"left behind: {', '.join(left)}")

    if wrong:
        print("\n".join(wrong))
        print("command:", " ".join(command))
        print(f"--- stdout\n{done.stdout}--- stderr\n{done.stderr}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
