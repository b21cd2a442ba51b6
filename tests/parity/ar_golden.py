"""Writes golden/ar_series.csv and golden/ar_orders.csv: one series, and what statsmodels says of its
autoregressions of order 0 to 12, all on the sample of order 12 (hold_back).

    pip install statsmodels==0.15.0
    python ar_golden.py
"""
import csv
import pathlib
import random

import numpy as np
from statsmodels.regression.linear_model import burg, yule_walker
from statsmodels.tsa.ar_model import AutoReg, ar_select_order

ORDERS = 12
FOLDER = pathlib.Path(__file__).parent / "golden"


def make_series(length=180):
    draw = random.Random(20240607)
    x = [0.0, 0.0, 0.0]
    for _ in range(length):
        x.append(0.4 + 0.9 * x[-1] - 0.5 * x[-2] + 0.2 * x[-3] + draw.gauss(0, 1))
    return np.round(np.array(x[3:]), 6)


def write(name, header, rows):
    with open(FOLDER / name, "w", newline="") as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(header)
        writer.writerows([repr(float(v)) for v in row] for row in rows)


def main():
    FOLDER.mkdir(exist_ok=True)
    x = make_series()
    write("ar_series.csv", ["x"], [[v] for v in x])

    chosen = ar_select_order(x, ORDERS, ic="aic", trend="c")

    def selected(table, order):  # keyed by the tuple of lags, 0 for none
        return table[tuple(range(1, order + 1)) or 0]

    reflections, variances = [], []
    for order in range(1, ORDERS + 1):
        coefficients, variance = burg(x, order)
        reflections.append(coefficients[-1])
        variances.append(variance)
    rows = []
    for order in range(ORDERS + 1):
        fit = AutoReg(x, order, trend="c", hold_back=ORDERS).fit()
        walker, deviation = [0.0], np.std(x)
        if order:
            walker, deviation = yule_walker(x, order, method="mle", result_object=False)
        rows.append([
            order, fit.aic, fit.aicc, fit.bic, fit.hqic,
            selected(chosen.aic, order), selected(chosen.bic, order), selected(chosen.hqic, order),
            fit.params[0], fit.params[-1] if order else 0.0, fit.sigma2,
            reflections[order - 1] if order else 0.0, variances[order - 1] if order else np.var(x),
            walker[-1], deviation**2,
        ])
    write("ar_orders.csv",
          ["order", "aic", "aicc", "bic", "hqic", "select_aic", "select_bic", "select_hqic",
           "intercept", "last_lag", "variance", "burg_last_lag", "burg_variance",
           "yule_walker_last_lag", "yule_walker_variance"], rows)


if __name__ == "__main__":
    main()
