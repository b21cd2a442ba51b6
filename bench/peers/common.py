"""What the peer comparisons share: their virtual environment."""

import os
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))  # pages.py

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
