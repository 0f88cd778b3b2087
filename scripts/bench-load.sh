#!/usr/bin/env bash
# How exact the load generator is, and what it costs, against a server that knows the truth.
set -euo pipefail

usage() {
  cat <<'EOF'
Usage: scripts/bench-load.sh [BINARY]

Runs `BINARY bench` against `BINARY truth-server`, which writes down when it sent each
chunk, and prints what was measured beside what is aimed for: chunks a second of one core,
processor time a chunk, errors of TTFT, gaps and throughput, lag and memory at 1,000
streams, and how far an open loop's requests are from their schedule. Server and load
generator have one processor each where there are two. It takes about five minutes.
BINARY is target/release/autotuner unless another is named.

Needs Python 3 (its standard library) for the arithmetic, and taskset. Nothing fails for
being slow: a busy machine shows larger errors, and the table is for reading.

Environment:
  ROUNDS  times that each case is run; the median is told (default: 3)
  CASES   cases to run, by name (default: all; see the table's first column)
  REALTIME  1 runs both in a real-time class (as root), so that what else the machine does
          shows less

Exit status: 0 every case ran; 1 one could not be run; 2 wrong usage.
EOF
}

say() { printf 'bench-load.sh: %s\n' "$*" >&2; }

main() {
  if (($# > 1)); then usage >&2; exit 2; fi
  case ${1:-} in
    -h | --help) usage; exit 0 ;;
    -*) say "error: unknown option: $1"; usage >&2; exit 2 ;;
  esac
  local -r binary=${1:-target/release/autotuner}
  [[ -x $binary ]] || { say "error: $binary is no program; build it: cargo build --release"; exit 2; }
  command -v python3 >/dev/null || { say 'error: Python 3 is missing'; exit 1; }
  exec python3 "$(dirname -- "${BASH_SOURCE[0]}")/bench_load.py" "$binary"
}

main "$@"
