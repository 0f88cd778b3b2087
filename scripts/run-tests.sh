#!/usr/bin/env bash
# Runs tests with cargo-nextest where it is installed, and with cargo test elsewhere.
# Arguments are passed on: scripts/run-tests.sh --workspace --locked
set -euo pipefail
if cargo nextest --version >/dev/null 2>&1; then
  exec cargo nextest run "$@"
fi
printf 'run-tests.sh: cargo-nextest is not installed, running cargo test\n' >&2
exec cargo test "$@"
