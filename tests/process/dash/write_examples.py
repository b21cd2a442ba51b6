#!/usr/bin/env python3
"""Writes the small files that the tests of dash read: sequences good and bad, images."""

import json
import pathlib
import random
import struct
import sys


def dna(draw, length):
    return "".join(draw.choice("ACGT") for _ in range(length))


def planted(draw, label):
    text = list(dna(draw, 40))
    at = draw.randrange(4, 20)
    text[at : at + 6] = "TATAAT" if label else "GGGCCC"
    return "".join(text)


def table(file, rows, header="sequence,label"):
    file.write_text("\n".join([header] + [f"{text},{label}" for text, label in rows]) + "\n")


def safetensors(file, tensors):
    head, data = {}, b""
    for name, (kind, shape, content) in tensors.items():
        head[name] = {"dtype": kind, "shape": shape, "data_offsets": [len(data), len(data) + len(content)]}
        data += content
    text = json.dumps(head).encode()
    text += b" " * (-len(text) % 8)
    file.write_bytes(struct.pack("<Q", len(text)) + text + data)


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    draw = random.Random(3)
    rows = [(planted(draw, i % 2), i % 2) for i in range(120)]
    table(folder / "train.csv", rows)
    table(folder / "test.csv", [(planted(draw, i % 2), i % 2) for i in range(40)] + [rows[0]])
    table(folder / "letters.csv", [(text.replace("A", "J", 1), label) for text, label in rows])
    table(folder / "unequal.csv", [(text[: 40 - i % 3], label) for i, (text, label) in enumerate(rows)])
    table(folder / "one_class.csv", [(text, 0) for text, _ in rows])
    table(folder / "columns.csv", rows, "dna,class")
    table(folder / "other_class.csv", [(text, 2) for text, _ in rows])
    for label, name in enumerate(("no", "yes")):
        records = [f">{name}{i}\n{text}" for i, (text, l) in enumerate(rows) if l == label]
        (folder / f"{name}.fa").write_text("\n".join(records) + "\n")

    pixels, labels = bytearray(), []
    for i in range(80):
        label = i % 2
        for y in range(8):
            for x in range(8):
                pixels.append(min(255, draw.randrange(40) + (180 if (x if label else y) % 4 == 0 else 0)))
        labels.append(label)
    safetensors(
        folder / "stripes.safetensors",
        {
            "images": ("U8", [80, 1, 8, 8], bytes(pixels)),
            "labels": ("I64", [80], struct.pack("<80q", *labels)),
            "split": ("U8", [80], bytes(1 if i >= 60 else 0 for i in range(80))),
        },
    )


main()
