#!/usr/bin/env bash
# How the lease table on PostgreSQL holds out while it grows.
set -euo pipefail

readonly WAIT_SECONDS=60
readonly EXIT_USAGE=2 EXIT_NONE=3

usage() {
  cat <<'EOF'
Usage: scripts/bench-leases.sh

A thousand simulated workers in eight pools of connections claim tasks, renew their claims and put
experiments on record by the verbs that workers use; no engine runs. Prints rates, times and sizes
at several sizes of the tables, and fails where a task was held twice or a count is wrong.

It starts a PostgreSQL server of its own on a free port of the loopback device, as installed but
for the number of connections: commits go to the disk. The server and its data are gone at the end.
About two and a half minutes as it is; with LONG=1 about six minutes and 5 GB of disk.

Environment:
  LONG         1: looks at a million experiments too. Between the sizes that are looked at, copies
               of an ended task make the tables grow, a hundred times as fast as workers
  FILL         1: such copies in any case; 0: none, in no case
  EXPERIMENTS  experiments to be put on record (default: 10000; LONG: 1000000)
  SECONDS_MAX  seconds after which nothing grows any more (default: 100; LONG: 480)
  WORKERS      workers (default: 1000)
  PROCESSES    pools of connections, of at most fourteen each (default: 8)
  URL          an empty database on a server that is yours to offer; it stays filled

Exit status: 0 it was measured; 1 something is wrong; 2 wrong usage; 3 there is no PostgreSQL.
EOF
}

say() { printf 'bench-leases.sh: %s\n' "$*" >&2; }
die() { say "error: $*"; exit 1; }

folder='' programs=''
clean_up() {
  [[ -n $folder ]] || return 0
  as_server "$programs/pg_ctl" stop --silent --mode immediate --pgdata "$folder/data" >/dev/null 2>&1 || true
  rm -rf -- "$folder"
}

# Starts a server and sets `url`.
start() {
  local port tries settings
  folder=$(mktemp -d "${TMPDIR:-/tmp}/inference-autotuner-leases.XXXXXX")
  if [[ $(id -u) == 0 ]]; then chown postgres: "$folder"; fi
  # Only this machine can reach it, while it is there.
  as_server "$programs/initdb" --pgdata "$folder/data" --username autotuner --auth trust \
    --encoding UTF8 --locale C >"$folder/initdb.log" 2>&1 || die "initdb failed: $(tail -n3 "$folder/initdb.log")"
  settings='-c listen_addresses=127.0.0.1 -c unix_socket_directories= -c max_connections=300'
  for ((tries = 0; tries < 10; tries++)); do
    port=$((20000 + $(od -An -N2 -tu2 /dev/urandom) % 12000))
    if as_server "$programs/pg_ctl" start --silent --wait --timeout "$WAIT_SECONDS" --pgdata "$folder/data" \
      --log "$folder/data/log" --options "$settings -p $port" >/dev/null 2>&1 </dev/null; then
      url="postgres://autotuner@127.0.0.1:$port/postgres"
      return
    fi
  done
  die "the server did not start: $(as_server tail -n3 "$folder/data/log")"
}

main() {
  case ${1:-} in
    '') ;;
    -h | --help) usage; exit 0 ;;
    *) say "error: unknown argument: $1"; usage >&2; exit "$EXIT_USAGE" ;;
  esac
  local scripts url=${URL:-} experiments=10000 seconds=100 fill=()
  scripts=$(dirname -- "${BASH_SOURCE[0]}")
  # shellcheck source=scripts/lib/postgres.sh
  source "$scripts/lib/postgres.sh"
  if [[ ${LONG:-} == 1 ]]; then experiments=1000000 seconds=480; fi
  if [[ ${FILL:-${LONG:-}} == 1 ]]; then fill=(--fill); fi
  trap clean_up EXIT
  if [[ -z $url ]]; then
    if ! find_programs; then
      say 'SKIPPED: PostgreSQL is missing; scripts/postgres.sh installs it'
      exit "$EXIT_NONE"
    fi
    start
  fi
  cd -- "$scripts/.."
  cargo run --quiet --release --locked -p autotuner-store --example lease-bench -- "$url" "${fill[@]}" \
    "${EXPERIMENTS:-$experiments}" "${SECONDS_MAX:-$seconds}" "${WORKERS:-1000}" "${PROCESSES:-8}"
}

main "$@"
