#!/usr/bin/env bash
# Asks a running service thousands of odd questions, and checks its answers against its document.
set -euo pipefail

readonly EXIT_USAGE=2 EXIT_NONE=3
# Streams never end. The best configuration may be two YAML documents, of which its reader dies.
readonly ROUTES_LEFT_OUT='^/api/(events$|ws/|tasks/[^/]+/best$)'

usage() {
  cat <<EOF
Usage: scripts/schemathesis.sh [--install | BINARY]

Starts \`BINARY serve\` on a free port, with a data directory of its own and no Docker daemon,
and runs schemathesis against it: requests made up from the OpenAPI document, sound ones and
broken ones. Every answer must be one that the document promises: no server error, no status
code, content type or body that it does not describe. The routes of containers and images may
tell that Docker cannot be reached, and fail in no other way. BINARY is built from the sources where
none is named. It takes two to three minutes.

Left out are the routes that never end by design (event streams and WebSockets; logs are asked
for without following them), the best configuration, which may be two YAML documents in one answer
and which schemathesis cannot read then, and the revoking of the run's own token.

schemathesis is installed where it is missing, with the versions that
scripts/schemathesis/requirements.txt names, below the folder that cargo builds in.
  --install  do only that

Environment:
  SECONDS_AT_MOST  how long to ask (default: 150)
  EXAMPLES         requests that are made up for an operation in each phase (default: 40)
  SEED             begin with this number, to repeat a run

Exit status: 0 nothing was found; 1 something was, or the service did not start;
2 wrong usage; 3 schemathesis cannot be had.
EOF
}

say() { printf 'schemathesis.sh: %s\n' "$*" >&2; }
die() { say "error: $*"; exit 1; }
none() { say "$*"; exit "$EXIT_NONE"; }

server='' work=''
clean_up() {
  if [[ -n $server ]]; then
    kill "$server" 2>/dev/null || true
    wait "$server" 2>/dev/null || true
  fi
  if [[ -n $work ]]; then rm -rf -- "$work"; fi
}

# Sets `environment` to the folder of Python's environment with schemathesis in it. Half of one
# is never taken for a whole: a mark is set last.
install_schemathesis() {
  local wanted
  wanted=$(sha256sum "$scripts/schemathesis/requirements.txt" | cut -c1-16)
  environment=$target/schemathesis-$wanted
  if [[ -e $environment/complete ]]; then return; fi
  command -v python3 >/dev/null || none "python3 is missing"
  say "installing schemathesis from PyPI"
  python3 -m venv --clear "$environment" >&2 ||
    none "Python cannot make an environment (on Debian: apt-get install python3-venv)"
  "$environment/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps \
    -r "$scripts/schemathesis/requirements.txt" >&2 || none "schemathesis could not be installed from PyPI"
  touch "$environment/complete"
}

# Starts the service and sets `address` once it answers.
start_service() {
  local tries
  # What is asked at random must reach no daemon and no cluster of anybody's.
  env -u KUBECONFIG -u AUTOTUNER_KUBERNETES_CONFIG HOME="$work" AUTOTUNER_DOCKER_HOST=unix:///nonexistent/docker.sock \
    "$binary" --data-dir "$work/data" serve --port 0 --rate-limit 100000 >"$work/log" 2>&1 &
  server=$!
  for ((tries = 0; tries < 300; tries++)); do
    address=$(grep -o -m1 'http://[0-9.]*:[0-9]*' "$work/log" || true)
    if [[ -n $address ]] && python3 -c '
import sys, urllib.request
urllib.request.urlopen(sys.argv[1] + "/readyz", timeout=1)' "$address" 2>/dev/null; then return; fi
    kill -0 "$server" 2>/dev/null || die "the service ended: $(tail -n3 "$work/log")"
    sleep 0.1
  done
  die "the service was not ready within thirty seconds: $(tail -n3 "$work/log")"
}

# Makes some tasks, so that there is something to ask for: two that have ended, two that wait.
make_tasks() {
  local name arguments
  for name in ended ended-too waiting waiting-too; do
    sed "s/NAME/$name/" "$scripts/schemathesis/task.json" >"$work/$name.json"
    arguments=(tasks create "$work/$name.json")
    if [[ $name == ended* ]]; then arguments+=(--start -w); fi
    timeout 120 "$binary" --data-dir "$work/data" "${arguments[@]}" >"$work/task.log" 2>&1 ||
      die "the task $name could not be made: $(tail -n3 "$work/task.log")"
  done
}

ask() {
  local token
  token=$("$binary" --data-dir "$work/data" token create schemathesis --role admin) ||
    die "no token could be made"
  local arguments=(
    run "$address/api/openapi.json"
    --header "Authorization: Bearer $token"
    --checks "no_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"
    --exclude-path-regex "$ROUTES_LEFT_OUT"
    --phases "examples,coverage,fuzzing,stateful"
    --max-examples "${EXAMPLES:-40}" --max-time "${SECONDS_AT_MOST:-150}"
    --request-timeout 20 --workers 2 --continue-on-failure --no-color
    --suppress-health-check all --generation-database none
  )
  if [[ -n ${SEED:-} ]]; then arguments+=(--seed "$SEED"); fi
  (cd "$work" && PYTHONPATH=$scripts/schemathesis SCHEMATHESIS_HOOKS=hooks \
    "$environment/bin/st" "${arguments[@]}")
}

main() {
  if (($# > 1)); then usage >&2; exit "$EXIT_USAGE"; fi
  case ${1:-} in
    -h | --help) usage; exit 0 ;;
    --install) ;;
    -*) say "error: unknown option: $1"; usage >&2; exit "$EXIT_USAGE" ;;
  esac
  scripts=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
  # shellcheck source=scripts/lib/cargo.sh
  source "$scripts/lib/cargo.sh"
  target=$(target_directory "$scripts/..")
  environment='' address=''
  install_schemathesis
  if [[ ${1:-} == --install ]]; then exit 0; fi
  binary=${1:-}
  if [[ -z $binary ]]; then
    cargo build --quiet --locked --manifest-path "$scripts/../Cargo.toml" -p autotuner || die "it does not build"
    binary=$target/debug/autotuner
  fi
  [[ -x $binary ]] || { say "error: $binary is no program"; exit "$EXIT_USAGE"; }
  binary=$(realpath -- "$binary")
  trap clean_up EXIT
  work=$(mktemp -d)
  start_service
  make_tasks
  local failed=0
  ask || failed=$?
  kill -0 "$server" 2>/dev/null || die "the service ended: $(tail -n20 "$work/log")"
  if ((failed)); then die "answers are not what the document says"; fi
}

main "$@"
