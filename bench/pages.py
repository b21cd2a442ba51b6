"""What the pages of docs/results share: the words on machine and commit, tables, aims, bars and dots."""

import os
import pathlib
import platform
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[1]


def processor():
    for line in pathlib.Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def machine():
    """The machine and how busy it is, at the start of a measurement."""
    return {"machine": f"{processor()}, {os.cpu_count()} cores", "load": os.getloadavg()[0]}


def commit():
    """The commit that was measured; changed pages do not change what it measures."""
    git = ["git", "-C", str(ROOT)]
    found = subprocess.run([*git, "describe", "--always"], capture_output=True, text=True)
    if found.returncode != 0:
        return "not committed"
    same = subprocess.run([*git, "diff", "--quiet", "HEAD", "--", ".", ":!docs"]).returncode == 0
    return found.stdout.strip() + ("" if same else "-dirty")


def three(value):
    return f"{value:.3g}" if value < 1000 else f"{value:,.0f}"


def table(header, rows, right_from=None):
    """Columns of numbers stand right: those from `right_from` on, or those whose cells all start with a digit."""
    right = [all(row[i][:1].isdigit() for row in rows if row[i]) if right_from is None else i >= right_from
             for i in range(len(header))]
    lines = ["| " + " | ".join(header) + " |", "|" + "|".join("---:" if r else "---" for r in right) + "|"]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])


class Aims:
    """Rows of a table of aims; counts those that were missed."""

    def __init__(self):
        self.rows = []
        self.missed = 0

    def add(self, what, bound, measured, reached):
        self.missed += not reached
        self.rows.append([what, bound, measured, "yes" if reached else "**no**"])

    def table(self):
        return table(["aim", "bound", "measured", "reached"], self.rows, 4)

    def say(self):
        for row in self.rows:
            print(f"{'reached' if row[3] == 'yes' else 'MISSED ':<8} {row[0]}: {row[2]} ({row[1]})")


def pairs_of_bars(path, bars, title, xlabel, names, more=""):
    """A pair of bars for each (label, first, second), the first one on top, on a logarithmic axis, as an SVG by gnuplot."""
    left = min(min(pair[1:]) for pair in bars) / 1.5
    parts = [label.split("\\n") for label, _, _ in bars]
    width = 600 + 7 * max(len(part) for label in parts for part in label)
    height = 130 + (14 + 20 * max(map(len, parts))) * len(bars)
    lines = "\n".join(f"{row} {first:.6g} {second:.6g}" for row, (_, first, second) in enumerate(bars))
    labels = ", ".join(f'"{label}" {row}' for row, (label, _, _) in enumerate(bars))
    script = f"""set terminal svg size {width},{height} noenhanced font "sans,12" background "white"
set output "{path}"
set title "{title}"
set style fill solid 0.9 noborder
set logscale x
set xlabel "{xlabel} (logarithmic)"
set xrange [{left:.6g}:*]
set yrange [{len(bars) - 0.4}:-0.6]
set ytics ({labels}) nomirror scale 0
set grid xtics lc rgb "#dddddd"
set key outside bottom center horizontal
{more}
$times << END
{lines}
END
plot $times using 2:($1-0.18):({left:.6g}):2:($1-0.34):($1-0.02) with boxxyerror title "{names[0]}" lc rgb "#b0703c", \
     "" using 3:($1+0.18):({left:.6g}):3:($1+0.02):($1+0.34) with boxxyerror title "{names[1]}" lc rgb "#2f6f9f"
"""
    subprocess.run(["gnuplot"], input=script, text=True, check=True)


def dots(path, rows, title, xlabel):
    """A row for each (label, least, mean, most), the first on top, as an SVG by gnuplot; a row without a range has its
    line drawn through all others."""
    lines = "\n".join(f"{row} {mean:.6g} {least:.6g} {most:.6g}" for row, (_, least, mean, most) in enumerate(rows))
    labels = ", ".join(f'"{label}" {row}' for row, (label, *_) in enumerate(rows))
    bottom = len(rows) - 0.4
    marks = "\n".join(f'set arrow from {mean:.6g},{row} to {mean:.6g},{bottom} nohead dt 2 lc rgb "#999999"'
                      for row, (_, least, mean, most) in enumerate(rows) if least == most)
    script = f"""set terminal svg size 900,{120 + 30 * len(rows)} noenhanced font "sans,12" background "white"
set output "{path}"
set title "{title}"
set xlabel "{xlabel}"
set offsets graph 0.04, graph 0.04, 0, 0
set yrange [{bottom}:-0.6]
set ytics ({labels}) nomirror scale 0
set grid xtics lc rgb "#dddddd"
unset key
{marks}
$rows << END
{lines}
END
plot $rows using 2:1:3:4 with xerrorbars pt 7 lw 1.5 lc rgb "#2f6f9f"
"""
    subprocess.run(["gnuplot"], input=script, text=True, check=True)
