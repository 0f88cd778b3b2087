#!/usr/bin/env python3
"""Compares one level of `autotuner bench --json` with what a llama-server logged of it.

The server logs three times of each request: from its slot to the first token, from the first
token to the last, and both together. Used by scripts/bench-llama.sh.
"""

import argparse
import json
import re
from statistics import fmean

LINE = re.compile(
    r"task\s+(?P<task>\d+)\s*\|\s*(?P<what>prompt eval|eval|total) time\s*=\s*"
    r"(?P<ms>[\d.]+) ms /\s*(?P<tokens>\d+) tokens"
)
# What the two may differ by when one request runs at a time.
RELATIVE, ABSOLUTE_MS = 0.05, 2.0


def logged(path):
    """Each request's times, in the order in which they ended."""
    requests = {}
    with open(path, encoding="utf-8", errors="replace") as log:
        for line in log:
            if found := LINE.search(line):
                request = requests.setdefault(found["task"], {})
                request[found["what"]] = (float(found["ms"]), int(found["tokens"]))
    return [request for request in requests.values() if len(request) == 3]


def truth_of(requests, measured, concurrency):
    """Mean TTFT, TPOT and latency in milliseconds, and the answers' tokens a second."""
    # The probes' answers are shorter than measured ones.
    longest = max((request["eval"][1] for request in requests), default=0)
    requests = [request for request in requests if request["eval"][1] == longest]
    if len(requests) != measured:
        raise SystemExit(f"the server logged {len(requests)} requests, but {measured} are reported")
    total = sum(request["total"][0] for request in requests)
    return {
        "TTFT": fmean(request["prompt eval"][0] for request in requests),
        # From the first token to the last there is one gap less than there are tokens.
        "TPOT": fmean(request["eval"][0] / (longest - 1) for request in requests),
        "latency": fmean(request["total"][0] for request in requests),
        # Were every slot busy all the time.
        "output": concurrency * longest * len(requests) / total * 1e3,
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--log", required=True, help="the server's log")
    parser.add_argument("--heading", action="store_true", help="print the table's heading first")
    parser.add_argument("reported", help="what `autotuner bench --json` printed")
    arguments = parser.parse_args()
    with open(arguments.reported, encoding="utf-8") as file:
        (level,) = json.load(file)["raw_results"]
    if level["num_error_requests"] or level["num_cut_off_requests"]:
        raise SystemExit("requests failed or were cut off: nothing to compare")
    concurrency = level["num_concurrency"]
    truth = truth_of(logged(arguments.log), level["num_completed_requests"], concurrency)
    stats = level["stats"]
    reported = {
        "TTFT": stats["ttft"]["mean"] * 1e3,
        "TPOT": stats["tpot"]["mean"] * 1e3,
        "latency": stats["e2e_latency"]["mean"] * 1e3,
        "output": level["mean_output_throughput_tokens_per_s"],
    }
    if arguments.heading:
        print(
            f"{'concurrency':>11} {'n':>5}  {'mean':<8} {'reported':>14} {'server':>14}"
            f" {'difference':>11} {'relative':>8}  5 % + 2 ms"
        )
    for name, said in reported.items():
        true = truth[name]
        unit, digits, absolute = ("tok/s", 1, 0.0) if name == "output" else ("ms", 3, ABSOLUTE_MS)
        is_within = abs(said - true) <= RELATIVE * true + absolute
        print(
            f"{concurrency:>11} {level['num_completed_requests']:>5}  {name:<8}"
            f" {said:>8.{digits}f} {unit:<5} {true:>8.{digits}f} {unit:<5}"
            f" {said - true:>+11.{digits}f} {(said - true) / true:>+8.1%}  {'within' if is_within else 'beyond'}"
        )
    if concurrency > 1:
        print(
            f"{'':>18} a new request waits for the step that runs, {truth['TPOT']:.1f} ms or, with another's"
            f" prompt in it, up to {truth['TTFT']:.1f} ms; the server does not count that"
        )


if __name__ == "__main__":
    main()
