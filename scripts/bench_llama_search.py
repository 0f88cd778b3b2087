#!/usr/bin/env python3
"""Compares what a model-based search and a spread grid find on a real llama-server.

Used by scripts/bench-llama-search.sh, which says what is done.
"""

import argparse
import json
import subprocess
import sys
from math import sqrt
from pathlib import Path
from statistics import fmean, stdev

# 2,304 configurations.
PARAMETERS = {
    "threads": [1, 2],
    "threads-batch": [1, 2],
    "parallel": [1, 2, 4],
    "batch-size": [64, 256, 1024, 2048],
    "ubatch-size": [32, 64, 256, 512],
    "flash-attn": ["on", "off"],
    "cache-type-k": ["f16", "q8_0", "f32"],
    "env.OMP_WAIT_POLICY": ["PASSIVE", "ACTIVE"],
}
# Quantiles of Student's t for two-sided 95 %, by degrees of freedom.
T95 = [12.71, 4.30, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26, 2.23, 2.20, 2.18, 2.16, 2.14, 2.13]


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("binary", "server", "model", "work"):
        parser.add_argument(f"--{name}", required=True, type=Path)
    for name in ("experiments", "grid", "pairs", "seed"):
        parser.add_argument(f"--{name}", required=True, type=int)
    return parser.parse_args()


def run(options, name, strategy, experiments, parameters, repetitions):
    """Runs one task and answers with its results."""
    task = {
        "task_name": name,
        "deployment_mode": "local",
        "base_runtime": "llamacpp",
        "model": {"id_or_path": str(options.model.resolve())},
        "parameters": parameters,
        "optimization": {
            "strategy": strategy,
            "objective": "maximize_throughput",
            "max_iterations": experiments,
            "max_replicates": repetitions,
            "timeout_per_iteration": 120,
            "seed": options.seed,
        },
        "benchmark": {
            "traffic_scenarios": ["D(64,32)"],
            "num_concurrency": [4],
            "max_time_per_iteration": 4,
            "max_requests_per_iteration": 400,
        },
        "engine": {
            "program": str(options.server.resolve()),
            "args": ["--no-webui", "--ctx-size", "4096"],
            "ready_path": "/health",
            "start_timeout": 60,
        },
    }
    folder = options.work
    folder.mkdir(parents=True, exist_ok=True)
    document, results = folder / f"{name}.json", folder / f"{name}.results.json"
    document.write_text(json.dumps(task))
    command = [options.binary, "--data-dir", folder / "data", "run", document, "--quiet", "--output", results]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{name} ended with {done.returncode}: {done.stderr.strip()[-500:]}")
    return json.loads(results.read_text())


def value(experiment):
    return experiment["score"]["objective_value"]


def interval(ratios):
    """Mean and 95 % interval of paired ratios, less one."""
    count = len(ratios)
    if count < 2:
        return f"{100 * (fmean(ratios) - 1):+.1f} %"
    half = T95[min(count - 1, len(T95)) - 1] * stdev(ratios) / sqrt(count)
    middle = fmean(ratios) - 1
    return f"{100 * middle:+.1f} % ({100 * (middle - half):+.1f} to {100 * (middle + half):+.1f})"


def main():
    options = arguments()
    print("run            experiments    seconds     best, told as", flush=True)
    best = {}
    for name, strategy, experiments in (
        ("bayesian", "bayesian", options.experiments),
        ("grid", "grid_search", options.grid),
    ):
        results = run(options, name, strategy, experiments, PARAMETERS, 0)
        best[name] = results["best_result"]["parameters"]
        told = f"{value(results['best_result']):,.0f} tok/s"
        print(f"{name:<14} {experiments:>11} {results['elapsed_time']:>10.0f}     {told}", flush=True)
        print("    " + " ".join(f"{key}={choice}" for key, choice in best[name].items()), flush=True)
    seen = {"bayesian": [], "grid": [], "defaults": []}
    for pair in range(options.pairs):
        # A B, B A, A B, …: a steady drift of the machine helps neither.
        order = ["bayesian", "grid"] if pair % 2 == 0 else ["grid", "bayesian"]
        defaults = []
        for name in order:
            fixed = {key: [choice] for key, choice in best[name].items()}
            results = run(options, f"again-{name}-{pair}", "grid_search", 1, fixed, 0)
            again = [one for one in results["all_results"] if one["role"] == "search"]
            seen[name].append(value(again[0]))
            defaults.append(value(results["baseline_result"]))
        seen["defaults"].append(fmean(defaults))
    print(f"\nmeasured {options.pairs} more times in turn: " + ", ".join(
        f"{name} {fmean(values):,.0f} tok/s" for name, values in seen.items()))
    paired = {
        "bayesian over grid": ("bayesian", "grid"),
        "bayesian over defaults": ("bayesian", "defaults"),
        "grid over defaults": ("grid", "defaults"),
    }
    for what, (one, other) in paired.items():
        ratios = [left / right for left, right in zip(seen[one], seen[other])]
        print(f"{what:<24} {interval(ratios)}")


if __name__ == "__main__":
    main()
