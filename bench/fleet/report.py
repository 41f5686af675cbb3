#!/usr/bin/env python3
"""docs/perf/fleet.md of the lines that play.sh printed. usage: report.py LINES PAGE"""
import json
import statistics
import sys

HEAD = """# What kept connections save a fleet

Made by `./run bench fleet`; do not edit. The reference fleet plays the same work twice in turn, {rounds} rounds: with connections
that are kept, and with `FLEET_POOLING=off`, where every call of a service to a database or to another service opens one of its own.
The work: a game date of the last season (features, predictions, grading: some 190 messages and a few hundred statements) and 600
requests at 60 a second that ask the coordinator for its batches. Medians of the rounds; in brackets the least and the most.

- *Connections* are those that the kernel opened in a network of the fleet's own: everything between users, router, services, agent
  and stores, the health checks included.
- *CPU* is user and system time of services, agent and router; *the store's* is PostgreSQL's or the emulator's. SQLite is in the
  services' own. The ten seconds of requests hold the fleet's idle work too, the same in both columns.
- Google is `serin emulate google` on loopback without TLS. Over a real network a new connection costs two round trips and a
  handshake more, so the difference there is greater than here.
- Not in it: what HAProxy keeps. It kept no connection to a replica, because a server that is added at run time keeps none unless
  it is told to. With that mended the pooled column went from 790 to 39 connections on PostgreSQL and from 806 to 42 on Google.

| warehouse | | kept | not kept | saved |
|---|---|---:|---:|---:|
"""


def main() -> int:
    samples: dict = {}
    with open(sys.argv[1], encoding="utf-8") as lines:
        for line in lines:
            sample = json.loads(line)
            if sample["load"]["failed"] or sample["load"]["late"] > 30:
                print(f"a round failed requests or ran late: {line}", file=sys.stderr)
            sample["p50_ms"] = sample["load"]["p50_seconds"] * 1000
            sample["p99_ms"] = sample["load"]["p99_seconds"] * 1000
            samples.setdefault(sample["warehouse"], {}).setdefault(sample["pooling"], []).append(sample)
    rounds = min(len(found) for by in samples.values() for found in by.values())
    page = HEAD.format(rounds=rounds)
    names = {"sqlite": "SQLite", "postgres": "PostgreSQL", "google": "BigQuery, Pub/Sub, Firestore"}
    rows = [("opened", "connections", 0), ("fleet_ms", "CPU of the fleet, ms", 0), ("store_ms", "CPU of the store, ms", 0),
            ("pipeline_ms", "the game date, ms", 0), ("p50_ms", "request p50, ms", 2), ("p99_ms", "request p99, ms", 2)]
    for warehouse, by in samples.items():
        for key, title, digits in rows:
            cells = []
            medians = []
            for pooling in ("on", "off"):
                values = [sample[key] for sample in by[pooling]]
                medians.append(statistics.median(values))
                cells.append(f"{medians[-1]:.{digits}f} ({min(values):.{digits}f}-{max(values):.{digits}f})")
            if not medians[1]:
                continue
            page += f"| {names[warehouse]} | {title} | {cells[0]} | {cells[1]} | {100 * (1 - medians[0] / medians[1]):.0f} % |\n"
    with open(sys.argv[2], "w", encoding="utf-8") as out:
        out.write(page)
    print(page)
    return 0


sys.exit(main())
