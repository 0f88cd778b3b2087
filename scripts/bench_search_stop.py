#!/usr/bin/env python3
"""How often a search that ends itself is right to, replayed on tables.

After every trial the search tells how probable it is that anything unmeasured gains more than
2 %. It would end where that is below a limit twice running; told is how often it would, how
often the recommendation then is within 2 % and 5 % of the best, and what share of all trials
it would save. Used by scripts/bench-search.sh.
"""

import argparse
import sys
from pathlib import Path
from statistics import fmean

LIMITS = (0.02, 0.05, 0.1, 0.2)


def run(bench, problem, command, budget, seed):
    """After each trial, the chance that something is left, and the true gap."""
    told = []

    class Heard(bench.Stdio):
        def recommend(self):
            answer = self.call({"type": "recommend"})
            config = answer.get("config")
            place = None if config is None else problem.index(config)
            gap = 9.0 if place is None or not problem.feas[place] else float(problem.gap[place])
            told.append((answer.get("chance"), gap))
            return config

    bench.run_one(problem, lambda public, trials, seed: Heard(command, public, trials, seed), budget, seed)
    return told


def end(told, limit):
    """The first trial after which the chance was below the limit twice running."""
    low = [chance is not None and chance < limit for chance, _ in told]
    twice = [trial for trial in range(1, len(low)) if low[trial] and low[trial - 1]]
    return twice[0] if twice else None


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--command", required=True)
    parser.add_argument("--problems", required=True)
    parser.add_argument("--seeds", default="0-9")
    parser.add_argument("--budget", type=int, default=60)
    arguments = parser.parse_args()
    sys.path.insert(0, str(arguments.folder))
    import bench

    first, _, last = arguments.seeds.partition("-")
    seeds = range(int(first), int(last or first) + 1)
    runs = []
    for name in arguments.problems.split(","):
        problem = bench.Problem(name)
        runs += [run(bench, problem, arguments.command, arguments.budget, seed) for seed in seeds]
    print("| ends below | of runs | within 2 % | within 5 % | trials saved, of all runs |")
    print("|---|---|---|---|---|")
    for limit in LIMITS:
        ends = [end(told, limit) for told in runs]
        gaps = [told[trial][1] for told, trial in zip(runs, ends) if trial is not None]
        saved = fmean(0.0 if trial is None else 1 - (trial + 1) / arguments.budget for trial in ends)
        right = [f"{fmean(gap <= near for gap in gaps):.0%}" if gaps else "" for near in (0.02, 0.05)]
        print(f"| {limit:.0%} | {len(gaps)} of {len(runs)} | {right[0]} | {right[1]} | {saved:.0%} |")


if __name__ == "__main__":
    main()
