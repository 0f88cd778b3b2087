#!/usr/bin/env python3
"""Runs load generators against the truth server, one after the other, and compares.

The server runs on one core and each tool on another. The truth of a request is the server's
own record: it was read, and each chunk was written, in nanoseconds of the machine's monotonic
clock, by which this program also samples what a tool's processes have used. Used by
scripts/bench-peers.sh, which says what the options are.
"""

import argparse
import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from statistics import fmean, quantiles

from bench_peers_tools import OFFLINE, TOOLS

LONGEST_RUN = 600
SAMPLED_EVERY = 0.1
TICK = 1 / os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")

HEADING = [
    "tool", "ok / seen", "peak in flight", "TTFT error mean (ms)", "p50", "p99", "TPOT error mean (%)",
    "tok/s driven", "tok/s error (%)", "CPU in the run (s)", "µs CPU/chunk", "CPU in all (s)",
    "peak RSS (MB)", "run (s)", "wall (s)",
]  # fmt: skip


def say(text):
    print(f"bench-peers: {text}", file=sys.stderr, flush=True)


def placed(core, policy, is_realtime):
    """What a child does before it becomes the program: it goes to its core and class."""

    def place():
        os.sched_setaffinity(0, {core})
        if is_realtime:
            os.sched_setscheduler(0, policy, os.sched_param(2 if policy == os.SCHED_FIFO else 1))

    return place


@contextlib.contextmanager
def truth_server(load):
    """A fresh server, and its address."""
    command = [load.binary, "truth-server", "--ttft-ms", str(load.ttft_ms), "--itl-ms", str(load.itl_ms)]
    place = placed(load.server_core, os.SCHED_FIFO, load.realtime)
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, preexec_fn=place) as server:
        try:
            line = server.stdout.readline()
            if not (found := re.search(r"http://\S+", line)):
                raise RuntimeError("the truth server does not start")
            yield found.group()
        finally:
            server.terminate()


class Usage:
    """What the processes of one session have used, as far as it was seen."""

    def __init__(self, session):
        self.session = session
        self.cpu_of = {}
        self.samples = []
        self.peak_rss = 0

    def sample(self):
        rss = 0
        for directory in Path("/proc").iterdir():
            if not directory.name.isdigit():
                continue
            try:
                fields = (directory / "stat").read_text().rpartition(") ")[2].split()
            except OSError:
                continue
            if int(fields[3]) == self.session:
                self.cpu_of[directory.name] = (int(fields[11]) + int(fields[12])) * TICK
                rss += int(fields[21]) * PAGE
        self.samples.append((time.monotonic_ns(), sum(self.cpu_of.values())))
        self.peak_rss = max(self.peak_rss, rss)

    def cpu_at(self, moment):
        """Processor seconds used up to a moment, between two samples in proportion."""
        before = (self.samples[0][0], 0.0)
        for sample in self.samples:
            if sample[0] >= moment:
                share = (moment - before[0]) / max(sample[0] - before[0], 1)
                return before[1] + share * (sample[1] - before[1])
            before = sample
        return before[1]


def run_tool(load, command, work):
    """Runs a tool to its end and returns what it used."""
    place = placed(load.client_core, os.SCHED_RR, load.realtime)
    with (work / "stdout").open("w") as out, (work / "stderr").open("w") as err:
        tool = subprocess.Popen(
            [str(word) for word in command],
            stdin=subprocess.DEVNULL, stdout=out, stderr=err, cwd=work,
            env={**os.environ, **OFFLINE}, preexec_fn=place, start_new_session=True,
        )  # fmt: skip
    usage = Usage(tool.pid)
    end = time.monotonic() + LONGEST_RUN
    try:
        while tool.poll() is None:
            if time.monotonic() > end:
                raise RuntimeError(f"it was not done after {LONGEST_RUN} s")
            usage.sample()
            time.sleep(SAMPLED_EVERY)
    finally:
        # Whatever it started and did not wait for.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(tool.pid, signal.SIGKILL)
        tool.wait()
    if tool.returncode != 0:
        last = (work / "stderr").read_text().strip().splitlines()[-1:]
        raise RuntimeError(f"exit code {tool.returncode}: {' '.join(last)}")
    return usage


def percentile(values, share):
    """With linear interpolation, as the tools compute theirs."""
    return quantiles(values, n=100, method="inclusive")[share - 1]


