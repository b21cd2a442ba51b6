"""What the peer comparisons share: their virtual environment, and the words of their pages."""

import os
import pathlib
import platform
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
HERE = pathlib.Path(__file__).resolve().parent
ONE_THREAD = {name: "1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS",
                                     "NUMBA_NUM_THREADS")}


def enter_environment(venv, requirements):
    """Starts the running script again inside a virtual environment, single-threaded; installs what is missing."""
    python = venv / "bin" / "python"
    wanted = (HERE / requirements).read_text(encoding="utf-8")
    stamp = venv / "requirements.installed"
    if not stamp.exists() or stamp.read_text(encoding="utf-8") != wanted:
        if not python.exists():
            print(f"making {venv}", flush=True)
            subprocess.run([sys.executable, "-m", "venv", str(venv)], check=True)
        print(f"installing {requirements}", flush=True)
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", "-r", str(HERE / requirements)], check=True)
        stamp.write_text(wanted, encoding="utf-8")
    os.execve(python, [str(python), str(pathlib.Path(sys.argv[0]).resolve()), *sys.argv[1:]],
              {**os.environ, **ONE_THREAD, "FMSB_PEERS": "1"})


def processor():
    for line in pathlib.Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


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


def table(header, rows):
    right = [all(row[i][:1].isdigit() for row in rows if row[i]) for i in range(len(header))]
    lines = ["| " + " | ".join(header) + " |", "|" + "|".join("---:" if r else "---" for r in right) + "|"]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])
