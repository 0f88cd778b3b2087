#!/usr/bin/env bash
# How fast containers' logs pass through the service, beside a bare reader of Docker's socket.
set -euo pipefail

readonly TAG=inference-autotuner/log-bench:latest

usage() {
  cat <<'EOT'
Usage: scripts/bench-containers.sh [BINARY]

Starts `BINARY serve` and containers that print, and compares what passes through the
service with what a bare reader of Docker's socket gets, in turns: lines a second while
a container prints and when it has ended, twenty viewers of one container, the memory
that a viewer costs who does not read, and how long other calls take meanwhile. BINARY
is target/release/autotuner unless another is named. It takes about three minutes, and
needs a Docker daemon.

Environment:
  LINES_PRINTED  lines that a container prints (default: 150000)
  PASSES         passes, of which medians are told (default: 5)

Exit status: 0 no floor was missed; 1 one was, or something failed; 2 wrong usage.
EOT
}

work=''
clean_up() { if [[ -n $work ]]; then rm -rf -- "$work"; fi; }

say() { printf 'bench-containers.sh: %s\n' "$*" >&2; }

main() {
  if (($# > 1)); then usage >&2; exit 2; fi
  case ${1:-} in
    -h | --help) usage; exit 0 ;;
    -*) say "error: unknown option: $1"; usage >&2; exit 2 ;;
  esac
  local -r binary=${1:-target/release/autotuner}
  [[ -x $binary ]] || { say "error: $binary is no program; build it: cargo build --release"; exit 2; }
  local scripts program
  scripts=$(dirname -- "${BASH_SOURCE[0]}")
  cargo build --quiet --release --locked -p autotuner-deploy --example log-bench
  program=${CARGO_TARGET_DIR:-target}/release/examples/log-bench
  # An image of ours has its program under this name.
  work=$(mktemp -d)
  trap clean_up EXIT
  cp -- "$program" "$work/autotuner"
  "$scripts/sim-image.sh" --program "$work/autotuner" "$TAG" >/dev/null
  "$program" "$binary" "$TAG" "${LINES_PRINTED:-150000}" "${PASSES:-5}"
}

main "$@"