def loaded_until(load, records):
    """When the first slot had no request left: the first end after the last start."""
    last_start = max(record["received_ns"] for record in records)
    ends = [record["last_ns"] for record in records if record["last_ns"] > last_start]
    return min(ends) if len(records) >= 2 * load.streams else max(ends)


def truth_of(load, records, leaves_out_tail):
    """The measured requests of the server's record, in the words of a report. Where a tool's rate
    leaves out the time in which slots have no request left, so does the truth that it is
    compared with."""
    ttft = [(record["first_ns"] - record["received_ns"]) / 1e6 for record in records]
    tpot = [(record["last_ns"] - record["first_ns"]) / 1e6 / (load.tokens - 1) for record in records]
    began = min(record["received_ns"] for record in records)
    last = max(record["last_ns"] for record in records)
    until = loaded_until(load, records) if leaves_out_tail else last
    tokens = sum(stamp <= until for record in records for stamp in record["chunk_ns"])
    return {
        "ttft": {"mean": fmean(ttft), "p50": percentile(ttft, 50), "p99": percentile(ttft, 99)},
        "tpot": fmean(tpot),
        "tokens_per_second": tokens / (until - began) * 1e9,
    }


def compare(load, name):
    """Runs one tool and returns its row of the table."""
    with tempfile.TemporaryDirectory() as folder, truth_server(load) as base:
        work = Path(folder)
        command, read = TOOLS[name](load, base, work)
        began = time.monotonic()
        usage = run_tool(load, command, work)
        wall = time.monotonic() - began
        with urllib.request.urlopen(base + "/truth", timeout=60) as answer:
            truth = json.load(answer)
        reported = read()
    # Probes ask for fewer tokens, and what was aborted has fewer.
    whole = [record for record in truth["requests"] if record["chunks"] == load.tokens]
    aborted = [record for record in truth["requests"] if record["outcome"] == "aborted"]
    true = truth_of(load, whole, reported["leaves_out_tail"])
    began = min(record["received_ns"] for record in whole)
    ended = max(record["ended_ns"] for record in whole)
    chunks = sum(record["chunks"] for record in whole + aborted)
    cpu = usage.cpu_at(ended) - usage.cpu_at(began)
    ttft = [reported["ttft"][key] - true["ttft"][key] for key in ("mean", "p50", "p99")]
    return [
        name,
        f"{reported['ok']} / {len(whole) + len(aborted)}",
        f"{truth['peak_in_flight']}",
        *(f"{error:+.2f}" for error in ttft),
        f"{(reported['tpot'] / true['tpot'] - 1) * 100:+.2f}",
        f"{true['tokens_per_second']:.0f}",
        f"{(reported['tokens_per_second'] / true['tokens_per_second'] - 1) * 100:+.1f}",
        f"{cpu:.2f}",
        f"{cpu / chunks * 1e6:.1f}",
        f"{usage.samples[-1][1]:.1f}",
        f"{usage.peak_rss / 1e6:.0f}",
        f"{(ended - began) / 1e9:.1f}",
        f"{wall:.1f}",
    ]


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name, kind in [
        ("binary", Path), ("home", Path), ("streams", int), ("requests", int), ("tokens", int),
        ("ttft-ms", float), ("itl-ms", float), ("server-core", int), ("client-core", int),
        ("realtime", int), ("tools", str.split),
    ]:  # fmt: skip
        parser.add_argument(f"--{name}", type=kind, required=True)
    load = parser.parse_args()
    for name in load.tools:
        if name not in TOOLS:
            parser.error(f"no tool is called {name}: there are {', '.join(TOOLS)}")
    return load


def main():
    load = arguments()
    say(
        f"{load.streams} streams x {load.requests} requests, TTFT {load.ttft_ms:g} ms, "
        f"{load.itl_ms:g} ms a token, {load.tokens} tokens"
    )
    rows, failed = [], False
    for name in load.tools:
        say(f"running {name}")
        try:
            rows.append(compare(load, name))
        except (RuntimeError, OSError, LookupError, ValueError) as error:
            say(f"error: {name}: {error}")
            failed = True
    for row in [HEADING, ["---"] * len(HEADING), *rows]:
        print(f"| {' | '.join(row)} |")
    return 1 if failed else 0


# Ended by a signal, it ends what it has started.
signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
sys.exit(main())
