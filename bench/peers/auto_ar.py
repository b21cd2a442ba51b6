#!/usr/bin/env python3
"""Auto-AR beside its nearest Python relatives, on the same array in memory, one thread, one core.

    cmake --preset bench && cmake --build --preset bench --target auto_ar_peer
    bench/peers/auto_ar.py

Makes a virtual environment under build/peers and installs requirements.txt there, measures (about five minutes), and
writes docs/results/auto_ar_peers.md and .svg. Answers are compared before anything is timed: the order that
statsmodels' ar_select_order chooses and its BIC of every order, and the forecasts of mlforecast with a linear
regression. Rivals take turns in random order, round after round; medians of CPU seconds count, for other work on the
machine hardly touches them.
"""

import argparse
import json
import os
import pathlib
import platform
import random
import statistics
import subprocess
import sys
import tempfile
import time
import warnings

from common import enter_environment

from pages import ROOT, commit, pairs_of_bars, processor, table, three

HORIZON = 96
LAGS = (24, 96, 192)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peer", type=pathlib.Path, default=ROOT / "build/bench/bin/auto_ar_peer",
                        help="our program (default build/bench/bin/auto_ar_peer)")
    parser.add_argument("--venv", type=pathlib.Path, default=ROOT / "build/peers/venv",
                        help="the virtual environment to use or make (default build/peers/venv)")
    parser.add_argument("--rounds", type=int, default=5, help="times that every rival runs (default 5)")
    parser.add_argument("--core", type=int, help="the core to stay on (default the last one allowed)")
    parser.add_argument("--out", type=pathlib.Path, default=ROOT / "docs/results",
                        help="folder of the page and the plot (default docs/results)")
    parser.add_argument("--once", help=argparse.SUPPRESS)  # one call of one rival, for the whole-process row
    parser.add_argument("--array", help=argparse.SUPPRESS)
    parser.add_argument("--watch", help=argparse.SUPPRESS)  # start these commands and measure them
    return parser.parse_args()


# ---- Data ---------------------------------------------------------------------------------------------------------

def load_array():
    """[channels, rows] of ETTh1's train and validation rows, or a made-up array of that shape; and its name."""
    import numpy as np
    folder = pathlib.Path(os.environ.get("FMSB_DATA", ROOT.parent / "shared" / "data"))
    file = folder / "timeseries" / "ETTh1.csv"
    if file.exists():
        table = np.loadtxt(file, delimiter=",", skiprows=1, usecols=range(1, 8), max_rows=11520)
        return np.ascontiguousarray(table.T), "ETTh1, train and validation"
    draw = np.random.default_rng(1)
    level = draw.normal(size=(7, 11520)).cumsum(axis=1) * 0.03
    day = np.sin(2 * np.pi * np.arange(11520) / 24)
    return level + day + draw.normal(size=level.shape) * 0.3, "made up (seed 1) in the shape of ETTh1"


# ---- Rivals: each returns (seconds by part, answer) ----------------------------------------------------------------

def seconds(work):
    wall, cpu = time.perf_counter(), time.process_time()
    answer = work()
    return {"cpu": time.process_time() - cpu, "wall": time.perf_counter() - wall}, answer


def statsmodels_orders(y, lags):
    from statsmodels.tsa.ar_model import ar_select_order
    took, found = seconds(lambda: ar_select_order(y, lags, ic="bic", hold_back=lags))
    chosen = max(found.ar_lags) if found.ar_lags else 0
    bic = {(0 if key == 0 or not key else max(key)): value for key, value in found.bic.items()}
    return took, {"order": chosen, "bic": bic}


def statsforecast_arima(y, horizon=HORIZON, **settings):
    from statsforecast.models import AutoARIMA
    model = AutoARIMA(**settings)
    took, forecast = seconds(lambda: model.forecast(y=y, h=horizon)["mean"])
    return took, {"forecast": forecast}


def arima_order(y, **settings):
    from statsforecast.models import AutoARIMA
    p, q, P, Q, m, d, D = AutoARIMA(**settings).fit(y).model_["arma"]
    return f"({p},{d},{q})" + (f"({P},{D},{Q}) of {m}" if m > 1 else "")


def long_table(x):
    import numpy as np
    import pandas as pd
    channels, rows = x.shape
    return pd.DataFrame({"unique_id": np.repeat(np.arange(channels), rows), "ds": np.tile(np.arange(rows), channels),
                         "y": x.reshape(-1)})


def mlforecast_linear(x, lags):
    from mlforecast import MLForecast
    from mlforecast.target_transforms import Differences
    from sklearn.linear_model import LinearRegression
    table = long_table(x)
    model = MLForecast(models=[LinearRegression()], freq=1, lags=list(range(1, lags + 1)),
                       target_transforms=[Differences([1])], num_threads=1)
    fit, _ = seconds(lambda: model.fit(table, static_features=[], as_numpy=True))
    predict, forecast = seconds(lambda: model.predict(HORIZON))
    return {"fit": fit, "predict": predict}, {
        "forecast": forecast["LinearRegression"].to_numpy().reshape(x.shape[0], HORIZON)}


