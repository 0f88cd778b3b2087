#!/usr/bin/env bash
# Measures the pages of the web UI in a real browser: how soon the first one can be used, a log in a
# hurry, a task with a thousand experiments.
set -euo pipefail

readonly EXIT_USAGE=2 EXIT_NONE=3

usage() {
  cat <<EOF
Usage: scripts/bench-ui.sh BINARY

Starts \`BINARY serve\` and opens its pages in Chromium: the first page, with nothing cached;
lists and charts of a task with a thousand experiments, scrolled; and, where a Docker daemon
answers, the log of a container that prints twenty thousand lines a second for half a minute.
Each figure is printed with its goal; none of them makes it fail. Use a quiet machine and a
release build.

Environment:
  CHROMIUM  the browser (default: the system's)

Exit status: 0 it was measured; 1 something failed; 2 wrong usage; 3 no Node.js.
EOF
}

say() { printf 'bench-ui.sh: %s\n' "$*" >&2; }

main() {
  case ${1:-} in
    -h | --help) usage; exit 0 ;;
    '' | -*) usage >&2; exit "$EXIT_USAGE" ;;
  esac
  [[ -x $1 ]] || { say "error: $1 is no program"; exit "$EXIT_USAGE"; }
  command -v npm >/dev/null || { say "SKIPPED: Node.js is missing"; exit "$EXIT_NONE"; }
  local binary scripts
  binary=$(realpath -- "$1")
  scripts=$(dirname -- "${BASH_SOURCE[0]}")
  cd -- "$scripts/../ui"
  [[ -d node_modules ]] || npm ci --no-audit --no-fund >&2
  AUTOTUNER_BINARY=$binary npm run --silent bench
}

main "$@"
