#!/usr/bin/env python3
"""Measures the load generator against the truth server. Used by scripts/bench-load.sh.

Both stamp with CLOCK_MONOTONIC of one machine, so the difference of two stamps is the load
generator's error (and the loopback's, which no client can take off).
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from statistics import fmean, median

MS = 1e6


def percentile(values, share):
    """Linear between neighbours, as numpy's default; of a sorted list."""
    place = (len(values) - 1) * share
    low = int(place)
    high = min(low + 1, len(values) - 1)
    return values[low] + (values[high] - values[low]) * (place - low)


class Server:
    """The truth server, on a processor of its own."""

    def __init__(self, binary, arguments):
        self.process = subprocess.Popen(
            pinned(0) + [binary, "truth-server", "--port", "0", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self.url = None
        for line in self.process.stdout:
            if "http://" in line:
                self.url = "http://" + line.split("http://")[1].split()[0].rstrip("/")
                break
        if self.url is None:
            raise SystemExit("bench-load: error: the truth server did not start")

    def truth(self):
        with urllib.request.urlopen(self.url + "/truth", timeout=60) as answer:
            return json.load(answer)

    def close(self):
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()


def pinned(core):
    can_pin = shutil.which("taskset") and len(os.sched_getaffinity(0)) > 1
    words = ["taskset", "-c", str(sorted(os.sched_getaffinity(0))[core])] if can_pin else []
    return words + (["chrt", "--rr", "10"] if os.environ.get("REALTIME") == "1" else [])


def load(binary, url, arguments, folder):
    """Runs the load generator; its summary, its records, its processor seconds and its memory."""
    requests = os.path.join(folder, "requests.jsonl")
    child = subprocess.Popen(
        pinned(1)
        + [binary, "bench", "--url", url, "--model", "mock", "--json", "--seed", "1"]
        + ["--requests", requests, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    out, err, peak = [], [], [0]
    readers = [
        threading.Thread(target=lambda to=to, pipe=pipe: to.append(pipe.read()))
        for to, pipe in ((out, child.stdout), (err, child.stderr))
    ]
    for reader in readers:
        reader.start()
    watcher = threading.Thread(target=lambda: watch_memory(child.pid, peak))
    watcher.start()
    _, status, used = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    for thread in [*readers, watcher]:
        thread.join()
    if child.returncode != 0:
        raise SystemExit(f"bench-load: error: the load generator ended with {child.returncode}: {err[0][-500:]}")
    with open(requests, encoding="utf-8") as file:
        records = [json.loads(line) for line in file]
    return json.loads(out[0]), records, used.ru_utime + used.ru_stime, peak[0]


def watch_memory(pid, peak):
    """The most memory of a process, in bytes, as the kernel keeps it for its program. (What wait4
    tells begins with ours, of which the process was a copy.)"""
    while True:
        try:
            with open(f"/proc/{pid}/status", encoding="ascii") as file:
                found = [line for line in file if line.startswith("VmHWM:")]
        except OSError:
            return
        if not found:
            return
        peak[0] = max(peak[0], int(found[0].split()[1]) * 1024)
        time.sleep(0.05)


def compare(summary, records, truth):
    """Errors, by request and by chunk, in nanoseconds; shares for gaps and throughput."""
    zero = summary["clock_zero_monotonic_ns"]
    by_id = {request["request_id"]: request for request in truth["requests"]}
    ttft, lags, our_gaps, true_gaps, lost = [], [], [], [], 0
    ours_inside = theirs_inside = 0
    for record in records:
        request = by_id.get(f"at-m-{record['level']}-{record['job']}-{record['turn']}")
        if request is None or record["outcome"] != "success":
            lost += 1
            continue
        ours, theirs = record["content_ns"], request["chunk_ns"]
        ttft.append((ours[0] - record["sent_ns"]) - (request["first_ns"] - request["received_ns"]))
        if len(ours) == len(theirs):
            lags.extend(zero + our - true for our, true in zip(ours, theirs))
            start, end = record["window_start_ns"], record["window_end_ns"]
            ours_inside += sum(start <= at <= end for at in ours)
            theirs_inside += sum(start <= at - zero <= end for at in theirs)
        if len(ours) > 1:
            our_gaps.append((ours[-1] - ours[0]) / (len(ours) - 1))
            true_gaps.append((request["last_ns"] - request["first_ns"]) / (request["chunks"] - 1))
    ttft.sort()
    lags.sort()
    return {
        "ttft": ttft,
        "lags": lags,
        "gap": fmean(our_gaps) / fmean(true_gaps) - 1 if our_gaps and fmean(true_gaps) else None,
        "throughput": ours_inside / theirs_inside - 1 if theirs_inside else None,
        "lost": lost,
    }


def chunks_a_second(binary, folder, events):
    server = Server(
        binary,
        ["--ttft-ms", "0", "--itl-ms", "0", "--tokens", "256"]
        + ["--events-per-write", str(events), "--stamps", "first-last"],
    )
    try:
        arguments = ["--scenario", "D(50,256)", "--concurrency", "64", "--max-time", "5"]
        summary, records, _, _ = load(binary, server.url, arguments + ["--max-requests", "1000000"], folder)
    finally:
        server.close()
    level = summary["raw_results"][0]
    # By the stamps themselves, and not by what the summary makes of them.
    chunks = sum(len(record["content_ns"]) for record in records)
    span = max(record["ended_ns"] for record in records) - min(record["sent_ns"] for record in records)
    return {
        "chunks/s": chunks / span * 1e9,
        "load thread busy": level["trust"]["client_cpu_share"],
    }


def paced(binary, folder, streams, wave, requests):
    server = Server(binary, ["--ttft-ms", "50", "--itl-ms", "20", "--tokens", "128"])
    try:
        arguments = ["--scenario", "D(100,128)", "--concurrency", str(streams), "--max-time", "120"]
        arguments += ["--max-requests", str(requests), "--first-wave", wave]
        summary, records, cpu, memory = load(binary, server.url, arguments, folder)
        truth = server.truth()
    finally:
        server.close()
    found = compare(summary, records, truth)
    chunks = sum(request["chunks"] for request in truth["requests"])
    return {
        "TTFT p50 ms": percentile(found["ttft"], 0.5) / MS,
        "TTFT p99 ms": percentile(found["ttft"], 0.99) / MS,
        "lag p50 ms": percentile(found["lags"], 0.5) / MS,
        "lag p99 ms": percentile(found["lags"], 0.99) / MS,
        "mean gap %": found["gap"] * 100,
        "throughput %": found["throughput"] * 100,
        "lost": found["lost"],
        "in flight": truth["peak_in_flight"],
        "µs/chunk": cpu * 1e6 / chunks,
        "MB": memory / 2**20,
    }


def scheduled(binary, folder):
    server = Server(binary, ["--ttft-ms", "5", "--itl-ms", "1", "--tokens", "8"])
    try:
        arguments = ["--scenario", "D(50,8)", "--arrival", "poisson:1000", "--concurrency", "2000"]
        arguments += ["--max-time", "10", "--max-requests", "1000000"]
        summary, records, _, _ = load(binary, server.url, arguments, folder)
    finally:
        server.close()
    late = sorted(record["sent_ns"] - record["intended_ns"] for record in records)
    return {
        "send error p50 ms": percentile(late, 0.5) / MS,
        "send error p99 ms": percentile(late, 0.99) / MS,
        "requests/s": len(records) / summary["raw_results"][0]["run_duration"],
    }


CASES = {
    "one": ("one packet a token", lambda *a: chunks_a_second(*a, 1)),
    "many": ("32 events a packet", lambda *a: chunks_a_second(*a, 32)),
    "apart": ("256 streams out of step", lambda *a: paced(*a, 256, "spread", 2048)),
    "aligned": ("256 streams in step", lambda *a: paced(*a, 256, "together", 2048)),
    "thousand": ("1,000 streams", lambda *a: paced(*a, 1000, "spread", 4000)),
    "open": ("1,000 requests/s by a clock", scheduled),
}

# What is aimed for, and what must hold; the sign says on which side.
GOALS = {
    ("one", "chunks/s"): (">=", 100_000, 50_000),
    ("many", "chunks/s"): (">=", 700_000, 350_000),
    ("apart", "µs/chunk"): ("<=", 20, 40),
    ("apart", "TTFT p50 ms"): ("<=", 0.25, None),
    ("apart", "TTFT p99 ms"): ("<=", 0.8, 2),
    ("apart", "mean gap %"): ("<=", 0.1, None),
    ("apart", "throughput %"): ("<=", 0.5, None),
    ("aligned", "TTFT p50 ms"): ("<=", 1.5, None),
    ("aligned", "TTFT p99 ms"): ("<=", 4, 8),
    ("thousand", "lag p99 ms"): ("<=", 3, None),
    ("thousand", "lost"): ("<=", 0, None),
    ("thousand", "mean gap %"): ("<=", 0.1, None),
    ("thousand", "MB"): ("<=", 64, None),
    ("open", "send error p99 ms"): ("<=", 1, None),
}


def word(value, goal):
    if goal is None:
        return ""
    side, aim, floor = goal
    holds = lambda bound: abs(value) <= bound if side == "<=" else value >= bound
    if holds(aim):
        return f"{side} {aim:,}: met"
    if floor is not None and not holds(floor):
        return f"{side} {aim:,}: missed, and the floor of {floor:,} too"
    return f"{side} {aim:,}: missed"


def main():
    binary = sys.argv[1]
    rounds = int(os.environ.get("ROUNDS", "3"))
    names = os.environ.get("CASES", " ".join(CASES)).split()
    print(f"{'case':<9} {'figure':<18} {'median':>12} {'rounds':<34} goal")
    for name in names:
        what, run = CASES[name]
        print(f"{name:<9} {what}")
        found = []
        for _ in range(rounds):
            with tempfile.TemporaryDirectory() as folder:
                found.append(run(binary, folder))
        for figure in found[0]:
            values = [one[figure] for one in found]
            middle = median(values)
            shown = " ".join(f"{value:,.3g}" if abs(value) < 1000 else f"{value:,.0f}" for value in values)
            value = f"{middle:,.3f}" if abs(middle) < 1000 else f"{middle:,.0f}"
            print(f"{'':<9} {figure:<18} {value:>12} {shown:<34} {word(middle, GOALS.get((name, figure)))}", flush=True)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    main()
