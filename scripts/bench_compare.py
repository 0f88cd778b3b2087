#!/usr/bin/env python3
"""Compares one level of `autotuner bench --json` with the simulated engine's own record.

The truth of a request, in the engine's own stamps: it was received, and each chunk was
handed to the connection. The load generator's stamps lie outside of these on both sides
(sent before received, read after handed over), so its times are expected to be a little
longer, never shorter. Used by scripts/bench.sh.
"""

import argparse
import json
import urllib.request
from statistics import fmean


def loaded_until(records, concurrency):
    """When the first slot had no request left: the first end after the last start. Tokens that
    come later are not counted, by the load generator either."""
    last_start = max(record["received_ns"] for record in records)
    ends = [record["chunk_ns"][-1] for record in records if record["chunk_ns"][-1] > last_start]
    return min(ends) if len(records) >= 2 * concurrency else max(ends)


def truth_of(records, measured, concurrency):
    """Mean TTFT, TPOT and end-to-end latency, and the answer's tokens a second."""
    # The probes come first and one by one; their answers are shorter than measured ones.
    longest = max(record["completion_tokens"] for record in records)
    records = [
        record
        for record in records
        if record["outcome"] == "complete" and record["completion_tokens"] == longest
    ]
    if len(records) != measured:
        raise SystemExit(f"the engine answered {len(records)} requests, but {measured} are reported")
    first = [record["chunk_ns"][0] - record["received_ns"] for record in records]
    whole = [record["chunk_ns"][-1] - record["received_ns"] for record in records]
    pace = [
        (record["chunk_ns"][-1] - record["chunk_ns"][0]) / (record["completion_tokens"] - 1)
        for record in records
    ]
    began = min(record["received_ns"] for record in records)
    until = loaded_until(records, concurrency)
    tokens = sum(stamp <= until for record in records for stamp in record["chunk_ns"])
    return {
        "TTFT": fmean(first) / 1e6,
        "TPOT": fmean(pace) / 1e6,
        "latency": fmean(whole) / 1e6,
        "output": tokens / (until - began) * 1e9,
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--address", required=True, help="where the simulated engine listens")
    parser.add_argument("--heading", action="store_true", help="print the table's heading first")
    parser.add_argument("reported", help="what `autotuner bench --json` printed")
    arguments = parser.parse_args()
    with open(arguments.reported, encoding="utf-8") as file:
        (level,) = json.load(file)["raw_results"]
    with urllib.request.urlopen(arguments.address + "/sim/truth", timeout=10) as answer:
        records = json.load(answer)
    if isinstance(records, dict):
        records = records["requests"]
    if level["num_error_requests"] or level["num_cut_off_requests"]:
        raise SystemExit("requests failed or were cut off: nothing to compare")
    truth = truth_of(records, level["num_completed_requests"], level["num_concurrency"])
    stats = level["stats"]
    reported = {
        "TTFT": stats["ttft"]["mean"] * 1e3,
        "TPOT": stats["tpot"]["mean"] * 1e3,
        "latency": stats["e2e_latency"]["mean"] * 1e3,
        "output": level["mean_output_throughput_tokens_per_s"],
    }
    if arguments.heading:
        print(f"{'concurrency':>11} {'n':>5}  {'mean':<8} {'reported':>14} {'truth':>14} {'error':>10} {'relative':>8}")
    for name, said in reported.items():
        true = truth[name]
        unit, digits = ("tok/s", 1) if name == "output" else ("ms", 3)
        print(
            f"{level['num_concurrency']:>11} {level['num_completed_requests']:>5}  {name:<8}"
            f" {said:>8.{digits}f} {unit:<5} {true:>8.{digits}f} {unit:<5}"
            f" {said - true:>+10.{digits}f} {said / true - 1:>+8.2%}"
        )


main()
