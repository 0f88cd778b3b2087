#!/usr/bin/env bash
# Sees to it that a PostgreSQL server for tests answers: looks, installs it, starts one of its own.
set -euo pipefail

readonly WAIT_SECONDS=60
readonly EXIT_USAGE=2 EXIT_NONE=3

usage() {
  cat <<EOF
Usage: scripts/postgres.sh [--look | --stop]

Prints the URL of a PostgreSQL server that tests may fill and empty, and starts it where it does
not run: a server of its own with nothing in it, on a free port of the loopback device, with a
password of its own, its data in a folder for temporary files. It writes nothing through to the
disk, so a crash of the machine ends it for good. What it started goes on running; the URL is in
the file postgres/url where cargo builds, for this user alone, and tests look there.

On Debian or Ubuntu it installs PostgreSQL (postgresql) if it is missing, and leaves the server
that comes with the package stopped. A PostgreSQL that is there is left as it is.

  --look  install and start nothing
  --stop  end the server that this has started, and remove its data

Environment:
  AUTOTUNER_TEST_POSTGRES  a URL of a server that is yours to offer: it is printed if it answers

Exit status: 0 it answers, or is stopped; 1 it should and does not; 2 wrong usage;
3 there is none, and this user cannot have one.
EOF
}

say() { printf 'postgres.sh: %s\n' "$*" >&2; }
die() { say "error: $*"; exit 1; }
none() { say "$*"; exit "$EXIT_NONE"; }

install_missing() {
  if find_programs; then return; fi
  may_install || none "PostgreSQL is missing and this user may install nothing; run as root: apt-get install postgresql"
  apt_install postgresql 9>&- || die "postgresql could not be installed"
  # The package starts one for everybody on port 5432; tests start their own.
  local as_root=()
  if [[ $(id -u) != 0 ]]; then as_root=(sudo -n); fi
  "${as_root[@]}" service postgresql stop >/dev/null 2>&1 9>&- || true
  "${as_root[@]}" update-rc.d postgresql disable >/dev/null 2>&1 9>&- || true
  find_programs || die "postgresql is installed, and its programs are not to be found"
}

# Whether a server answers at the URL $1.
answers() {
  find_programs && [[ $(PGCONNECT_TIMEOUT=10 "$programs/psql" -XAtqc 'SELECT 1' -d "$1" 2>/dev/null 9>&-) == 1 ]]
}

# Prints the URL of the server that an earlier call has started, if it answers.
running() {
  [[ -s $state/url ]] && answers "$(<"$state/url")" && cat "$state/url"
}

