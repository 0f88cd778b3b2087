# What cargo knows. Sourced.
# shellcheck shell=bash

# Prints where cargo builds the workspace in the folder $1.
target_directory() {
  cargo metadata --locked --no-deps --format-version 1 --manifest-path "$1/Cargo.toml" |
    grep -o '"target_directory":"[^"]*"' | cut -d'"' -f4
}