class Ours:
    """Our program, called on the same bytes."""

    def __init__(self, program, folder):
        self.program, self.folder, self.files = program, pathlib.Path(folder), {}

    def file_of(self, x):
        if id(x) not in self.files:
            path = self.folder / f"{len(self.files)}.bin"
            x.astype("float64").tofile(path)
            self.files[id(x)] = (path, x)  # the array is kept, so that its id stays its own
        return self.files[id(x)][0]

    def __call__(self, x, task, order, horizon=0, repeats=3):
        channels = 1 if x.ndim == 1 else x.shape[0]
        command = [str(self.program), str(self.file_of(x)), str(channels), task, str(order), str(horizon), str(repeats)]
        return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


# ---- Gates ---------------------------------------------------------------------------------------------------------

def require(agrees, sentence):
    if not agrees:
        raise SystemExit(f"{sentence} Nothing was timed.")


def gate_orders(ours, y, lags):
    """One order and, up to a constant (statsmodels leaves the variance out of the count), one BIC for every lag."""
    _, theirs = statsmodels_orders(y, lags)
    mine = ours(y, "orders", lags)
    require(mine["order"] == theirs["order"],
            f"P = {lags}: statsmodels chooses order {theirs['order']}, fmsb {mine['order']}.")
    apart = [mine["bic"][lag] - value for lag, value in theirs["bic"].items()]
    spread = max(apart) - min(apart)
    require(spread < 1e-6, f"P = {lags}: the BIC of all orders differ by up to {spread:.2g} beyond a constant.")
    return mine["order"]


def gate_forecasts(ours, x, lags):
    import numpy as np
    _, theirs = mlforecast_linear(x, lags)
    mine = np.array(ours(x, "forecast", lags, HORIZON)["forecasts"])
    apart = float(np.max(np.abs(mine - theirs["forecast"])) / x.std())
    require(apart < 1e-6, f"{lags} lags: the forecasts differ from mlforecast's by up to {apart:.2g} deviations.")
    return apart


# ---- Measuring ------------------------------------------------------------------------------------------------------

def cases_of(ours, x, y):
    """name -> (task, who, call); a call returns seconds of CPU."""
    cases = {}

    def add(task, who, call):
        cases[f"{task}/{who}"] = (task, who, call)

    for lags in LAGS:
        task = f"order selection, P = {lags}"
        add(task, "fmsb", lambda lags=lags: ours(y, "orders", lags)["seconds"]["cpu"])
        add(task, "statsmodels ar_select_order", lambda lags=lags: statsmodels_orders(y, lags)[0]["cpu"])
    add("order selection, P = 511", "fmsb", lambda: ours(y, "orders", 511)["seconds"]["cpu"])
    for name, settings in (("default", {}), ("approximation", {"approximation": True})):
        add(f"choose and forecast {HORIZON}, one channel", f"statsforecast AutoARIMA, {name}",
            lambda settings=settings: statsforecast_arima(x[-1], d=1, **settings)[0]["cpu"])
    add(f"choose and forecast {HORIZON}, one channel", "fmsb, orders up to 192",
        lambda: ours(x[-1:], "choose", 192, HORIZON)["seconds"]["cpu"])
    for lags in LAGS:
        task = f"fit 7 channels and forecast {HORIZON}, {lags} lags"
        add(task, "fmsb", lambda lags=lags: sum(ours(x, "forecast", lags, HORIZON)[k]["cpu"] for k in ("fit", "predict")))
        add(task, "mlforecast LinearRegression",
            lambda lags=lags: sum(part["cpu"] for part in mlforecast_linear(x, lags)[0].values()))
    return cases


def measure(cases, rounds):
    shuffled, times = random.Random(1), {name: [] for name in cases}
    for turn in range(rounds):
        names = list(cases)
        shuffled.shuffle(names)
        for name in names:
            print(f"\rround {turn + 1} of {rounds}: {name:<70}", end="", file=sys.stderr, flush=True)
            times[name].append(cases[name][2]())
    print(file=sys.stderr)
    return {name: statistics.median(values) for name, values in times.items()}


ONCE = {
    "statsmodels ar_select_order, P = 96": lambda x: statsmodels_orders(differences(x), 96),
    "statsforecast AutoARIMA, one channel": lambda x: statsforecast_arima(x[-1], d=1),
    "mlforecast LinearRegression, 7 channels, 96 lags": lambda x: mlforecast_linear(x, 96),
}


def differences(x):
    import numpy as np
    return np.diff(x[-1])


