"""urllib3 and requests, as Debian has them, with threads. usage: with_python.py NAME PORT CONCURRENCY REQUESTS"""
import itertools
import resource
import sys
import threading
import time

name, port, concurrency, requests_wanted = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
url = "http://127.0.0.1:%s/" % port
if name == "urllib3":
    import urllib3

    pool = urllib3.PoolManager(maxsize=concurrency, block=True, retries=False)

    def get():
        return len(pool.request("GET", url).data)

else:
    import requests

    session = requests.Session()
    session.trust_env = False
    session.mount("http://", requests.adapters.HTTPAdapter(pool_maxsize=concurrency, pool_block=True))

    def get():
        return len(session.get(url).content)


def run(count):
    left, latencies, wrong = itertools.count(), [], []

    def work():
        while next(left) < count:
            began = time.perf_counter_ns()
            if get() != 512:
                wrong.append(1)
            latencies.append(time.perf_counter_ns() - began)

    threads = [threading.Thread(target=work) for _ in range(concurrency)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    return sorted(latencies), len(wrong)


def cpu():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


run(max(requests_wanted // 10, concurrency))
before, began = cpu(), time.perf_counter()
latencies, wrong = run(requests_wanted)
seconds, used = time.perf_counter() - began, cpu() - before
print(len(latencies), seconds, used, latencies[len(latencies) // 2], latencies[len(latencies) * 99 // 100], wrong)
