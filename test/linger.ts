/**
 * Loaded into the process of every test file: ends it when it still runs long after its last test, and names what
 * keeps it. The runner waits for each process without a limit, so one that stays would hold up the whole run.
 */
import { after } from 'node:test';
import { leaveWhenDone } from '../extproc/leave.ts';

/** Longer than any file takes to stop what it started. */
const lingerMaxMs = Number(process.env.TEST_LINGER_MAX_MS ?? 120_000);

after(() => {
  const end = (): void => {
    process.stderr.write(`${process.argv[1]} did not end; still open: ${process.getActiveResourcesInfo().join(' ')}\n`);
    process.exit();
  };
  setTimeout(end, lingerMaxMs).unref();
});

leaveWhenDone();