def whole_processes(options, ours, x, y):
    """Start, imports, one call, end: wall seconds (least of three) and peak memory in MB."""
    array = ours.file_of(x)
    commands = {name: [sys.executable, __file__, "--once", name, "--array", str(array)] for name in ONCE}
    program = str(options.peer)
    commands["fmsb orders, P = 96"] = [program, str(ours.file_of(y)), "1", "orders", "96", "0", "1"]
    commands["fmsb forecast, 7 channels, 96 lags"] = [program, str(array), "7", "forecast", "96", str(HORIZON), "1"]
    # A child's peak begins at its parent's size, so a parent without any import starts them.
    done = subprocess.run([sys.executable, __file__, "--watch", json.dumps(commands)], check=True, stdout=subprocess.PIPE)
    return json.loads(done.stdout)


def watch(commands):
    out = {}
    for name, command in commands.items():
        runs = []
        for _ in range(3):
            start = time.perf_counter()
            with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
                _, status, usage = os.wait4(process.pid, 0)
                process.returncode = os.waitstatus_to_exitcode(status)
            if process.returncode != 0:
                raise SystemExit(f"{name} ended with {process.returncode}")
            runs.append((time.perf_counter() - start, usage.ru_maxrss / 1024))
        out[name] = {"wall": min(r[0] for r in runs), "megabytes": max(r[1] for r in runs)}
    print(json.dumps(out))


def short_series_set():
    """name -> (values, season, steps to forecast): what the rivals' packages bring along."""
    from statsforecast.utils import AirPassengers
    from statsmodels import datasets
    macro = datasets.macrodata.load_pandas().data
    carbon = datasets.co2.load_pandas().data.co2.resample("MS").mean().interpolate()
    return {
        "air passengers, monthly": (AirPassengers, 12, 24),
        "carbon dioxide at Mauna Loa, monthly": (carbon.to_numpy(), 12, 24),
        "sea surface temperature (El Nino), monthly":
            (datasets.elnino.load_pandas().data.iloc[:, 1:].to_numpy().reshape(-1), 12, 24),
        "US gross domestic product, quarterly": (macro.realgdp.to_numpy(), 4, 12),
        "US unemployment, quarterly": (macro.unemp.to_numpy(), 4, 12),
        "US inflation, quarterly": (macro.infl.to_numpy(), 4, 12),
        "sunspots, yearly": (datasets.sunspots.load_pandas().data.SUNACTIVITY.to_numpy(), 1, 12),
        "Nile flow, yearly": (datasets.nile.load_pandas().data.volume.to_numpy(), 1, 12),
    }


