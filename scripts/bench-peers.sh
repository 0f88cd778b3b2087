#!/usr/bin/env bash
# How far load generators are from the truth, ours beside Python ones, on one core each.
set -euo pipefail

usage() {
  cat <<'EOT'
Usage: scripts/bench-peers.sh [BINARY]

Starts `BINARY truth-server` on one core and, on another, one load generator after the
other: ours (`BINARY bench`), and genai-bench 0.0.5 and inference-perf 0.7.0, which are
installed from PyPI into target/bench-peers (1 GB) the first time. All are asked for the
same load. A table in Markdown goes to stdout, all talk to stderr: what each tool reports
minus what the server wrote down itself (GET /truth), and what it cost. BINARY is
target/release/autotuner unless another is named. It takes about three minutes, and ten
the first time. It is run by hand: it is no part of `make bench` or of CI.

Needs Linux with two cores, Python 3.12 or 3.13 with venv, and PyPI. A busy machine shows
larger errors; nothing is asserted about them.

Environment:
  STREAMS      requests in flight at once (default: 256)
  REQUESTS     requests in all (default: 768)
  TTFT_MS      the server's time to the first token (default: 50)
  ITL_MS       its time from token to token (default: 20)
  TOKENS       tokens of an answer (default: 128)
  TOOLS        tools, in this order (default: autotuner inference-perf genai-bench)
  SERVER_CORE  core of the server (default: 0)
  CLIENT_CORE  core of the tools (default: 1)
  REALTIME     1 runs server and tool in real-time classes, so that other programs of a
               busy machine do not disturb them; needs root (default: 0)
  PYTHON       Python of the peers (default: python3.13, python3.12 or python3, whichever
               is there and new enough)

Exit status: 0 every tool was measured; 1 one could not be; 2 wrong usage.
EOT
}

readonly PEERS=(genai-bench==0.0.5 inference-perf==0.7.0)

say() { printf 'bench-peers.sh: %s\n' "$*" >&2; }
die() { say "error: $*"; exit 1; }

# Sets `python` to one that the peers run with.
find_python() {
  local candidate
  for candidate in ${PYTHON:-python3.13 python3.12 python3}; do
    if "$candidate" -c 'import sys, venv; sys.exit(not (3, 12) <= sys.version_info < (3, 14))' 2>/dev/null; then
      python=$candidate
      return
    fi
  done
  die "Python 3.12 or 3.13 with its venv module is missing (python3-venv on Debian); PYTHON names one"
}

# Installs the peers into the folder, unless they are there.
install_peers() {
  local -r home=$1
  local python
  if [[ "$(cat -- "$home/installed" 2>/dev/null)" == "${PEERS[*]}" ]]; then return; fi
  find_python
  say "installing ${PEERS[*]} into $home"
  rm -rf -- "$home"
  "$python" -m venv "$home/venv" || die "no virtual environment can be made (python3-venv on Debian)"
  "$home/venv/bin/pip" install --quiet --disable-pip-version-check "${PEERS[@]}" >&2 ||
    die "the peers could not be installed from PyPI"
  "$home/venv/bin/python" "$scripts/bench_peers_tokenizer.py" "$home/tokenizer" >&2 ||
    die "the tokenizer could not be made"
  printf '%s' "${PEERS[*]}" >"$home/installed"
}

main() {
  if (($# > 1)); then usage >&2; exit 2; fi
  case ${1:-} in
    -h | --help) usage; exit 0 ;;
    -*) say "error: unknown option: $1"; usage >&2; exit 2 ;;
  esac
  local binary=${1:-target/release/autotuner} scripts home
  [[ -x $binary ]] || { say "error: $binary is no program; build it: cargo build --release"; exit 2; }
  scripts=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
  home=$(dirname -- "$scripts")/target/bench-peers
  (($(nproc --all) >= 2)) || die "one core is too few: the server and the tool need one each"
  install_peers "$home"
  exec "$home/venv/bin/python" "$scripts/bench_peers.py" \
    --binary "$(realpath -- "$binary")" --home "$home" \
    --streams "${STREAMS:-256}" --requests "${REQUESTS:-768}" --tokens "${TOKENS:-128}" \
    --ttft-ms "${TTFT_MS:-50}" --itl-ms "${ITL_MS:-20}" \
    --server-core "${SERVER_CORE:-0}" --client-core "${CLIENT_CORE:-1}" \
    --realtime "${REALTIME:-0}" --tools "${TOOLS:-autotuner inference-perf genai-bench}"
}

main "$@"
