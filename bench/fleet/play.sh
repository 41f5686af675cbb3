#!/usr/bin/env bash
# The fleet's day with kept connections and without, in turn, on three warehouses. In a network of its own, so that the
# kernel's count of opened connections is the fleet's alone; it needs root for that. Prints a line of JSON a round.
# usage: play.sh BIN_FOLDER SOURCE_FOLDER [ROUNDS] [WAREHOUSE...]
set -euo pipefail
if [ -z "${SERIN_OWN_NETWORK:-}" ]; then
  SERIN_OWN_NETWORK=yes exec unshare --net bash "$0" "$@"
fi
ip link set lo up
bin=$(cd "$1" && pwd)
source=$(cd "$2" && pwd)
rounds=${3:-3}
warehouses=("${@:4}")
[ ${#warehouses[@]} -gt 0 ] || warehouses=(sqlite postgres google)
reads=${READS:-600}
work=$(mktemp -d)
chmod 755 "$work"
pg=$(ls -d /usr/lib/postgresql/*/bin | tail -1)
serin=()
stop_store=:
down() {
  [ ${#serin[@]} -eq 0 ] || "${serin[@]}" down >/dev/null 2>&1 || true
  eval "$stop_store" || true
  serin=()
  stop_store=:
}
cleanup() {
  down
  rm -rf "$work"
}
trap cleanup EXIT

opened() { awk '/^Tcp:/ {n++; if (n == 2) print $6}' /proc/net/snmp; }
# User and system time of the processes of this network, ended and awaited children included, in 1/100 s: of the fleet
# with its agent and its router, and of the store that it works on.
ticks() {
  local here pid fleet=0 store=0 line spent
  here=$(readlink /proc/self/ns/net)
  for pid in /proc/[0-9]*; do
    [ "$(readlink "$pid/ns/net" 2>/dev/null || true)" = "$here" ] || continue
    line=$(tr '\0' ' ' <"$pid/cmdline" 2>/dev/null || true)
    [[ $line == *play.sh* ]] && continue
    spent=$(sed 's/.*) //' "$pid/stat" 2>/dev/null | awk '{print $12 + $13 + $14 + $15}')
    if [[ $line == postgres:* || $line == *postgresql* || $line == *"emulate google"* ]]; then
      store=$((store + ${spent:-0}))
    else
      fleet=$((fleet + ${spent:-0}))
    fi
  done
  echo "$fleet $store"
}
milliseconds() { echo $(($(date +%s%N) / 1000000)); }

play() {  # WAREHOUSE POOLING
  local warehouse=$1 pooling=$2 state=$work/$RANDOM stores url address=
  mkdir "$state"
  chmod 755 "$state"
  case "$warehouse" in
    sqlite)
      url=sqlite:$state/warehouse.db
      stores="warehouse: $url"$'\n'"bus: sqlite:bus.db"$'\n'"documents: sqlite:documents.db"
      ;;
    postgres)
      mkdir "$state/pg"
      chown postgres "$state/pg"
      runuser -u postgres -- "$pg/initdb" --auth=trust --no-sync -D "$state/pg/data" >/dev/null
      runuser -u postgres -- "$pg/pg_ctl" -D "$state/pg/data" -w -l "$state/pg/log" \
        -o "-c listen_addresses=127.0.0.1 -c unix_socket_directories= -c max_connections=200" start >/dev/null
      url=postgres://postgres@127.0.0.1:5432/postgres
      stores="warehouse: $url"$'\n'"bus: sqlite:bus.db"$'\n'"documents: sqlite:documents.db"
      stop_store="runuser -u postgres -- '$pg/pg_ctl' -D '$state/pg/data' -m fast stop >/dev/null" ;;
    google)
      "$bin/serin" emulate google --port 0 --data memory --ready-file "$state/ready" >"$state/emulator.log" 2>&1 &
      local emulator=$!
      until [ -s "$state/ready" ]; do kill -0 "$emulator"; done
      address=$(head -1 "$state/ready")
      curl -sf -X POST "$address/bigquery/v2/projects/local/datasets" -H 'Content-Type: application/json' \
        -d '{"datasetReference":{"projectId":"local","datasetId":"predictions"}}' >/dev/null
      url="bigquery://local/predictions?endpoint=$address"
      stores="warehouse: $url"$'\n'"bus: pubsub://local?endpoint=$address"$'\n'"documents: firestore://local?endpoint=$address"
      stop_store="kill $emulator; wait $emulator" ;;
  esac
  # The fleet's own file with other stores, without the drills and the checks on a schedule.
  STORES=$stores awk '/^(warehouse|bus|documents):/ { if (!done++) print ENVIRON["STORES"]; next } { print }' \
    "$source/fleet/fleet.yaml" | sed -e "s#environment_of_all: .*#environment_of_all: {FLEET_POOLING: \"$pooling\"}#" \
    -e "s#\${here}#$source/fleet#g" -e 's#FLEET_CHECKS_EVERY: 10s#FLEET_CHECKS_EVERY: 1h#' >"$state/fleet.yaml"
  serin=("$bin/serin" --fleet "$state/fleet.yaml" --state "$state/state")
  "$bin/serin-fleet" load --warehouse "$url" >"$state/load.log"
  "${serin[@]}" up >"$state/up.log" 2>&1 || { cat "$state/up.log" >&2; exit 1; }
  local urls
  urls=$("${serin[@]}" status --json | python3 -c '
import json, sys
for service in json.load(sys.stdin)["services"]: print("--url", service["name"] + "=" + service["url"])')
  local coordinator
  coordinator=$(grep -o 'prediction-coordinator=[^ ]*' <<<"$urls" | cut -d= -f2-)
  local fleet0 store0 fleet1 store1 tcp0 tcp1 time0 time1 load
  read -r fleet0 store0 < <(ticks)
  tcp0=$(opened) time0=$(milliseconds)
  # shellcheck disable=SC2086
  "$bin/serin-fleet" pipeline --warehouse "$url" $urls --json >"$state/pipeline.json" 2>"$state/pipeline.log" || { cat "$state/pipeline.log" >&2; exit 1; }
  time1=$(milliseconds)
  load=$("$bin/serin" load "$coordinator/status" --rps 60 --duration "$((reads / 60))s" --json)
  read -r fleet1 store1 < <(ticks)
  tcp1=$(opened)
  LOAD=$load python3 - "$warehouse" "$pooling" $((fleet1 - fleet0)) $((store1 - store0)) $((tcp1 - tcp0)) $((time1 - time0)) <<'PY'
import json, os, sys
warehouse, pooling, fleet, store, tcp, pipeline = sys.argv[1:]
print(json.dumps({"warehouse": warehouse, "pooling": pooling, "fleet_ms": int(fleet) * 10, "store_ms": int(store) * 10, "opened": int(tcp),
                  "pipeline_ms": int(pipeline), "load": json.loads(os.environ["LOAD"])}))
PY
  down
}

for _ in $(seq "$rounds"); do
  for warehouse in "${warehouses[@]}"; do
    play "$warehouse" on
    play "$warehouse" off
  done
done
