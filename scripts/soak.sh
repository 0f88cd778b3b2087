#!/usr/bin/env bash
# Kills runs at random moments, again and again; nothing may be left behind.
set -euo pipefail

usage() {
  cat <<'EOF'
Usage: scripts/soak.sh [BINARY [ROUNDS]]

Each round starts `BINARY run` on a task of the simulated engine with a data directory
of its own, kills it with SIGKILL at a random moment, and runs `BINARY doctor --sweep`.
Afterwards no engine of that run may be alive, the results file must be absent or
whole, and no record of a dead run may be left. BINARY is target/release/autotuner
unless another is named; ROUNDS is 100. A round takes three to six seconds.

Needs Linux (/proc) and Python 3 (its standard library, to read JSON).

Environment:
  MODE           local or docker (default: local); docker needs the image that
                 scripts/sim-image.sh makes, and looks at containers, too
  SEED           seed of the moments (default: random; it is printed)
  MOST_SECONDS   no further round begins after this time (default: 1800)

Exit status: 0 nothing was left behind; 1 something was; 2 wrong usage.
EOF
}

say() { printf 'soak.sh: %s\n' "$*" >&2; }
wrong() { say "error: $*"; usage >&2; exit 2; }

run=''
work=''
clean_up() {
  if [[ -n $run ]]; then kill -KILL "$run" 2>/dev/null || true; fi
  if [[ -n $work ]]; then rm -rf -- "$work"; fi
}

write_task() {
  cat >"$1" <<EOF
task_name: soak
deployment_mode: $mode
base_runtime: sim
model: { id_or_path: soak-model }
parameters:
  max-num-seqs: [4, 8, 16, 32]
optimization: { strategy: grid_search }
benchmark:
  traffic_scenarios: ["D(16,8)"]
  num_concurrency: [4]
  max_requests_per_iteration: 40
  max_time_per_iteration: 2
EOF
}

# The processes that carry the round's own marker in their environment, which engines
# inherit from the run that starts them.
alive() {
  local environment process
  for environment in /proc/[0-9]*/environ; do
    process=${environment#/proc/}
    process=${process%/environ}
    [[ $process == "$$" || $process == "$BASHPID" ]] && continue
    if tr '\0' '\n' <"$environment" 2>/dev/null | grep -qxF "SOAK_ROUND=$1"; then
      printf '%s ' "$process"
    fi
  done 2>/dev/null
}

# The containers of the round whose instances are below this directory.
containers() {
  if [[ $mode == docker ]]; then
    docker ps --all --quiet --filter "label=inference-autotuner.instances-dir=$1/instances" | tr '\n' ' '
  fi
}

readonly mode=${MODE:-local}

main() {
  case ${1:-} in
    -h | --help) usage; exit 0 ;;
    -*) wrong "unknown option: $1" ;;
  esac
  (($# <= 2)) || wrong "too many arguments"
  local -r binary=${1:-target/release/autotuner} rounds=${2:-100}
  [[ -x $binary ]] || wrong "$binary is no program; build it: cargo build --release"
  [[ $rounds =~ ^[1-9][0-9]*$ ]] || wrong "ROUNDS is a number from 1, not $rounds"
  [[ $mode == local || $mode == docker ]] || wrong "MODE is local or docker, not $mode"
  local -r seed=${SEED:-$RANDOM}
  RANDOM=$seed
  trap clean_up EXIT
  work=$(mktemp -d)
  write_task "$work/task.yaml"
  say "$rounds rounds, MODE=$mode, SEED=$seed"

  local round moment home marker left engines=0 finished=0 measured=0
  local orphans=0 lingering=0 broken=0 sweeps=0
  for ((round = 1; round <= rounds && SECONDS < ${MOST_SECONDS:-1800}; round++)); do
    home=$work/$round
    marker=$work.$round
    # From before anything is started to after the last experiment: 0 to 4.999 seconds.
    moment=$((RANDOM % 5000))
    SOAK_ROUND=$marker "$binary" run "$work/task.yaml" --quiet --data-dir "$home" \
      --output "$home/results.json" >/dev/null 2>&1 &
    run=$!
    sleep "$((moment / 1000)).$(printf '%03d' $((moment % 1000)))"
    # Proves, too, that engines carry the marker: this count is not 0 over many rounds.
    if [[ $(wc -w <<<"$(alive "$marker")") -gt 1 || -n $(containers "$home") ]]; then engines=$((engines + 1)); fi
    kill -KILL "$run" 2>/dev/null || finished=$((finished + 1))
    wait "$run" 2>/dev/null || true
    run=''
    # Engines must be gone after the sweep, at the latest.
    timeout 60 "$binary" doctor --sweep --data-dir "$home" >"$work/sweep.log" 2>&1 || {
      sweeps=$((sweeps + 1))
      say "round $round, $moment ms: the sweep failed: $(tail -n1 "$work/sweep.log")"
    }
    left=$(alive "$marker")$(containers "$home")
    if [[ -n $left ]]; then
      orphans=$((orphans + 1))
      say "round $round, $moment ms: left behind: $left"
      # shellcheck disable=SC2046 # a list of numbers
      kill -KILL $(alive "$marker") 2>/dev/null || true
      # shellcheck disable=SC2046 # a list of ids
      docker rm --force $(containers "$home") >/dev/null 2>&1 || true
    fi
    if [[ -n $(find "$home/instances" -name owner.json -print -quit 2>/dev/null) ]]; then
      lingering=$((lingering + 1))
      say "round $round, $moment ms: the record of a dead run is left"
    fi
    if [[ -e $home/results.json ]]; then
      if python3 -c 'import json, sys
json.load(open(sys.argv[1]))["all_results"]' "$home/results.json" 2>/dev/null; then
        measured=$((measured + 1))
      else
        broken=$((broken + 1))
        say "round $round, $moment ms: the results file is no whole document"
      fi
    fi
    rm -rf -- "$home"
  done

  printf '%-44s %s\n' \
    "rounds" "$((round - 1))" \
    "ended before they were killed" "$finished" \
    "killed while an engine was alive" "$engines" \
    "had results on disk" "$measured" \
    "rounds that left a process or container" "$orphans" \
    "rounds that left a record behind" "$lingering" \
    "rounds that left a broken results file" "$broken" \
    "sweeps that failed" "$sweeps"
  ((orphans + lingering + broken + sweeps == 0))
}

main "$@"
