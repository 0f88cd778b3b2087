#!/usr/bin/env bash
# Makes the image whose program is put into the pods of a cluster, beside the engine.
# The image's name goes to stdout and nothing else does; all talk goes to stderr.
set -euo pipefail

readonly EXIT_USAGE=2

usage() {
  cat <<EOF
Usage: scripts/agent-image.sh [--program FILE] [TAG]

The agent is the product's own program, and so its image is the one that
scripts/sim-image.sh makes: one static file on no base, about as large as the program.
It is copied from there into pods of any other image, so it must need no library: a
program that is named with --program and is not static is refused. TAG is
inference-autotuner/agent:VERSION, which is what kubernetes_agent_image is unless it is
set; it is printed. To hand it to a cluster, push it to a registry that its nodes reach,
under a name of that registry, and set kubernetes_agent_image to that name.

It takes Rust, a C compiler, and a static libc (libc6-dev on Debian), and as long as a
build of the program that is linked once more.

Exit status: 0 the image is there; 1 something failed; 2 wrong usage;
3 no Docker daemon answers.
EOF
}

say() { printf 'agent-image.sh: %s\n' "$*" >&2; }
die() { say "error: $*"; exit 1; }

# The version of the workspace.
version() {
  sed -n '/^\[workspace.package\]/,/^\[/ s/^version = "\(.*\)"$/\1/p' "$repository/Cargo.toml"
}

# Whether a program needs no library.
is_static() { ! ldd -- "$1" 2>/dev/null | grep -q '=>\|ld-linux'; }

main() {
  repository=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
  local tag='' program=()
  while (($#)); do
    case $1 in
      -h | --help) usage; exit 0 ;;
      --program)
        program=(--program "${2:-}")
        is_static "${2:-}" || die "${2:-} needs libraries, which engines' images lack: link it statically"
        shift
        ;;
      -*) say "error: unknown option: $1"; usage >&2; exit "$EXIT_USAGE" ;;
      *) tag=$1 ;;
    esac
    shift
  done
  tag=${tag:-inference-autotuner/agent:$(version)}
  "$repository/scripts/sim-image.sh" "${program[@]}" "$tag" >&2
  printf '%s\n' "$tag"
}

main "$@"
