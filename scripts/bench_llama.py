#!/usr/bin/env python3
"""Compares one level of `autotuner bench --json` with what a llama-server logged of it.

The server logs three times of each request: from its slot to the first token, from the first
token to the last, and both together. It also logs when a slot was given and when the last token
was there, so that what a request waited for its slot can be told apart. Used by
scripts/bench-llama.sh.
"""

import argparse
import json
import re
from statistics import fmean

LINE = re.compile(
    r"task\s+(?P<task>\d+)\s*\|\s*(?P<what>prompt eval|eval|total) time\s*=\s*"
    r"(?P<ms>[\d.]+) ms /\s*(?P<tokens>\d+) tokens"
)
# Minutes, seconds, milliseconds and microseconds since the server's start, and what happened then.
STAMP = re.compile(
    r"^(?P<m>\d+)\.(?P<s>\d+)\.(?P<ms>\d+)\.(?P<us>\d+)\s.*task\s+(?P<task>\d+)\s*\|\s*"
    r"(?P<what>processing task|total time)"
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
            if found := STAMP.search(line):
                minutes, seconds, ms, us = (int(found[part]) for part in ("m", "s", "ms", "us"))
                what = "launched" if found["what"] == "processing task" else "ended"
                moment = (minutes * 60 + seconds) * 1e3 + ms + us / 1e3
                requests.setdefault(found["task"], {})[what] = moment
    return [request for request in requests.values() if {"prompt eval", "eval", "total"} <= set(request)]


def counted(requests, measured):
    """The measured requests among those that were logged: the probes' answers are shorter."""
    longest = max((request["eval"][1] for request in requests), default=0)
    requests = [request for request in requests if request["eval"][1] == longest]
    if len(requests) != measured:
        raise SystemExit(f"the server logged {len(requests)} requests, but {measured} are reported")
    return requests


def waited(requests, records):
    """Mean milliseconds from sending a request to its slot, if the log has the moments.

    Both clocks are laid over each other where the requests ended.
    """
    if not all({"launched", "ended"} <= set(request) for request in requests):
        return None
    ended = fmean(record["ended_ns"] for record in records) / 1e6
    sent = fmean(record["sent_ns"] for record in records) / 1e6
    offset = ended - fmean(request["ended"] for request in requests)
    return fmean(request["launched"] for request in requests) + offset - sent


def truth_of(requests, concurrency):
    """Mean TTFT, TPOT and latency in milliseconds, and the answers' tokens a second."""
    longest = requests[0]["eval"][1]
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
    parser.add_argument("--requests", required=True, help="what `autotuner bench --requests` wrote")
    parser.add_argument("reported", help="what `autotuner bench --json` printed")
    arguments = parser.parse_args()
    with open(arguments.reported, encoding="utf-8") as file:
        (level,) = json.load(file)["raw_results"]
    if level["num_error_requests"] or level["num_cut_off_requests"]:
        raise SystemExit("requests failed or were cut off: nothing to compare")
    concurrency = level["num_concurrency"]
    requests = counted(logged(arguments.log), level["num_completed_requests"])
    with open(arguments.requests, encoding="utf-8") as file:
        records = [record for line in file if (record := json.loads(line))["outcome"] == "success"]
    truth = truth_of(requests, concurrency)
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
    wait = waited(requests, records)
    if wait is not None:
        rest = reported["TTFT"] - truth["TTFT"] - wait
        print(
            f"{'':>18} TTFT: {wait:.2f} ms went by before the slot was given, which the server does not count;"
            f" {rest:+.2f} ms are left"
        )


if __name__ == "__main__":
    main()
