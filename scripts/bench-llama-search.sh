#!/usr/bin/env bash
# Whether few experiments chosen by the model-based search find what a large grid finds, on a real engine.
set -euo pipefail

usage() {
  cat <<'EOF'
Usage: scripts/bench-llama-search.sh [BINARY]

Tunes a real llama-server with a small model of random weights over eight parameters,
once with `bayesian` and 20 experiments, once with a spread grid of 64. Then the best of
each is measured again in turn with the other and with the engine's defaults, each time
by a fresh start, and the difference is printed with its interval. BINARY is
target/release/autotuner unless another is named. It takes about a quarter of an hour,
and the machine should have nothing else to do.

The server is the one that scripts/llama-server.sh finds. Where it finds none, that is
said and nothing is measured. Needs Python 3 (its standard library) for the arithmetic.
Nothing is asserted about speed: the table is for reading.

Environment:
  AUTOTUNER_LLAMA_SERVER  the server to use
  MODEL                   a GGUF file [default: one is made with cargo]
  EXPERIMENTS, GRID       experiments of each (default: 20 and 64)
  PAIRS                   times that each best is measured again (default: 8)
  SEED                    of the search (default: 7)
  KEEP                    a folder for the results files [default: none are kept]

Exit status: 0 both were compared, or there is no llama-server; 1 something failed;
2 wrong usage.
EOF
}

say() { printf 'bench-llama-search.sh: %s\n' "$*" >&2; }
die() { say "error: $*"; exit 1; }

work=''
clean_up() { if [[ -n $work ]]; then rm -rf -- "$work"; fi; }

main() {
  if (($# > 1)); then usage >&2; exit 2; fi
  case ${1:-} in
    -h | --help) usage; exit 0 ;;
    -*) say "error: unknown option: $1"; usage >&2; exit 2 ;;
  esac
  local binary here server found=0 model
  binary=${1:-target/release/autotuner}
  [[ -x $binary ]] || { say "error: $binary is no program; build it: cargo build --release"; exit 2; }
  command -v python3 >/dev/null || die "Python 3 is missing"
  here=$(dirname -- "${BASH_SOURCE[0]}")
  server=$("$here/llama-server.sh") || found=$?
  if ((found == 3)); then
    say 'SKIPPED: there is no llama-server, so nothing was compared'
    exit 0
  fi
  ((found == 0)) || die "looking for a llama-server failed"
  trap clean_up EXIT
  work=$(mktemp -d)
  model=${MODEL:-}
  if [[ -z $model ]]; then
    model=$work/small.gguf
    cargo run --quiet --release -p autotuner-tiny-model --bin tiny-model -- "$model" --size small >&2 ||
      die "the model could not be made"
  fi
  python3 "$here/bench_llama_search.py" --binary "$binary" --server "$server" --model "$model" \
    --work "${KEEP:-$work}" --experiments "${EXPERIMENTS:-20}" --grid "${GRID:-64}" \
    --pairs "${PAIRS:-8}" --seed "${SEED:-7}" || die "the comparison failed"
}

main "$@"
