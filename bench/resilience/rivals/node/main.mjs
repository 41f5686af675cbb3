// The rivals in JavaScript: cockatiel, opossum, p-retry and mollitia, pinned in package.json. One JSON line a case.
import * as cockatiel from 'cockatiel';
import Opossum from 'opossum';
import pRetry from 'p-retry';
import * as mollitia from 'mollitia';

const plain = async (attempt = 1) => attempt;
const failed = new Error('no');

async function measure(rival, kind, what, call) {
  const once = async (calls) => {
    const began = process.hrtime.bigint();
    for (let i = 0; i < calls; ++i) await call();
    return Number(process.hrtime.bigint() - began);
  };
  let calls = 20;
  while ((await once(calls)) < 3e6) calls *= 2;
  const all = [];
  for (let i = 0; i < 25; ++i) all.push((await once(calls)) / calls);
  all.sort((a, b) => a - b);
  console.log(JSON.stringify({ rival, language: `Node ${process.versions.node}`, kind, what, ns: all[12] }));
}
const swallowed = (call) => () => call().catch(() => {});
const failsOnce = () => {
  let attempt = 0;
  return async () => {
    if (++attempt === 1) throw failed;
    return plain(attempt);
  };
};

await measure('await alone', 'plain', 'an async function', () => plain());

{
  const { handleAll, retry, circuitBreaker, timeout, bulkhead, wrap } = cockatiel;
  const retrying = retry(handleAll, { maxAttempts: 2, backoff: new cockatiel.ExponentialBackoff() });
  const atOnce = retry(handleAll, { maxAttempts: 2 });
  const options = { halfOpenAfter: 5000, breaker: new cockatiel.CountBreaker({ threshold: 0.5, size: 100 }) };
  const breaking = circuitBreaker(handleAll, options);
  const opened = circuitBreaker(handleAll, { ...options });
  opened.isolate();
  const all = wrap(bulkhead(1000), timeout(10000, 'aggressive'), retrying, timeout(1000, 'aggressive'), breaking);
  await measure('cockatiel', 'retry', 'retry', () => retrying.execute(() => plain()));
  await measure('cockatiel', 'retry once', 'retry; its shortest wait is a timer', () => atOnce.execute(failsOnce()));
  await measure('cockatiel', 'breaker', 'CountBreaker of 100', () => breaking.execute(() => plain()));
  await measure('cockatiel', 'open', 'isolated', swallowed(() => opened.execute(() => plain())));
  await measure('cockatiel', 'pipeline', 'bulkhead, 10 s, retry, 1 s, breaker', () => all.execute(() => plain()));
}
{
  const breaking = new Opossum(plain, { timeout: false });
  const opened = new Opossum(plain, { timeout: false, resetTimeout: 3600000 });
  opened.open();
  await measure('opossum', 'breaker', 'fire', () => breaking.fire(1));
  await measure('opossum', 'open', 'fire', swallowed(() => opened.fire(1)));
  const timed = new Opossum(plain, { timeout: 1000, capacity: 1000 });
  await measure('opossum', 'pipeline', 'capacity, 1 s, breaker; no retry', () => timed.fire(1));
  for (const each of [breaking, opened, timed]) each.shutdown();
}
await measure('p-retry', 'retry', 'pRetry', () => pRetry(() => plain(), { retries: 2 }));
{
  const circuit = (...modules) => new mollitia.Circuit({ func: plain, options: { modules } });
  const breaker = (state) =>
    new mollitia.SlidingCountBreaker({ slidingWindowSize: 100, minimumNumberOfCalls: 20, ...state });
  const retrying = circuit(new mollitia.Retry({ attempts: 2, interval: 100 }));
  const breaking = circuit(breaker({}));
  const opened = circuit(breaker({ state: mollitia.BreakerState.OPENED, openStateDelay: 3600000 }));
  const all = circuit(
    new mollitia.Timeout({ delay: 10000 }), new mollitia.Retry({ attempts: 2, interval: 100 }),
    new mollitia.Timeout({ delay: 1000 }), breaker({}));
  await measure('mollitia', 'retry', 'Retry', () => retrying.execute(1));
  await measure('mollitia', 'breaker', 'SlidingCountBreaker of 100', () => breaking.execute(1));
  await measure('mollitia', 'open', 'SlidingCountBreaker', swallowed(() => opened.execute(1)));
  await measure('mollitia', 'pipeline', '10 s, retry, 1 s, breaker', () => all.execute(1));
}
process.exit(0);
