#!/usr/bin/env bash
# How fast the service answers where much is kept, what memory it takes, how soon it is there.
set -euo pipefail

usage() {
  cat <<'EOF'
Usage: scripts/bench-service.sh [BINARY]

Fills a database with 10,000 tasks of 100 experiments each, starts `BINARY serve` on it
and on an empty one, and prints: time from start to answer, idle memory, and for each
kind of request the median and the 99th percentile over HTTP, the server's time on a
processor and in the queue for one, and the same query asked of SQLite directly. BINARY
is target/release/autotuner unless another is named. It takes about five minutes on a
quiet machine, and 4.5 GB of disk while it fills.

A busy machine makes times longer than they are: of several passes the one with the
lowest 99th percentile is told, and the load beside it.

Environment:
  DATA         a data directory; it is kept, and not filled again where it is filled
               (default: a temporary one)
  TASKS        tasks to be kept (default: 10000)
  EXPERIMENTS  experiments of each of them (default: 100)
  ROUNDS       requests of each kind in a pass (default: 300)
  PASSES       passes (default: 3)

Exit status: 0 no 99th percentile is above 100 ms; 1 one is, or something failed; 2 wrong
usage.
EOF
}

say() { printf 'bench-service.sh: %s\n' "$*" >&2; }
die() { say "error: $*"; exit 1; }

work=''
clean_up() {
  if [[ -n $work ]]; then rm -rf -- "$work"; fi
}

main() {
  if (($# > 1)); then usage >&2; exit 2; fi
  case ${1:-} in
    -h | --help) usage; exit 0 ;;
    -*) say "error: unknown option: $1"; usage >&2; exit 2 ;;
  esac
  local -r binary=${1:-target/release/autotuner}
  [[ -x $binary ]] || { say "error: $binary is no program; build it: cargo build --release"; exit 2; }
  local data=${DATA:-} now_ms
  trap clean_up EXIT
  if [[ -z $data ]]; then
    work=$(mktemp -d)
    data=$work
  fi
  mkdir -p -- "$data"
  # Under its name only once it is whole.
  if [[ ! -e $data/autotuner.db ]]; then
    say "filling a database with ${TASKS:-10000} tasks of ${EXPERIMENTS:-100} experiments"
    rm -f -- "$data"/filling.db*
    now_ms=$(($(date +%s) * 1000))
    cargo run --quiet --release --locked -p autotuner-store --example database-bench -- \
      --fill "$data/filling.db" "$now_ms" "${TASKS:-10000}" "${EXPERIMENTS:-100}" ||
      die "the database could not be filled"
    mv -- "$data/filling.db" "$data/autotuner.db"
  fi
  cargo run --quiet --release --locked -p autotuner-store --example service-bench -- \
    "$binary" "$data" "${ROUNDS:-300}" "${PASSES:-3}"
}

main "$@"
