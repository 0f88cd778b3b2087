#!/usr/bin/env bash
# How far the load generator's figures are from those that a real llama-server writes down.
set -euo pipefail

usage() {
  cat <<'EOF'
Usage: scripts/bench-llama.sh [BINARY]

Starts a llama-server with a small model of random weights on a free port of this
machine, measures it with `BINARY bench --json`, and compares what the load generator
reports with what the server wrote of each request into its log: once with one request
at a time, once with four requests on `--parallel 4`. BINARY is target/release/autotuner
unless another is named. It takes about a minute.

The server's clock of a request begins when the request is given a slot and ends with
its last token. Whatever comes before is not in it (HTTP, waiting, making tokens of the
prompt if that is done before): any client sees a first token a little later than the server
says. What is reported should therefore be a little longer and never shorter:
with one request and nothing else on the machine within 5 % + 2 ms. With four, a request
also waits until the step that runs when it comes has ended, and such a step may carry
another request's whole prompt; how long that was is worked out from the log and told. `/v1/completions` is asked: a chat template would be one
more thing that the server does not count.

The server is the one that scripts/llama-server.sh finds. Where it finds none, that is
said and nothing is measured. Needs Python 3 (its standard library) for the arithmetic.
Nothing is asserted about time: the table is for reading.

Environment:
  AUTOTUNER_LLAMA_SERVER  the server to use
  MODEL                   a GGUF file [default: one is made with cargo]
  REQUESTS                measured requests of a level (default: 24)
  TOKENS                  prompt and answer, in tokens (default: 100,64)

Exit status: 0 both were compared, or there is no llama-server; 1 something failed;
2 wrong usage.
EOF
}

say() { printf 'bench-llama.sh: %s\n' "$*" >&2; }
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

free_port() {
  python3 -c '
import socket
with socket.socket() as socket:
    socket.bind(("127.0.0.1", 0))
    print(socket.getsockname()[1])'
}

# Starts a fresh server with this many slots and sets `address` once it answers.
start_engine() {
  local port tries
  port=$(free_port)
  address=http://127.0.0.1:$port
  # A processor is left to the threads that hand tokens on, here and there: where all of them
  # compute, a token waits for about a step before anybody looks at it.
  local threads
  threads=$(($(nproc) > 1 ? $(nproc) - 1 : 1))
  # And no copy of what a slot held before is put aside for later prompts: the server does that
  # between choosing a slot and starting its clock.
  LLAMA_ARG_CACHE_RAM=0 OMP_WAIT_POLICY=PASSIVE "$server" --model "$model" --host 127.0.0.1 --port "$port" \
    --parallel "$1" --ctx-size $((1024 * $1)) --threads "$threads" >"$work/engine.log" 2>&1 &
  engine=$!
  for ((tries = 0; tries < 300; tries++)); do
    if python3 -c '
import sys, urllib.request
urllib.request.urlopen(sys.argv[1] + "/health", timeout=1)' "$address" 2>/dev/null; then return; fi
    kill -0 "$engine" 2>/dev/null || die "the server ended: $(tail -n1 "$work/engine.log")"
    sleep 0.1
  done
  die "the server was not ready within half a minute"
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
  local here found=0
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
  local concurrency address='' heading=--heading
  for concurrency in 1 4; do
    start_engine "$concurrency"
    # Without a warm-up the log holds the probes and the measured requests, and nothing else.
    "$binary" bench --url "$address" --model small --api completions --scenario "D(${TOKENS:-100,64})" \
      --concurrency "$concurrency" --warmup 0 --json \
      --max-requests "${REQUESTS:-24}" --max-time 300 --requests "$work/requests.jsonl" \
      >"$work/reported.json" 2>"$work/bench.log" ||
      die "the measurement at concurrency $concurrency failed: $(tail -n1 "$work/bench.log")"
    stop_engine
    python3 "$here/bench_llama.py" $heading --log "$work/engine.log" \
      --requests "$work/requests.jsonl" "$work/reported.json" ||
      die "the comparison at concurrency $concurrency failed"
    heading=''
  done
}

main "$@"
