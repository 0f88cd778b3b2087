#!/usr/bin/env bash
# Runs every test, with whatever this machine has for them: a real engine, a Docker daemon
# and the images that tests start. scripts/test-deps.sh installs what is missing.
set -euo pipefail

usage() {
  cat <<EOF
Usage: scripts/test-all.sh

Runs the tests of the whole workspace, those in documentation included, and then
scripts/schemathesis.sh, which asks a running service for what its document promises, and
the journeys of ui/e2e through the web UI, in a browser, with the program that the tests built.
Where they are to be had, these are set for the tests:
  AUTOTUNER_LLAMA_SERVER      the llama-server that scripts/llama-server.sh finds
and where a Docker daemon answers
  AUTOTUNER_REQUIRE_DOCKER=1  tests with containers fail, rather than skip, without it
  AUTOTUNER_SIM_IMAGE         the image that scripts/sim-image.sh makes
  AUTOTUNER_LLAMA_IMAGE       the image that scripts/llama-image.sh makes
and where a PostgreSQL server answers that scripts/postgres.sh has started
  AUTOTUNER_TEST_POSTGRES     its URL
  AUTOTUNER_REQUIRE_POSTGRES=1  tests of the database fail, rather than skip, without it
and where scripts/kubernetes.sh finds a cluster or starts one, which is taken down again
  AUTOTUNER_REQUIRE_KUBERNETES=1  tests with a cluster fail, rather than skip, without it
  AUTOTUNER_TEST_KUBECONFIG       how it is reached

Environment:
  AUTOTUNER_SKIP_POSTGRES=1   tests of the database are made on SQLite alone
  AUTOTUNER_TEST_POSTGRES     another server for them, which they may fill and empty
  AUTOTUNER_REQUIRE_POSTGRES=1  one must answer: without it nothing is run
  AUTOTUNER_SKIP_DOCKER=1     no image is made, and no Docker daemon required
  AUTOTUNER_REQUIRE_DOCKER=1  a Docker daemon must answer: without one nothing is run
  AUTOTUNER_REQUIRE_KUBERNETES=1  a cluster must be had: without one nothing is run
  AUTOTUNER_SIM_IMAGE, AUTOTUNER_LLAMA_IMAGE  other names for the images to be made
  CHROMIUM                    the browser to use (default: the chromium that is found)
  CI=true                     without Node.js or a browser nothing of the UI is skipped: it fails

Exit status: 0 all tests passed; 1 something failed; 2 wrong usage.
EOF
}

say() { printf 'test-all.sh: %s\n' "$*" >&2; }
die() { say "error: $*"; exit 1; }

find_engine() {
  local server
  if server=$("$scripts/llama-server.sh"); then export AUTOTUNER_LLAMA_SERVER=$server; fi
}

find_postgres() {
  if [[ ${AUTOTUNER_SKIP_POSTGRES:-} == 1 ]]; then
    unset AUTOTUNER_TEST_POSTGRES AUTOTUNER_REQUIRE_POSTGRES
    return
  fi
  local url
  if url=$("$scripts/postgres.sh" --look); then
    export AUTOTUNER_TEST_POSTGRES=$url AUTOTUNER_REQUIRE_POSTGRES=1
    return
  fi
  [[ ${AUTOTUNER_REQUIRE_POSTGRES:-} != 1 ]] || die "AUTOTUNER_REQUIRE_POSTGRES is 1 and no PostgreSQL server answers"
  printf '\ntest-all.sh: SKIPPED: no PostgreSQL server answers: tests of the database are made on SQLite alone\n\n' >&2
}

# Whether a Docker daemon answers; why not, if not. One that is busy is asked again.
docker_answers() {
  local tries
  why='there is no docker program'
  type -P docker >/dev/null || return 1
  for ((tries = 0; tries < 5; tries++)); do
    if why=$(timeout --kill-after=2 20 docker version 2>&1 >/dev/null); then return; fi
    sleep 1
  done
  return 1
}

