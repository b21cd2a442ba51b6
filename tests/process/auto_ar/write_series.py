#!/usr/bin/env python3
"""Writes the tables that the tests of the auto_ar program read, with their mistakes, into a folder."""

import datetime
import math
import pathlib
import sys


def rows(count, step=datetime.timedelta(hours=1)):
    """Two channels with a daily cycle and a permutation for noise: the same numbers on every machine."""
    when = datetime.datetime(2024, 1, 1)
    for t in range(count):
        noise = (t * 7919 % 1009) / 1009 - 0.5
        yield when + t * step, 10 + 3 * math.sin(2 * math.pi * t / 24) + noise, 5 + math.cos(2 * math.pi * t / 24) - noise


def write(path, lines, header="date,north,south"):
    path.write_text("\n".join([header, *lines]) + "\n")


def main(folder):
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    table = [f"{when},{a:.4f},{b:.4f}" for when, a, b in rows(1500)]
    write(folder / "good.csv", table)
    write(folder / "text.csv", table[:99] + ["2024-01-05 03:00:00,n/a,5.0"] + table[100:])
    write(folder / "repeated.csv", table[:100] + table[99:])
    write(folder / "unsorted.csv", table[:100] + [table[50]] + table[101:])
    write(folder / "short.csv", table[:40])
    write(folder / "constant.csv", [f"{when},1,1" for when, _, _ in rows(1500)])
    write(folder / "absent.csv", [f"{when},,{b:.4f}" for when, _, b in rows(1500)])
    write(folder / "gaps.csv", [f"{when},{'' if 200 <= t < 210 else f'{a:.4f}'},{b:.4f}"
                                for t, (when, a, b) in enumerate(rows(1500))])
    write(folder / "sentinels.csv", [f"{when},{-9999 if t % 400 == 7 else round(a, 4)},{b:.4f}"
                                     for t, (when, a, b) in enumerate(rows(1500))])


if __name__ == "__main__":
    main(sys.argv[1])
