#!/usr/bin/env bash
# Plays the rivals in other languages and prints their JSON lines; one that cannot be had says so in a line of its own.
# usage: run.sh BUILD_FOLDER
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
build=$(mkdir -p "$1" && cd "$1" && pwd)

skip() { printf '{"rival":"%s","skipped":"%s"}\n' "$1" "$2"; }
play() {  # NAME COMMAND...: its lines, or why there are none
  local name=$1 out
  shift
  if out=$(timeout 60 "$@" 2>"$build/$name.log"); then
    printf '%s\n' "$out"
  else
    skip "$name" "its program failed; see $(basename "$build")/$name.log of the build folder"
  fi
}

if ! command -v go >/dev/null; then
  skip Go "no go; packages.bench names what is needed"
elif (cd "$here/go" && GO111MODULE=off GOPATH=/usr/share/gocode GOCACHE="$build/go-cache" go build -o "$build/go_rivals" main.go) \
    >"$build/go-build.log" 2>&1; then
  play go "$build/go_rivals"
else
  skip Go "does not build: golang-golang-x-time-dev or golang-github-cenkalti-backoff-dev is missing"
fi

if /usr/bin/python3 -c 'import tenacity' 2>/dev/null; then
  play tenacity /usr/bin/python3 "$here/with_tenacity.py"
else
  skip tenacity "python3-tenacity is not installed"
fi

if ! command -v npm >/dev/null; then
  skip "cockatiel, opossum, p-retry, mollitia" "no npm; packages.bench names what is needed"
else
  mkdir -p "$build/node" && cp "$here"/node/{package.json,package-lock.json,main.mjs} "$build/node/"
  if (cd "$build/node" && timeout 120 npm ci --ignore-scripts --no-audit --no-fund) >"$build/npm.log" 2>&1; then
    play node node "$build/node/main.mjs"
  else
    skip "cockatiel, opossum, p-retry, mollitia" "npm ci failed (no network?)"
  fi
fi
skip "Rust tower" "not measured: Debian has its sources, but the compiler and its crates for one row are not worth half a gigabyte"
