#!/usr/bin/env bash
# Makes the image of the simulated engine: the product's own program and nothing else.
# The image's name goes to stdout and nothing else does; all talk goes to stderr.
set -euo pipefail

readonly USUAL_TAG=inference-autotuner/sim-engine:latest
readonly EXIT_USAGE=2

usage() {
  cat <<EOF
Usage: scripts/sim-image.sh [--program FILE] [TAG]

Builds the product's program as one static file, or takes the one that is named, with
the libraries that it needs, and makes an image of it: no base, nothing fetched, the
program as the entrypoint. TAG is $USUAL_TAG
unless another is given; it is printed. To see that it works:
  docker run --rm $USUAL_TAG --version
  docker run --rm -p 127.0.0.1:8000:8000 $USUAL_TAG \\
    sim-engine --host 0.0.0.0 --port 8000

The build is that of \`cargo build --package autotuner\`, linked once more, and takes as
long. Where the image is of the same program already, nothing is made.

Exit status: 0 the image is there; 1 something failed; 2 wrong usage;
3 no Docker daemon answers.
EOF
}

say() { printf 'sim-image.sh: %s\n' "$*" >&2; }
die() { say "error: $*"; exit 1; }
wrong() { say "error: $*"; usage >&2; exit "$EXIT_USAGE"; }

work=''
clean_up() { if [[ -n $work ]]; then rm -rf -- "$work"; fi; }

# Builds the static program and sets `program` to its path.
build_program() {
  command -v cargo >/dev/null || die "cargo is missing; install Rust first"
  # shellcheck source=scripts/lib/cargo.sh
  source "$repository/scripts/lib/cargo.sh"
  program=$(target_directory "$repository")/static/autotuner || die "cargo does not say where it builds"
  mkdir -p -- "${program%/*}"
  # The flags concern the last step alone: all dependencies are shared with other builds, and
  # with a file of its own the result does not take the place of the usual program.
  cargo rustc --locked --manifest-path "$repository/Cargo.toml" \
    --package autotuner --bin autotuner -- \
    -C target-feature=+crt-static -C strip=symbols --emit="link=$program" >&2 ||
    die "the program could not be built as a static file (a static libc is needed: libc6-dev on Debian)"
}

# The revision of the checkout, marked where files differ from it; empty outside of git.
revision() {
  git -C "$repository" describe --always --abbrev=40 --match '' --dirty 2>/dev/null || true
}

main() {
  repository=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
  # shellcheck source=scripts/lib/image.sh
  source "$repository/scripts/lib/image.sh"
  local tag='' program='' version revision
  while (($#)); do
    case $1 in
      -h | --help) usage; exit 0 ;;
      --program)
        program=${2:-}
        [[ -f $program && -x $program ]] || wrong "--program wants a program, not '$program'"
        shift
        ;;
      -*) wrong "unknown option: $1" ;;
      *)
        [[ -z $tag ]] || wrong "too many arguments"
        tag=$1
        ;;
    esac
    shift
  done
  tag=${tag:-$USUAL_TAG}
  need_docker
  if [[ -z $program ]]; then build_program; fi
  trap clean_up EXIT
  work=$(mktemp -d)
  lay_out "$work/root"
  add_program "$program" "$work/root"
  revision=$(revision)
  version=$("$program" --version) || die "$program does not run"
  make_image "$tag" "$work/root" "${revision:+$(label org.opencontainers.image.revision "$revision")}" \
    'ENTRYPOINT ["/bin/autotuner"]' 'EXPOSE 8000' \
    "$(label org.opencontainers.image.title 'Inference Autotuner, simulated engine')" \
    "$(label org.opencontainers.image.version "${version##* }")" \
    "$(label org.opencontainers.image.source https://github.com/inference-autotuner/inference-autotuner)" \
    "$(label org.opencontainers.image.licenses Apache-2.0)"
  printf '%s\n' "$tag"
}

main "$@"
