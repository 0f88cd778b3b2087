#!/usr/bin/env bash
# Makes an image of the llama-server of this machine: the server, the libraries it needs,
# and no model. The image's name goes to stdout and nothing else does; all talk to stderr.
set -euo pipefail

readonly USUAL_TAG=inference-autotuner/llama-server:latest
readonly EXIT_USAGE=2 EXIT_NO_SERVER=4

usage() {
  cat <<EOF
Usage: scripts/llama-image.sh [TAG]

Makes an image of the llama-server that scripts/llama-server.sh finds (it builds none
here), with the shared libraries that the server names; the server is the entrypoint.
TAG is $USUAL_TAG unless another is given; it is printed.
No model is inside: mount one. To see that it works:
  docker run --rm $USUAL_TAG --version
  docker run --rm -p 127.0.0.1:8080:8080 -v "\$PWD/models:/models:ro" \\
    $USUAL_TAG --host 0.0.0.0 --model /models/small-q8_0.gguf

It is for servers that compute on the CPU. One that loads its backends as plug-ins is
not complete in there; scripts/llama-server.sh --build makes one that is. Where the
image is of the same server already, nothing is made.

Environment: that of scripts/llama-server.sh

Exit status: 0 the image is there; 1 something failed; 2 wrong usage;
3 no Docker daemon answers; 4 there is no llama-server.
EOF
}

say() { printf 'llama-image.sh: %s\n' "$*" >&2; }
die() { say "error: $*"; exit 1; }

work=''
clean_up() { if [[ -n $work ]]; then rm -rf -- "$work"; fi; }

main() {
  repository=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
  # shellcheck source=scripts/lib/image.sh
  source "$repository/scripts/lib/image.sh"
  if (($# > 1)); then say "error: too many arguments"; usage >&2; exit "$EXIT_USAGE"; fi
  case ${1:-} in
    -h | --help) usage; exit 0 ;;
    -*) say "error: unknown option: $1"; usage >&2; exit "$EXIT_USAGE" ;;
  esac
  local -r tag=${1:-$USUAL_TAG}
  need_docker
  local server version status=0
  server=$("$repository/scripts/llama-server.sh") || status=$?
  case $status in
    0) ;;
    3) exit "$EXIT_NO_SERVER" ;;
    *) exit 1 ;;
  esac
  trap clean_up EXIT
  work=$(mktemp -d)
  lay_out "$work/root"
  add_program "$server" "$work/root"
  if [[ -f ${server%/*}/LICENSE.llama.cpp ]]; then
    install -D -m 644 "${server%/*}/LICENSE.llama.cpp" "$work/root/licenses/LICENSE.llama.cpp"
  fi
  version=$("$server" --version 2>&1 | sed -n 's/^version: *\([^ ]*\).*/\1/p')
  make_image "$tag" "$work/root" '' \
    'ENTRYPOINT ["/bin/llama-server"]' 'EXPOSE 8080' \
    "$(label org.opencontainers.image.title 'llama-server, of llama.cpp, for the CPU')" \
    "$(label org.opencontainers.image.version "${version:-unknown}")" \
    "$(label org.opencontainers.image.source https://github.com/ggml-org/llama.cpp)"
  printf '%s\n' "$tag"
}

main "$@"
