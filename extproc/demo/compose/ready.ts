/** For the health check of a processor in the same container: ends with 0 when it is ready, else says why. `node ready.ts <port>` */
const [port = ''] = process.argv.slice(2);
const answer = await fetch(`http://127.0.0.1:${port}/readyz`, { signal: AbortSignal.timeout(4_000) }).catch(() => null);
if (answer?.ok !== true) {
  process.stderr.write(`${answer === null ? 'no answer' : await answer.text()}\n`);
  process.exitCode = 1;
}

export {};
