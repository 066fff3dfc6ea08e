/**
 * Loaded into the process of every test file: ends it when it still runs long after its last test, and names what
 * keeps it. The runner waits for each process without a limit, so one that stays would hold up the whole run.
 */
import { after } from 'node:test';

/** Longer than any file takes to stop what it started. */
const lingerMaxMs = Number(process.env.TEST_LINGER_MAX_MS ?? 120_000);

after(() => {
  const end = (): void => {
    process.stderr.write(`${process.argv[1]} did not end; still open: ${process.getActiveResourcesInfo().join(' ')}\n`);
    process.exit();
  };
  setTimeout(end, lingerMaxMs).unref();
});

// With nothing left open, the runtime takes down what it has of its own, and may turn for ever in that
// (node::Environment::CleanupHandles of Node 24.21, in which no JavaScript runs any more): `exit` leaves without it. The
// last of all listeners, so that the others are heard.
process.once('beforeExit', () => process.once('exit', () => process.exit()));
