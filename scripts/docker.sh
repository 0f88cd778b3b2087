#!/usr/bin/env bash
# Sees to it that a Docker daemon answers: looks, installs it, starts it.
set -euo pipefail

readonly LOG=/var/log/dockerd.log LOCK=/run/lock/inference-autotuner-docker.lock
readonly WAIT_SECONDS=90
readonly EXIT_USAGE=2 EXIT_NONE=3

usage() {
  cat <<EOF
Usage: scripts/docker.sh

Where a Docker daemon answers, there is nothing to do. Otherwise, on Debian or Ubuntu,
it installs Docker (docker.io) if it is missing, starts it and waits until it answers:
with systemd as its service, elsewhere in the background, its output in
$LOG. What it started goes on running. It starts no second daemon: one
that runs and does not answer is waited for, and then complained of.

To install and to start takes root, or for the installation and systemd a sudo that
asks for no password. Where DOCKER_HOST or a docker context names a daemon elsewhere,
that one must answer.

Exit status: 0 a daemon answers; 1 one should and does not; 2 wrong usage;
3 there is none, and this user cannot have one.
EOF
}

say() { printf 'docker.sh: %s\n' "$*" >&2; }
die() { say "error: $*"; exit 1; }
none() { say "$*"; exit "$EXIT_NONE"; }

# Prints the daemon's version, if it answers.
answers() { timeout --kill-after=2 20 docker version --format '{{.Server.Version}}' 2>/dev/null; }

# Whether a process of the name $1 lives, that with the number $2 where there is one. One
# that has ended and that nobody has asked after does not count.
lives() {
  # shellcheck disable=SC2086 # without a number it is a pattern
  grep -qsE "^[0-9]+ \($1\) [^ZX]" /proc/${2:-[0-9]*}/stat
}

# Installs the daemon where it is missing, and the program to talk to it with: in newer
# releases the two are apart. (What this starts must not keep the lock.)
install_missing() {
  if type -P dockerd docker >/dev/null; then return; fi
  may_install || none "Docker is missing and this user may install nothing; run as root: apt-get install docker.io"
  type -P dockerd >/dev/null || apt_install docker.io 9>&- || die "docker.io could not be installed"
  type -P docker >/dev/null || apt_install docker-cli 9>&- || die "docker-cli could not be installed"
}

# Removes a file that names a process of a daemon that is no more. A daemon does not start
# while such a process lives, and after a reboot it may be anybody's.
remove_stale() {
  local -r file=$1 name=$2
  local process
  [[ -f $file ]] || return 0
  process=$(<"$file")
  if ! lives "$name" "${process:-none}"; then
    say "removing $file, left by a process that is gone"
    rm -f -- "$file"
  fi
}

# Waits for an answer, as long as the process $1, if there is one, lives.
wait_for_answer() {
  local -r process=${1:-}
  local -r deadline=$((SECONDS + WAIT_SECONDS))
  until answers >/dev/null; do
    if [[ -n $process ]] && ! kill -0 "$process" 2>/dev/null; then return 1; fi
    if ((SECONDS >= deadline)); then return 1; fi
    sleep 0.2
  done
}

show_log() {
  say "the end of $LOG:"
  tail -n 20 -- "$LOG" >&2 || true
}

# Starts the daemon by itself, out of reach of this terminal.
start_in_background() {
  [[ $(id -u) == 0 ]] || none "the Docker daemon does not run, and only root can start it"
  remove_stale /var/run/docker.pid dockerd
  remove_stale /var/run/docker/containerd/containerd.pid containerd
  say "starting dockerd, its output in $LOG"
  setsid dockerd >"$LOG" 2>&1 </dev/null 9>&- &
  local -r daemon=$!
  if wait_for_answer "$daemon"; then return; fi
  show_log
  if kill "$daemon" 2>/dev/null; then die "dockerd did not answer in $WAIT_SECONDS seconds; it is ended again"; fi
  die "dockerd ended at once"
}

start_as_service() {
  local as_root=()
  if [[ $(id -u) != 0 ]]; then
    sudo -n true 2>/dev/null || none "the Docker daemon does not run; run as root: systemctl start docker"
    as_root=(sudo -n)
  fi
  say "starting the service docker"
  "${as_root[@]}" systemctl start docker >&2 || die "the service docker did not start: journalctl -u docker tells why"
  wait_for_answer || refused
}

# What to say of a daemon that runs and does not answer.
refused() {
  local reason
  reason=$(timeout --kill-after=2 20 docker version 2>&1 >/dev/null | tail -n1 || true)
  if [[ $reason == *'permission denied'* ]]; then
    none "a Docker daemon runs, and this user may not talk to it; run as root: usermod -aG docker $(id -un)"
  fi
  die "a Docker daemon runs and does not answer${reason:+: $reason}"
}

main() {
  # Where dockerd is, even if this user's shell does not look there.
  PATH=$PATH:/usr/sbin:/sbin
  # shellcheck source=scripts/lib/apt.sh
  source "$(dirname -- "${BASH_SOURCE[0]}")/lib/apt.sh"
  if (($#)); then
    case $1 in
      -h | --help) usage; exit 0 ;;
      *) say "error: unknown argument: $1"; usage >&2; exit "$EXIT_USAGE" ;;
    esac
  fi
  local version context
  if ! version=$(answers); then
    context=$(docker context show 2>/dev/null || true)
    [[ -z ${DOCKER_HOST:-} ]] || die "DOCKER_HOST is $DOCKER_HOST, and no daemon answers there; start it or unset DOCKER_HOST"
    [[ ${context:-default} == default ]] || die "the docker context is $context, and no daemon answers there"
    [[ $(uname -s) == Linux ]] || none "no Docker daemon answers; start Docker"
    if [[ $(id -u) == 0 ]]; then
      mkdir -p "${LOCK%/*}"
      exec 9>"$LOCK"
      flock --timeout $((WAIT_SECONDS * 5)) 9 || die "another docker.sh does not come to an end"
    fi
    install_missing
    if lives dockerd; then
      wait_for_answer || refused
    elif [[ -d /run/systemd/system ]]; then
      start_as_service
    else
      start_in_background
    fi
    version=$(answers) || refused
  fi
  say "Docker $version answers"
}

main "$@"