# Ends the server of an earlier call, if it still is one, and removes what it had.
stop() {
  local folder
  [[ -s $state/folder ]] || return 0
  folder=$(<"$state/folder")
  [[ $folder == /*/inference-autotuner-postgres.?????? ]] || die "$state/folder names no folder of a server for tests"
  if [[ -d $folder/data ]] && find_programs; then
    as_server "$programs/pg_ctl" stop --silent --mode immediate --pgdata "$folder/data" >/dev/null 2>&1 || true
  fi
  rm -rf -- "$folder"
  rm -f -- "$state/url" "$state/folder"
}

# A certificate of its own, so that connections are encrypted as they would be elsewhere.
make_certificate() {
  type -P openssl >/dev/null || return 1
  as_server openssl req -x509 -newkey rsa:2048 -nodes -days 3650 -subj /CN=localhost \
    -addext subjectAltName=DNS:localhost,IP:127.0.0.1 -addext basicConstraints=critical,CA:FALSE \
    -keyout "$1/server.key" -out "$1/server.crt" >/dev/null 2>&1
}

start() {
  local folder password port tries settings
  folder=$(mktemp -d "${TMPDIR:-/tmp}/inference-autotuner-postgres.XXXXXX")
  printf '%s' "$folder" >"$state/folder"
  if [[ $(id -u) == 0 ]]; then
    chown postgres: "$folder"
    as_server test -w "$folder" || die "the user postgres cannot come to $folder; set TMPDIR to a folder that all may enter"
  fi
  password=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
  # shellcheck disable=SC2016 # it is the other shell's to expand
  as_server bash -c 'umask 077 && cat >"$1"' _ "$folder/password" <<<"$password"
  # A language with an order of its own, as servers have them: whatever leans on it is seen.
  as_server "$programs/initdb" --pgdata "$folder/data" --username autotuner --pwfile "$folder/password" \
    --auth scram-sha-256 --encoding UTF8 --locale C.UTF-8 --locale-provider icu --icu-locale en-US \
    --no-sync >"$folder.log" 2>&1 ||
    as_server "$programs/initdb" --pgdata "$folder/data" --username autotuner --pwfile "$folder/password" \
      --auth scram-sha-256 --encoding UTF8 --locale C --no-sync >"$folder.log" 2>&1 ||
    die "initdb failed: $(tail -n3 "$folder.log")"
  rm -f -- "$folder.log"
  as_server rm -f -- "$folder/password"
  settings="-c listen_addresses=127.0.0.1 -c unix_socket_directories= -c max_connections=400"
  settings+=" -c shared_buffers=64MB -c fsync=off -c full_page_writes=off -c synchronous_commit=off"
  if make_certificate "$folder/data"; then settings+=" -c ssl=on"; fi
  for ((tries = 0; tries < 10; tries++)); do
    port=$((20000 + $(od -An -N2 -tu2 /dev/urandom) % 12000))
    # What this starts must keep neither the lock nor this script's output.
    if as_server "$programs/pg_ctl" start --silent --wait --timeout "$WAIT_SECONDS" --pgdata "$folder/data" \
      --log "$folder/data/log" --options "$settings -p $port" >/dev/null 2>&1 </dev/null 9>&-; then
      (umask 077 && printf 'postgres://autotuner:%s@127.0.0.1:%s/postgres\n' "$password" "$port" >"$state/url")
      if running >/dev/null; then return; fi
      die "the server was started and does not answer: $(as_server tail -n3 "$folder/data/log")"
    fi
    # Somebody else's port.
    if ! as_server grep -q 'could not bind' "$folder/data/log"; then break; fi
  done
  die "the server did not start: $(as_server tail -n5 "$folder/data/log")"
}

main() {
  local what=${1:-}
  case $what in
    '' | --look | --stop) ;;
    -h | --help) usage; exit 0 ;;
    *) say "error: unknown argument: $what"; usage >&2; exit "$EXIT_USAGE" ;;
  esac
  (($# < 2)) || { usage >&2; exit "$EXIT_USAGE"; }
  local scripts
  scripts=$(dirname -- "${BASH_SOURCE[0]}")
  # shellcheck source=scripts/lib/apt.sh
  source "$scripts/lib/apt.sh"
  # shellcheck source=scripts/lib/cargo.sh
  source "$scripts/lib/cargo.sh"
  # shellcheck source=scripts/lib/postgres.sh
  source "$scripts/lib/postgres.sh"
  programs='' state=$(target_directory "$scripts/..")/postgres
  if [[ -n ${AUTOTUNER_TEST_POSTGRES:-} && $what != --stop ]]; then
    answers "$AUTOTUNER_TEST_POSTGRES" || die "AUTOTUNER_TEST_POSTGRES is set, and no server answers there (or psql is missing)"
    printf '%s\n' "$AUTOTUNER_TEST_POSTGRES"
    return
  fi
  if [[ $what == --look ]]; then
    running || none "no server for tests runs; scripts/postgres.sh starts one"
    return
  fi
  mkdir -p -- "$state"
  exec 9>"$state/lock"
  flock --timeout $((WAIT_SECONDS * 5)) 9 || die "another postgres.sh does not come to an end"
  if [[ $what == --stop ]]; then
    stop
    return
  fi
  if running; then return; fi
  [[ $(uname -s) == Linux ]] || none "no server for tests runs, and this can only start one on Linux; set AUTOTUNER_TEST_POSTGRES"
  install_missing
  stop
  say "starting a server for tests"
  start
  running
}

main "$@"
