#!/usr/bin/env python3
"""Sums up replayed searches, table by table, beside a baseline's. Used by scripts/bench-search.sh.

The gap is what the recommended configuration truly falls short of the best one, as a share of
it; without a recommendation, or with one that crashes or misses a hard limit, it is 9. Regret
is the gap in units of the gap of the table's median configuration, 2 at most.
"""

import argparse
import csv
import json
from collections import defaultdict
from pathlib import Path
from statistics import fmean, median

import numpy

# What a run has lost to noise: more than this share to the best that it measured.
LOST = 0.02
NO_RECOMMENDATION = 9.0


def read(paths):
    """Rows by table, seed and trial."""
    rows = {}
    for path in paths:
        with open(path, newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                rows[row["problem"], int(row["seed"]), int(row["trial"])] = row
    return rows


def number(row, key):
    return float(row[key]) if row[key] not in ("", "nan", "None") else NO_RECOMMENDATION


def interval(differences):
    """The mean and its 95 % interval, by a bootstrap over seeds."""
    draw = numpy.random.default_rng(0)
    values = numpy.array(differences)
    means = [draw.choice(values, len(values)).mean() for _ in range(2000)]
    return values.mean(), *numpy.quantile(means, [0.025, 0.975])


def summary(rows, seeds, table, median_gap, trials):
    """What is told of one optimiser on one table."""
    told = {}
    for trial in trials:
        gaps = [number(rows[table, seed, trial], "rec_gap") for seed in seeds]
        told[f"regret@{trial}"] = median(min(gap / median_gap, 2.0) for gap in gaps)
        told[f"within 5 %@{trial}"] = fmean(gap <= 0.05 for gap in gaps)
        told[f"within 2 %@{trial}"] = fmean(gap <= 0.02 for gap in gaps)
    last = [rows[table, seed, trials[-1]] for seed in seeds]
    told["crashes"] = fmean(float(row["crashes"]) for row in last)
    lost = [number(row, "rec_gap") - number(row, "best_evaluated_gap") > LOST for row in last]
    told["lost to noise"] = fmean(lost)
    told["given up"] = fmean(float(row["aborted"]) for row in last)
    told["hours"] = fmean(float(row["cost_s"]) for row in last) / 3600
    return told


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--budget", type=int, required=True)
    parser.add_argument("--baseline", required=True)
    parser.add_argument("results", nargs="+")
    arguments = parser.parse_args()
    ours = read(arguments.results)
    theirs = read([arguments.folder / "results" / f"{arguments.baseline}.csv"])
    trials = sorted({min(20, arguments.budget), arguments.budget})
    told = defaultdict(list)
    heading = None
    for table in sorted({table for table, _, _ in ours}):
        meta = json.loads((arguments.folder / "tables" / f"{table}.meta.json").read_text(encoding="utf-8"))
        seeds = {seed for name, seed, trial in ours if name == table and trial == trials[-1]}
        seeds &= {seed for name, seed, trial in theirs if name == table and trial == trials[-1]}
        if not seeds:
            print(f"{table}: {arguments.baseline} has no results of the same seeds")
            continue
        seeds = sorted(seeds)
        gap = meta["median_gap"]
        mine = summary(ours, seeds, table, gap, trials)
        other = summary(theirs, seeds, table, gap, trials)
        if heading is None:
            heading = list(mine)
            print("| table | seeds |", " | ".join(heading), "|", " | ".join(f"difference@{t}" for t in trials), "|")
            print("|---|---|" + "---|" * (len(heading) + len(trials)))
        cells = [f"{mine[key]:.3g} ({other[key]:.3g})" for key in heading]
        for trial in trials:
            pairs = [
                min(number(ours[table, seed, trial], "rec_gap") / gap, 2.0)
                - min(number(theirs[table, seed, trial], "rec_gap") / gap, 2.0)
                for seed in seeds
            ]
            mean, low, high = interval(pairs)
            cells.append(f"{mean:+.3f} [{low:+.3f}, {high:+.3f}]")
        print(f"| {table} | {len(seeds)} |", " | ".join(cells), "|")
        told["llm" if table.startswith("llm_") else "synthetic"].append((mine, other))
    for kind, pairs in told.items():
        cells = [f"{fmean(m[key] for m, _ in pairs):.3g} ({fmean(o[key] for _, o in pairs):.3g})" for key in heading]
        print(f"| **mean of {kind}** | |", " | ".join(cells), "|" + " |" * len(trials))


if __name__ == "__main__":
    main()
