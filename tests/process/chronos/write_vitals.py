#!/usr/bin/env python3
"""Writes tables of vitals, and some with mistakes, into a folder: the same numbers on every machine."""

import math
import pathlib
import sys

HEADER = "patient,hour,heart_rate_bpm,mean_pressure_mmhg"


def rows(patients, hours=48):
    for patient in range(patients):
        for hour in range(hours):
            noise = (patient * 7919 + hour * 104729) % 1009 / 1009 - 0.5
            level = 70 + patient * 37 % 30
            rate = level + 6 * math.sin(hour / 4 + patient) + 8 * noise
            pressure = "" if (patient + hour) % 11 == 0 else f"{150 - level + 5 * math.cos(hour / 5) - 6 * noise:.1f}"
            yield f"{100 + patient},{hour},{rate:.0f},{pressure}"


def write(path, lines, header=HEADER):
    path.write_text("\n".join([header, *lines]) + "\n")


def main(folder):
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    table = list(rows(40))
    write(folder / "vitals.csv", table)
    write(folder / "text.csv", table[:20] + ["100,20,fast,80.0"] + table[21:])
    write(folder / "unsorted.csv", table[:20] + [table[5]] + table[21:])
    write(folder / "short.csv", list(rows(40, hours=20)))
    write(folder / "few.csv", list(rows(1)))
    write(folder / "narrow.csv", ["1,2"], header="patient,hour")


if __name__ == "__main__":
    main(sys.argv[1])
