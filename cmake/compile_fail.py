#!/usr/bin/env python3
"""Compiles one file twice: as it is it must pass, with -DFAILS it must fail with the words it announces.

The file's first line is `// expected-error: "words"`; several such lines ask for several texts. A quote inside
the words is written \\".
"""

import argparse
import re
import subprocess
import sys


def squeezed(text):
    """Compilers break and indent long messages differently: compare words, not white space."""
    return " ".join(text.split())


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--source", required=True)
    parser.add_argument("compiler", nargs="+", help="after --: compiler and flags")
    arguments = parser.parse_args()

    with open(arguments.source, encoding="utf-8") as file:
        expected = [
            found.group(1).replace('\\"', '"')
            for found in re.finditer(r'^// expected-error: "((?:[^"\\]|\\.)*)"', file.read(), re.MULTILINE)
        ]
    if not expected:
        return f'{arguments.source} announces no error: its first line must be // expected-error: "words"'

    passing = subprocess.run([*arguments.compiler, arguments.source], capture_output=True, text=True)
    if passing.returncode != 0:
        return f"{arguments.source} must compile without FAILS, and does not:\n{passing.stderr}"
    failing = subprocess.run([*arguments.compiler, "-DFAILS", arguments.source], capture_output=True, text=True)
    if failing.returncode == 0:
        return f"{arguments.source} must not compile with FAILS, and does."
    output = squeezed(failing.stderr)
    for words in expected:
        if squeezed(words) not in output:
            return f"{arguments.source} fails with FAILS, but does not say\n  {words}\nIt says:\n{failing.stderr}"
    print(f"fails as announced: {'; '.join(expected)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
