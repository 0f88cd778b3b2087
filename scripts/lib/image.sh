# Makes an image from one folder, with nothing underneath and nothing fetched.
# Sourced by scripts/sim-image.sh and scripts/llama-image.sh, which have say() and die().
# shellcheck shell=bash
#
# The folder is handed to `docker import`, so that no builder is needed. The image carries
# a hash of its files and settings: when that is the one there is, nothing is done.

readonly CONTENT_LABEL=inference-autotuner.image.content
readonly EXIT_NO_DOCKER=3

# Modes of files are part of an image, whoever makes it.
umask 022

# Ends the script where no Docker daemon answers.
need_docker() {
  command -v docker >/dev/null || {
    say "the docker program is missing; scripts/docker.sh installs it"
    exit "$EXIT_NO_DOCKER"
  }
  docker version --format '{{.Server.Version}}' >/dev/null 2>&1 || {
    say "no Docker daemon answers; scripts/docker.sh starts one"
    exit "$EXIT_NO_DOCKER"
  }
}

# What every program expects to find, in the folder $1.
lay_out() {
  mkdir -p "$1"/{etc,root,tmp}
  chmod 1777 "$1/tmp"
  printf '%s\n' 'root:x:0:0:root:/root:/bin/false' \
    'nobody:x:65534:65534:nobody:/nonexistent:/bin/false' >"$1/etc/passwd"
  printf '%s\n' 'root:x:0:' 'nogroup:x:65534:' >"$1/etc/group"
  printf 'hosts: files dns\n' >"$1/etc/nsswitch.conf"
}

# add_program PROGRAM FOLDER: puts the program into the folder's /bin, without symbols, and
# what it is linked with: the loader to where the program looks for it, and libraries to
# /lib, as their own folders are of this machine.
add_program() {
  local -r program=$1 root=$2
  local -r copy=$root/bin/${program##*/}
  local listing line name path
  install -D -m 755 -- "$program" "$copy"
  strip -- "$copy" 2>/dev/null || say "symbols stay in: there is no strip here"
  # A static program has none, and ldd then fails.
  listing=$(ldd "$program" 2>/dev/null || true)
  while read -r line; do
    case $line in
      *'=> not found'*) die "$program needs ${line%% *}, which is not on this machine" ;;
      *' => /'*)
        name=${line%% *} path=${line#*=> }
        install -D -m 755 "${path%% (*}" "$root/lib/${name##*/}"
        ;;
      /*) install -D -m 755 "${line%% (*}" "$root${line%% (*}" ;;
    esac
  done <<<"$listing"
}

# A label's setting for docker import.
label() { printf 'LABEL "%s"="%s"' "$1" "$2"; }

# Whether an image of that name has this very content.
is_current() {
  [[ $(docker image inspect --format "{{index .Config.Labels \"$CONTENT_LABEL\"}}" "$1" 2>/dev/null) == "$2" ]]
}

# make_image TAG FOLDER REMARK SETTING...: the image TAG of FOLDER, unless it is there
# already. The remark is a setting that makes no difference to that, or empty. Whatever
# had the tag before, and has no other, is removed, unless a container uses it.
make_image() {
  local -r tag=$1 folder=$2 remark=$3
  shift 3
  local settings=() setting content before
  set -- 'ENV PATH=/bin' 'ENV LD_LIBRARY_PATH=/lib' 'WORKDIR /tmp' "$@"
  for setting in "$@"; do settings+=(--change "$setting"); done
  local -r files=$folder.tar
  # Same files, same archive: neither times nor who built it are in it.
  tar --create --file "$files" --directory "$folder" --sort=name --mtime=@0 \
    --owner=0 --group=0 --numeric-owner .
  content=$({ cat -- "$files"; printf '%s\n' "$@"; } | sha256sum)
  content=${content%% *}
  if is_current "$tag" "$content"; then
    say "$tag is up to date"
    return
  fi
  before=$(docker image inspect --format '{{.Id}}' "$tag" 2>/dev/null || true)
  docker import "${settings[@]}" \
    --change "$(label "$CONTENT_LABEL" "$content")" \
    ${remark:+--change "$remark"} "$files" "$tag" >/dev/null || die "Docker did not take the image $tag"
  if [[ -n $before && $(docker image inspect --format '{{len .RepoTags}}' "$before" 2>/dev/null) == 0 ]]; then
    docker image rm "$before" >/dev/null 2>&1 || true
  fi
  say "made $tag ($(($(stat --format=%s "$files") / 1000000)) MB)"
  try_image "$tag"
}

# Sees that the image runs at all.
try_image() {
  local output
  output=$(timeout --kill-after=5 60 docker run --rm --network none "$1" --version 2>&1 </dev/null) ||
    die "the image $1 does not run: $(tail -n1 <<<"$output")"
}
