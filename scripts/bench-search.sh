#!/usr/bin/env bash
# How soon the model-based search finds good configurations, replayed on tables of measurements.
set -euo pipefail

usage() {
  cat <<'EOT'
Usage: scripts/bench-search.sh FOLDER [BINARY]

Replays tables of measured configurations against `opt-stdio`, which asks the model-based
search over JSON lines, and prints how far its recommendations are from the best of each
table, paired seed by seed with another optimiser's results. FOLDER is a replay benchmark:
`bench.py` (`run --cmd … --problems … --seeds … --budget … --out …`), `tables/NAME.json`,
`tables/NAME.meta.json` and `results/BASELINE.csv`. BINARY is built if it is not named.
Twenty seeds of eleven tables take two or three minutes on two cores, the building apart.

Needs Python 3 with venv, and numpy from PyPI once (into target/bench-search).

Environment:
  PROBLEMS  tables, separated by commas (default: all of the folder)
  SEEDS     seeds of each (default: 0-19)
  BUDGET    experiments of a run (default: 60)
  BASELINE  whose results are compared with (default: tpe_orig)
  JOBS      runs at once (default: the number of processors)
  FLAGS     what opt-stdio is told: --staged gives up hopeless measurements (default: nothing)
  MORE      seeds of two further tables, on the serving problems: what an earlier task's trials
            are worth, and how often a search that ends itself is right to (default: none)

Exit status: 0 everything ran; 1 something failed; 2 wrong usage.
EOT
}

say() { printf 'bench-search.sh: %s\n' "$*" >&2; }
die() { say "error: $*"; exit 1; }

main() {
  case ${1:-} in
    -h | --help) usage; exit 0 ;;
    '' | -*) usage >&2; exit 2 ;;
  esac
  if (($# > 2)); then usage >&2; exit 2; fi
  local folder root home binary problems budget first last
  folder=$(cd -- "$1" && pwd) || die "$1 is no folder"
  [[ -f $folder/bench.py ]] || die "$folder has no bench.py: it is no replay benchmark"
  root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
  home=$root/target/bench-search
  binary=${2:-}
  if [[ -z $binary ]]; then
    (cd -- "$root" && cargo build --quiet --release --locked --package autotuner-core --example opt-stdio) ||
      die "opt-stdio could not be built"
    binary=${CARGO_TARGET_DIR:-$root/target}/release/examples/opt-stdio
  fi
  [[ -x $binary ]] || die "$binary is no program"
  binary=$(cd -- "$(dirname -- "$binary")" && pwd)/$(basename -- "$binary")
  if [[ ! -x $home/venv/bin/python ]] || ! "$home/venv/bin/python" -c 'import numpy' 2>/dev/null; then
    say "installing numpy into $home"
    python3 -m venv "$home/venv" && "$home/venv/bin/pip" install --quiet numpy >&2 ||
      die "numpy could not be installed (python3-venv on Debian; PyPI)"
  fi
  problems=${PROBLEMS:-$(cd -- "$folder/tables" && printf '%s\n' *.meta.json | sed 's/\.meta\.json$//' | paste -sd,)}
  IFS=- read -r first last <<<"${SEEDS:-0-19}"
  budget=${BUDGET:-60}
  rm -rf -- "$home/out"
  mkdir -p -- "$home/out"
  # One seed a process, so many at once.
  seq "$first" "${last:-$first}" | xargs -P "${JOBS:-$(nproc)}" -I SEED \
    "$home/venv/bin/python" "$folder/bench.py" run --cmd "$binary ${FLAGS:-}" --label bayesian \
    --problems "$problems" --seeds SEED-SEED --budget "$budget" --out "$home/out/SEED.csv" >"$home/out/log" 2>&1 ||
    die "a run failed: $(tail -n1 "$home/out/log")"
  "$home/venv/bin/python" "$root/scripts/bench_search.py" --folder "$folder" --budget "$budget" \
    --baseline "${BASELINE:-tpe_orig}" "$home"/out/*.csv
  if [[ -n ${MORE:-} ]]; then
    problems=$(cd -- "$folder/tables" && printf '%s\n' llm_*.meta.json | sed 's/\.meta\.json$//' | paste -sd,)
    "$home/venv/bin/python" "$root/scripts/bench_search_warm.py" --folder "$folder" --binary "$binary" \
      --problems "$problems" --seeds "$MORE" --budget "$budget"
    "$home/venv/bin/python" "$root/scripts/bench_search_stop.py" --folder "$folder" --command "$binary" \
      --problems "$problems" --seeds "$MORE" --budget "$budget"
  fi
}

main "$@"
