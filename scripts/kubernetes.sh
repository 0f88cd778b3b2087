#!/usr/bin/env bash
# Sees to it that tests have a Kubernetes cluster, where one can be had.
# The kubeconfig's path goes to stdout and nothing else does; all talk goes to stderr.
set -euo pipefail

readonly EXIT_USAGE=2 EXIT_NONE=3
# The variable names a folder with up.sh and down.sh, which make a one-node cluster on the Docker daemon.
readonly FOLDER_VARIABLE=AUTOTUNER_KUBERNETES_FOLDER
readonly STATE=${TMPDIR:-/tmp}/inference-autotuner-kubernetes

usage() {
  cat <<EOF
Usage: scripts/kubernetes.sh [--image] [up | down]

up (which is what is done unless told otherwise) prints the path of a kubeconfig: the
one that KUBECONFIG names; else that of a one-node cluster for tests, started by
up.sh in the folder that $FOLDER_VARIABLE names or in ../shared/k8s beside
this repository, in $STATE. One that runs already is used as it is.
With --image the agent's image is made, too, as scripts/agent-image.sh does; a cluster
that is not on this machine's Docker daemon has to be given it by its registry.
down takes the one-node cluster down; a cluster of KUBECONFIG is left alone.

The one-node cluster takes root, a Docker daemon, kubectl, and Debian's etcd-server,
conntrack, socat, openssl and gcc; those that are missing are installed.

Exit status: 0 there is a cluster; 1 there should be one and it does not run;
2 wrong usage; 3 there is none to be had here.
EOF
}

say() { printf 'kubernetes.sh: %s\n' "$*" >&2; }
die() { say "error: $*"; exit 1; }
none() { say "SKIPPED: $*"; exit "$EXIT_NONE"; }

# Prints the folder with up.sh and down.sh, if there is one.
folder() {
  local place
  for place in "${!FOLDER_VARIABLE:-}" "$repository/../shared/k8s"; do
    if [[ -n $place && -x $place/up.sh && -x $place/down.sh ]]; then
      (cd -- "$place" && pwd)
      return
    fi
  done
  return 1
}

answers() { kubectl --kubeconfig "$1" --request-timeout=5s get --raw /readyz >/dev/null 2>&1; }

# Installs what is missing of what a one-node cluster takes.
install_missing() {
  local -A package_of=([etcd]=etcd-server [conntrack]=conntrack [socat]=socat [openssl]=openssl [gcc]=gcc
    [kubectl]=kubernetes-client [iptables]=iptables)
  local program missing=()
  for program in "${!package_of[@]}"; do
    PATH=$PATH:/usr/sbin:/sbin command -v "$program" >/dev/null || missing+=("${package_of[$program]}")
  done
  ((${#missing[@]})) || return 0
  command -v apt-get >/dev/null || none "no ${missing[*]} here, and no apt-get to install them"
  say "installing ${missing[*]}"
  apt-get install -y -qq "${missing[@]}" >/dev/null 2>&1 || die "could not install ${missing[*]}"
}

# Starts the kubelet of the one-node cluster again, told to remove no images: where the disk is nearly
# full it would take all that no container uses from the daemon, whosever they are.
keep_images() {
  local file=$STATE/pid/kubelet words tries
  mapfile -d '' words <"/proc/$(<"$file")/cmdline"
  kill "$(<"$file")"
  for ((tries = 0; tries < 100; tries++)); do
    kill -0 "$(<"$file")" 2>/dev/null || break
    sleep 0.1
  done
  setsid "${words[@]}" --image-gc-high-threshold 100 --image-gc-low-threshold 99 \
    >>"$STATE/log/kubelet.log" 2>&1 </dev/null &
  echo $! >"$file"
}

up() {
  if [[ -n ${KUBECONFIG:-} ]]; then
    answers "$KUBECONFIG" || die "the cluster of KUBECONFIG=$KUBECONFIG does not answer"
    printf '%s\n' "$KUBECONFIG"
    return
  fi
  local place
  place=$(folder) || none "no KUBECONFIG, and no folder with a one-node cluster ($FOLDER_VARIABLE)"
  ((EUID == 0)) || none "a one-node cluster takes root"
  install_missing
  docker version >/dev/null 2>&1 || none "no Docker daemon answers; scripts/docker.sh starts one"
  if ! { [[ -f $STATE/kubeconfig ]] && answers "$STATE/kubeconfig"; }; then
    say "starting a one-node cluster in $STATE"
    "$place/up.sh" "$STATE" >&2 || die "it does not start; see $STATE/log"
    keep_images
  fi
  printf '%s\n' "$STATE/kubeconfig"
}

down() {
  local place
  if [[ -d $STATE ]] && place=$(folder); then "$place/down.sh" "$STATE" >&2; fi
}

main() {
  repository=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
  local what=up with_image=''
  while (($#)); do
    case $1 in
      -h | --help) usage; exit 0 ;;
      --image) with_image=yes ;;
      up | down) what=$1 ;;
      *) say "error: wrong argument: $1"; usage >&2; exit "$EXIT_USAGE" ;;
    esac
    shift
  done
  "$what"
  if [[ -n $with_image && $what == up ]]; then "$repository/scripts/agent-image.sh" >/dev/null; fi
}

main "$@"
