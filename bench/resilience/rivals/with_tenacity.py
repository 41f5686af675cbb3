"""The rival in Python: tenacity, from Debian's package. One JSON line a case."""
import json
import platform
import statistics
import time

import tenacity


def plain(attempt=1):
    return attempt


def measure(kind, what, call):
    def once(calls):
        began = time.perf_counter_ns()
        for _ in range(calls):
            call()
        return time.perf_counter_ns() - began

    calls = 10
    while once(calls) < 2e6:
        calls *= 2
    ns = statistics.median(once(calls) / calls for _ in range(25))
    print(json.dumps({"rival": "tenacity", "language": "Python " + platform.python_version(), "kind": kind,
                      "what": what, "ns": round(ns, 2)}))


policy = tenacity.Retrying(stop=tenacity.stop_after_attempt(3), wait=tenacity.wait_random_exponential(max=20))
measure("retry", "Retrying, wait_random_exponential", lambda: policy(plain))

at_once = tenacity.Retrying(stop=tenacity.stop_after_attempt(3), wait=tenacity.wait_none(), sleep=lambda _: None)


def fails_once():
    state = []

    def work():
        if not state:
            state.append(1)
            raise RuntimeError("no")
        return plain(2)

    at_once(work)


measure("retry once", "Retrying, wait_none, no sleep", fails_once)