# Makes the images, and tells tests of them.
make_images() {
  if [[ ${AUTOTUNER_SKIP_DOCKER:-} == 1 ]]; then
    unset AUTOTUNER_REQUIRE_DOCKER AUTOTUNER_SIM_IMAGE AUTOTUNER_LLAMA_IMAGE
    return
  fi
  local why
  if ! docker_answers; then
    [[ ${AUTOTUNER_REQUIRE_DOCKER:-} != 1 ]] ||
      die "AUTOTUNER_REQUIRE_DOCKER is 1 and no Docker daemon answers ($why); scripts/docker.sh starts one"
    printf '\ntest-all.sh: SKIPPED: no Docker daemon answers (%s): tests with containers will be skipped\n\n' "$why" >&2
    unset AUTOTUNER_SIM_IMAGE AUTOTUNER_LLAMA_IMAGE
    return
  fi
  export AUTOTUNER_REQUIRE_DOCKER=1 AUTOTUNER_SIM_IMAGE AUTOTUNER_LLAMA_IMAGE
  # The static program is what users get, so it is what tests start in containers.
  AUTOTUNER_SIM_IMAGE=$("$scripts/sim-image.sh" ${AUTOTUNER_SIM_IMAGE:+"$AUTOTUNER_SIM_IMAGE"}) || exit 1
  if [[ -n ${AUTOTUNER_LLAMA_SERVER:-} ]]; then
    AUTOTUNER_LLAMA_IMAGE=$("$scripts/llama-image.sh" ${AUTOTUNER_LLAMA_IMAGE:+"$AUTOTUNER_LLAMA_IMAGE"}) || exit 1
  else
    unset AUTOTUNER_LLAMA_IMAGE
  fi
}

# Finds or starts a cluster, makes the agent's image, and tells tests of both.
find_cluster() {
  local status=0
  AUTOTUNER_TEST_KUBECONFIG=$("$scripts/kubernetes.sh" --image) || status=$?
  case $status in
    0)
      trap '"$scripts/kubernetes.sh" down || true' EXIT
      export AUTOTUNER_REQUIRE_KUBERNETES=1 AUTOTUNER_TEST_KUBECONFIG
      ;;
    3)
      [[ ${AUTOTUNER_REQUIRE_KUBERNETES:-} != 1 ]] || die "AUTOTUNER_REQUIRE_KUBERNETES is 1 and no cluster could be had"
      printf '\ntest-all.sh: SKIPPED: no Kubernetes cluster could be had: tests with one will be skipped\n\n' >&2
      unset AUTOTUNER_TEST_KUBECONFIG
      ;;
    *) die "the Kubernetes cluster for tests does not run" ;;
  esac
}

main() {
  case ${1:-} in
    '') ;;
    -h | --help) usage; exit 0 ;;
    *) say "error: unknown argument: $1"; usage >&2; exit 2 ;;
  esac
  scripts=$(dirname -- "${BASH_SOURCE[0]}")
  find_engine
  find_postgres
  make_images
  find_cluster
  "$scripts/run-tests.sh" --workspace --locked
  cargo test --workspace --locked --doc
  ask_the_service
  walk_through_the_ui
}

# Asks a running service what is made up from its document.
ask_the_service() {
  local status=0
  "$scripts/schemathesis.sh" || status=$?
  case $status in
    0) ;;
    3) printf '\ntest-all.sh: SKIPPED: no schemathesis could be had: the answers of a running service are not checked against its document\n\n' >&2 ;;
    *) die "the service does not answer as its document says" ;;
  esac
}

# Makes the journeys of a user, in a browser.
walk_through_the_ui() {
  local ui=$scripts/../ui chromium missing='' program
  chromium=${CHROMIUM:-$(type -P chromium || true)}
  if ! type -P node >/dev/null || ! type -P npm >/dev/null; then
    missing='Node.js with npm (https://nodejs.org)'
  elif [[ ! -x $chromium ]]; then
    missing="a browser ${CHROMIUM:+at $CHROMIUM }(on Debian: apt-get install chromium)"
  fi
  if [[ -n $missing ]]; then
    [[ ${CI:-} != true ]] || die "the web UI cannot be tried in a browser without $missing"
    printf '\ntest-all.sh: SKIPPED: the web UI is not tried in a browser without %s\n\n' "$missing" >&2
    return
  fi
  # shellcheck source=scripts/lib/cargo.sh
  source "$scripts/lib/cargo.sh"
  program=$(target_directory "$scripts/..")/debug/autotuner
  [[ -x $program ]] || die "the tests have left no program at $program"
  if [[ ! -d $ui/node_modules ]]; then
    npm --prefix "$ui" ci || die "what the web UI's tests need could not be installed from npm"
  fi
  AUTOTUNER_BINARY=$program CHROMIUM=$chromium npm --prefix "$ui" run e2e ||
    die "a journey through the web UI did not end well"
}

main "$@"
