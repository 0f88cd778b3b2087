# Where PostgreSQL's programs are and who may run them. Sourced.
# shellcheck shell=bash

# Finds where the newest server's programs are, for `programs`. Debian keeps them out of PATH.
find_programs() {
  local found
  programs=$(find /usr/lib/postgresql -mindepth 2 -maxdepth 2 -name bin 2>/dev/null | sort -V | tail -n1)
  if [[ -z $programs ]] && found=$(type -P pg_ctl); then programs=$(dirname -- "$(readlink -f -- "$found")"); fi
  [[ -n $programs && -x $programs/initdb && -x $programs/pg_ctl && -x $programs/psql ]]
}

# Runs a program of the server as somebody who is not root, whom the server refuses.
as_server() {
  if [[ $(id -u) == 0 ]]; then
    (cd / && exec runuser -u postgres -- "$@")
  else
    "$@"
  fi
}
