#!/usr/bin/env bash
# What many experiments at once cost the controller and the API server of a cluster.
set -euo pipefail

readonly EXIT_USAGE=2

usage() {
  cat <<'EOF'
Usage: scripts/bench-jobs.sh

Makes Jobs as experiments are made, waits with them, and removes them, through the code that the
product uses; their pods ask for a node that there is not, so no engine takes part. Prints times,
processor time and memory, those of the API server too where it is the one that scripts/kubernetes.sh
has started. About three minutes with 500 Jobs on two processors.

Environment:
  JOBS          how many at once (default: 500)
  SECONDS_HELD  how long they wait (default: 30)

Exit status: 0 it was measured; 1 something is wrong; 2 wrong usage; 3 there is no cluster.
EOF
}

say() { printf 'bench-jobs.sh: %s\n' "$*" >&2; }

main() {
  case ${1:-} in
    '') ;;
    -h | --help) usage; exit 0 ;;
    *) say "error: unknown argument: $1"; usage >&2; exit "$EXIT_USAGE" ;;
  esac
  local kubeconfig server=()
  scripts=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
  kubeconfig=$("$scripts/kubernetes.sh") || exit
  if [[ -z ${KUBECONFIG:-} ]]; then
    server=("$(<"${kubeconfig%/*}/pid/kube-apiserver")")
    trap '"$scripts/kubernetes.sh" down || true' EXIT
  fi
  cd -- "$scripts/.."
  cargo run --quiet --release --locked -p autotuner-deploy --example jobs-bench -- \
    "$kubeconfig" "${JOBS:-500}" "${SECONDS_HELD:-30}" "${server[@]}"
}

main "$@"