def short_series(ours):
    """Not our ground: the last rows of a short series, by a seasonal ARIMA and by an autoregression."""
    import numpy as np
    rows = []
    for name, (values, season, steps) in short_series_set().items():
        known, truth = np.ascontiguousarray(values[:-steps], dtype="float64"), values[-steps:]
        took, arima = statsforecast_arima(known, horizon=steps, season_length=season)
        mine = ours(known[None, :], "choose", min(len(known) // 4, max(2 * season, 12)), steps)
        error = [float(np.mean(np.abs(np.asarray(f).reshape(-1) - truth))) for f in (arima["forecast"], mine["forecasts"])]
        rows.append({"name": name, "rows": len(values), "steps": steps, "arima_mae": error[0], "fmsb_mae": error[1],
                     "arima_cpu": took["cpu"], "fmsb_cpu": mine["seconds"]["cpu"], "order": mine["order"]})
    return rows


# ---- Page and plot ----------------------------------------------------------------------------------------------------

def write_page(options, found):
    from importlib.metadata import version
    rivals = ", ".join(f"{name} {version(name)}" for name in
                       ("statsmodels", "statsforecast", "mlforecast", "scikit-learn", "numpy", "pandas"))
    rows = []
    for task in dict.fromkeys(task for task, _, _ in found["cases"].values()):
        entries = {who: found["cpu"][name] for name, (t, who, _) in found["cases"].items() if t == task}
        mine = next(value for who, value in entries.items() if who.startswith("fmsb"))
        others = [(who, value) for who, value in entries.items() if not who.startswith("fmsb")]
        for who, value in others or [("not run", None)]:
            rows.append([task, who, "" if value is None else three(value * 1e3), three(mine * 1e3),
                         "" if value is None else three(value / mine)])
    whole = [[name, f"{entry['wall']:.2f}", f"{entry['megabytes']:.0f}"] for name, entry in found["whole"].items()]
    short = [[r["name"], str(r["rows"]), str(r["steps"]), three(r["arima_mae"]), three(r["fmsb_mae"]),
              three(r["arima_cpu"] * 1e3), three(r["fmsb_cpu"] * 1e3)] for r in found["short"]]
    lost = sum(r["arima_mae"] < r["fmsb_mae"] for r in found["short"])
    chosen = ", ".join(f"{order} of {lags}" for lags, order in found["orders"].items())
    text = f"""# Auto-AR beside other libraries

Generated by `bench/peers/auto_ar.py`; do not edit. Data: {found['data']}; order selection on the differences of its
last channel ({found['rows']} values). Every side gets the same array in memory, one thread and one core; data loading,
imports and process start are left out here and shown further down. CPU milliseconds, medians of {options.rounds}
rounds in random order. A ratio above 1 says that fmsb takes less time.

{table(["task", "rival", "rival ms", "fmsb ms", "ratio"], rows)}

![CPU seconds by task](auto_ar_peers.svg)

What is compared, and what had to agree before the clock ran:

- **Order selection.** Both fit every order by least squares on one common sample and take the least BIC. Both choose
  the same order ({chosen}), and the BIC of all orders agree to 1e-6 up to a constant. statsmodels factors a
  regression for every order and builds a result with all statistics; fmsb solves all orders with one factorisation.
- **Choose and forecast, one channel.** Different searches: AutoARIMA walks through ARIMA(p,1,q) with p and q up to 5
  ({found['arima']}), fmsb through AR orders up to 192 on differences by BIC ({found['chosen']}). A ratio of times, not
  of like work.
- **Fit and forecast, 7 channels.** The same model: linear regression on the lags of differences, pooled over channels.
  Forecasts agree to {found['apart']:.0e} deviations.

## Whole processes

Start, imports, one call, end; wall seconds (least of three) and peak resident memory. Loading LibTorch is the larger part of ours.

{table(["process", "seconds", "peak MB"], whole)}

## Short series: not our ground

The last rows of short series, forecast by statsforecast's AutoARIMA with the series' season and by an autoregression
on differences whose order BIC chooses. Mean absolute errors in the series' own units: AutoARIMA is ahead on {lost} of
{len(short)}. One cut a series, so a single row proves little; seasonal and moving-average terms, and levels that
return to their mean, are what a short autoregression on differences lacks.

{table(["series", "rows", "steps", "AutoARIMA error", "fmsb error", "AutoARIMA ms", "fmsb ms"], short)}

## How

- `cmake --preset bench && cmake --build --preset bench --target auto_ar_peer && bench/peers/auto_ar.py`
- {processor()}, {os.cpu_count()} cores, one used; load average {found['load']:.1f} at the start
- {rivals}; Python {platform.python_version()}
- fmsb at {commit()}
"""
    (options.out / "auto_ar_peers.md").write_text(text, encoding="utf-8")
    return rows


def write_plot(options, rows):
    bars = [(task, who, float(theirs.replace(",", "")), float(mine.replace(",", "")))
            for task, who, theirs, mine, _ in rows if theirs]
    pairs_of_bars(options.out / "auto_ar_peers.svg",
                  [(f"{who}\\n{task}", theirs / 1e3, mine / 1e3) for task, who, theirs, mine in bars],
                  "CPU seconds on one core: the same array in memory", "seconds", ("rival", "fmsb"),
                  'set format x "%g"')


def main():
    options = arguments()
    if os.environ.get("FMSB_PEERS") != "1":
        enter_environment(options.venv, "requirements.txt")
    if options.watch:
        return watch(json.loads(options.watch))
    warnings.simplefilter("ignore")
    if options.once:
        import numpy as np
        return ONCE[options.once](np.fromfile(options.array).reshape(7, -1))
    if not options.peer.exists():
        raise SystemExit(f"{options.peer} is not there. Build it: "
                         "cmake --preset bench && cmake --build --preset bench --target auto_ar_peer")
    core = max(os.sched_getaffinity(0)) if options.core is None else options.core
    os.sched_setaffinity(0, {core})
    load = os.getloadavg()[0]
    x, name = load_array()
    with tempfile.TemporaryDirectory() as folder:
        ours = Ours(options.peer, folder)
        y = differences(x)
        print("comparing answers", file=sys.stderr, flush=True)
        orders = {lags: gate_orders(ours, y, lags) for lags in LAGS}
        apart = max(gate_forecasts(ours, x, lags) for lags in LAGS)
        cases = cases_of(ours, x, y)
        found = {"data": name, "rows": len(y), "orders": orders, "apart": apart, "cases": cases, "load": load,
                 "arima": arima_order(x[-1], d=1),
                 "chosen": f"AR({ours(x[-1:], 'choose', 192, HORIZON)['order']})",
                 "cpu": measure(cases, options.rounds),
                 "whole": whole_processes(options, ours, x, y),
                 "short": short_series(ours)}
    options.out.mkdir(parents=True, exist_ok=True)
    write_plot(options, write_page(options, found))
    print((options.out / "auto_ar_peers.md").read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
