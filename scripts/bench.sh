#!/usr/bin/env bash
# How far the load generator is from the truth that the simulated engine knows.
set -euo pipefail

usage() {
  cat <<'EOF'
Usage: scripts/bench.sh [BINARY]

Starts `BINARY sim-engine` on a free port of this machine for each of a few
concurrencies, measures it with `BINARY bench --json`, and compares what the load
generator reports with what the engine wrote down itself (GET /sim/truth). BINARY
is target/release/autotuner unless another is named. It takes about a minute.

Needs Python 3 (its standard library) for the arithmetic. Nothing is asserted about
time: a busy machine shows larger errors, and the table is for reading.

Environment:
  CONCURRENCIES  levels, in this order (default: 1 16 64)
  REQUESTS       measured requests of a level (default: eight times its
                 concurrency, and at least 24)

Exit status: 0 every level was compared; 1 one could not be; 2 wrong usage.
EOF
}

say() { printf 'bench.sh: %s\n' "$*" >&2; }
die() { say "error: $*"; exit 1; }

engine=''
work=''
stop_engine() {
  if [[ -n $engine ]]; then
    kill "$engine" 2>/dev/null || true
    wait "$engine" 2>/dev/null || true
    engine=''
  fi
}
clean_up() {
  stop_engine
  if [[ -n $work ]]; then rm -rf -- "$work"; fi
}

# Starts a fresh engine and sets `address` once it answers.
start_engine() {
  local log=$work/engine.log
  "$binary" sim-engine --port 0 --model sim --max-num-seqs 64 --max-num-batched-tokens 2048 \
    >"$log" 2>&1 &
  engine=$!
  local tries
  for ((tries = 0; tries < 100; tries++)); do
    address=$(grep -o -m1 'http://[0-9.:]*' "$log" || true)
    if [[ -n $address ]] && python3 -c '
import sys, urllib.request
urllib.request.urlopen(sys.argv[1] + "/health", timeout=1)' "$address" 2>/dev/null; then return; fi
    kill -0 "$engine" 2>/dev/null || die "the engine ended: $(tail -n1 "$log")"
    sleep 0.1
  done
  die "the engine was not ready within ten seconds"
}

main() {
  if (($# > 1)); then usage >&2; exit 2; fi
  case ${1:-} in
    -h | --help) usage; exit 0 ;;
    -*) say "error: unknown option: $1"; usage >&2; exit 2 ;;
  esac
  binary=${1:-target/release/autotuner}
  [[ -x $binary ]] || { say "error: $binary is no program; build it: cargo build --release"; exit 2; }
  command -v python3 >/dev/null || die "Python 3 is missing"
  local -r compare=$(dirname -- "${BASH_SOURCE[0]}")/bench_compare.py
  trap clean_up EXIT
  work=$(mktemp -d)
  local concurrency requests address='' heading=--heading
  for concurrency in ${CONCURRENCIES:-1 16 64}; do
    requests=$((concurrency * 8 > 24 ? concurrency * 8 : 24))
    start_engine
    # Without a warm-up the engine's record holds the probes and the measured requests, and
    # nothing else.
    "$binary" bench --url "$address" --model sim --scenario 'D(100,64)' \
      --concurrency "$concurrency" --warmup 0 --json \
      --max-requests "${REQUESTS:-$requests}" --max-time 120 \
      >"$work/reported.json" 2>"$work/bench.log" ||
      die "the measurement at concurrency $concurrency failed: $(tail -n1 "$work/bench.log")"
    python3 "$compare" $heading --address "$address" "$work/reported.json" ||
      die "the comparison at concurrency $concurrency failed"
    heading=''
    stop_engine
  done
}

main "$@"
