#!/usr/bin/env python3
"""What an earlier task's trials are worth to a search: replayed on tables and siblings of them.

A sibling is the table with every metric moved by what each parameter's values do to it, drawn
anew (as another model or machine would); which configurations crash stays. The search runs on
the sibling first, and its trials are the history of the search on the table itself; a third
run gets the same history with its outcomes shuffled, which should cost little. Told is the
median number of experiments until the recommendation is within 5 % of the best (one more than
the budget where it never is). Used by scripts/bench-search.sh.
"""

import argparse
import copy
import json
import sys
import tempfile
from pathlib import Path
from statistics import median

import numpy

NEAR = 0.05


def sibling(problem, deviation, seed):
    """The same space and crashes; metrics moved by each parameter's values."""
    rng = numpy.random.default_rng([seed, problem.n])
    moved = copy.copy(problem)
    levels = numpy.stack(numpy.unravel_index(numpy.arange(problem.n), problem.sizes), 1)
    moves = numpy.zeros((problem.n, 1, problem.M.shape[2]))
    for axis, (parameter, size) in enumerate(zip(problem.params, problem.sizes)):
        effect = rng.normal(0, deviation, (size, problem.M.shape[2]))
        if parameter["type"] not in ("categorical", "bool"):
            # Neighbouring values move alike.
            place = numpy.linspace(-1, 1, size)[:, None]
            effect = rng.normal(0, deviation, effect.shape[1]) * place + 0.3 * effect
        moves += effect[levels[:, axis]][:, None, :]
    moved.M = problem.M * numpy.exp(moves)
    return moved


def run(bench, problem, command, budget, seed):
    """The gaps of the recommendations, trial by trial, and what was told."""
    told = []

    class Recorded(bench.Stdio):
        def tell(self, config, result):
            told.append({"config": config, **result})
            super().tell(config, result)

    rows, _ = bench.run_one(problem, lambda public, trials, seed: Recorded(command, public, trials, seed), budget, seed)
    return [row[1] for row in rows], told


def until_near(gaps):
    near = [trial for trial, gap in enumerate(gaps, 1) if gap <= NEAR]
    return near[0] if near else len(gaps) + 1


def shuffled(told, seed):
    outcomes = [{key: value for key, value in trial.items() if key != "config"} for trial in told]
    numpy.random.default_rng(seed).shuffle(outcomes)
    return [{"config": trial["config"], **outcome} for trial, outcome in zip(told, outcomes)]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--binary", required=True)
    parser.add_argument("--problems", required=True)
    parser.add_argument("--seeds", default="0-9")
    parser.add_argument("--budget", type=int, default=60)
    parser.add_argument("--deviation", type=float, default=0.1)
    arguments = parser.parse_args()
    sys.path.insert(0, str(arguments.folder))
    import bench

    first, _, last = arguments.seeds.partition("-")
    seeds = range(int(first), int(last or first) + 1)
    print("| table | seeds | best of the sibling, here | alone | after the sibling | after shuffled history |")
    print("|---|---|---|---|---|---|")
    everything = {"alone": [], "sibling": [], "shuffled": []}
    for name in arguments.problems.split(","):
        problem = bench.Problem(name)
        trials = {"alone": [], "sibling": [], "shuffled": []}
        lost = []
        for seed in seeds:
            other = sibling(problem, arguments.deviation, seed)
            value, violations = other.score(numpy.moveaxis(other.M, 0, -1))
            feasible = (other.status == 0) & ((violations.max(0) if len(violations) else -1) <= 0)
            best = numpy.argmax(numpy.where(feasible, other.sgn * value, -numpy.inf))
            lost.append(problem.gap[best] if problem.feas[best] else 9.0)
            _, told = run(bench, other, arguments.binary, arguments.budget, seed + 1000)
            histories = {"alone": None, "sibling": told, "shuffled": shuffled(told, seed)}
            for kind, history in histories.items():
                command = arguments.binary
                with tempfile.NamedTemporaryFile("w", suffix=".jsonl", encoding="utf-8") as file:
                    if history is not None:
                        file.writelines(json.dumps(trial) + "\n" for trial in history)
                        file.flush()
                        command += f" --earlier={file.name}"
                    gaps, _ = run(bench, problem, command, arguments.budget, seed)
                trials[kind].append(until_near(gaps))
        for kind, counts in trials.items():
            everything[kind] += counts
        medians = " | ".join(f"{median(counts):g}" for counts in trials.values())
        print(f"| {name} | {len(seeds)} | {median(lost):.3f} | {medians} |", flush=True)
    medians = " | ".join(f"{median(counts):g}" for counts in everything.values())
    print(f"| **all** | | | {medians} |")


if __name__ == "__main__":
    main()
