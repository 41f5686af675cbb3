#!/usr/bin/env bash
# Builds the rivals, then plays all contenders in turn, again and again, so that a change of the machine's mood meets all
# of them. Prints JSON lines; a rival that cannot be had says so in one.
# usage: play.sh BUILD_FOLDER POOL_BENCH [ROUNDS]
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
build=$(mkdir -p "$1" && cd "$1" && pwd)
ours=$2
rounds=${3:-3}
jars=/usr/share/java
export GO111MODULE=off GOCACHE="$build/go-cache" LC_ALL=C.UTF-8

skip() { printf '{"who":"%s","skipped":"%s"}\n' "$1" "$2"; }
play() {  # NAME COMMAND...: its lines, or why there are none
  local name=$1 out
  shift
  if out=$(timeout 60 "$@" 2>"$build/$name.log"); then
    printf '%s\n' "$out"
  else
    skip "$name" "its program failed; see $name.log beside the results"
  fi
}

java=
if ! command -v javac >/dev/null || [ ! -f "$jars/HikariCP.jar" ]; then
  skip HikariCP "no JDK or no HikariCP.jar; packages.bench names what is needed"
elif javac -cp "$jars/HikariCP.jar" -d "$build" "$here/Rival.java" >"$build/javac.log" 2>&1; then
  java=$(dpkg-query -W -f='${Version}' libhikaricp-java 2>/dev/null | sed 's/-.*//')
  java=${java:-of this machine}
else
  skip HikariCP "does not compile; see javac.log"
fi
go=
if ! command -v go >/dev/null; then
  skip "Go database/sql" "no go; packages.bench names what is needed"
elif (cd "$here/go" && go build -o "$build/go_pool" main.go) >"$build/go-build.log" 2>&1; then
  go=yes
else
  skip "Go database/sql" "does not build; see go-build.log"
fi

for _ in $(seq "$rounds"); do
  play serin "$ours" --lines
  [ -n "$java" ] && play hikari java -cp "$build:$jars/HikariCP.jar:$jars/slf4j-api.jar" Rival "$java"
  [ -n "$go" ] && play go "$build/go_pool"
done
exit 0
