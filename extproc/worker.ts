import { join } from 'node:path';
import { diskFault } from './disk-fault.ts';
import { SkilltapeError } from './errors.ts';
import { loadJournalKey } from './journal/key.ts';
import { nodeFileSystem } from './journal/node-fs.ts';
import { journalDirectory } from './journal/places.ts';
import { leaveWhenDone } from './leave.ts';
import type { Log } from './log.ts';
import { createLog, endOnFault } from './log.ts';
import { meteredFileSystem } from './operations/metered-file-system.ts';
import { Operations } from './operations/operations.ts';
import { startRecorder } from './recorder.ts';
import { RecordingLoad } from './recording-load.ts';
import { openUndamaged } from './recovery.ts';
import { keepThreadHeapsSmall } from './thread-heaps.ts';
import { listenOf } from './workers/places.ts';
import { PrimaryLink } from './workers/primary-link.ts';
import type { FromWorker, ToWorker, WorkerStart } from './workers/protocol.ts';

/** Two failed health checks half a second apart, and a moment. */
const drainNoticeMs = 1_500;

/** The program of a worker process: records until the primary, its death or a signal ends it. */
async function main(): Promise<void> {
  const link = new PrimaryLink({
    get connected() {
      return process.connected;
    },
    send: (message: FromWorker, sent) => process.send?.(message, undefined, undefined, sent),
    onMessage: (heed) => process.on('message', (message) => heed(message as ToWorker)),
    onDisconnect: (heed) => process.once('disconnect', heed),
  });
  // Whoever ends the whole group of processes (a terminal, a service manager) ends us too: then we drain as well.
  let signals = 0;
  const signalled = new Promise<string>((resolve) => {
    for (const name of ['SIGTERM', 'SIGINT'] as const) {
      process.on(name, () => {
        signals += 1;
        if (signals > 1) process.exit(1);
        resolve(name);
      });
    }
  });
  const start = await Promise.race([link.started, link.over, signalled]);
  if (typeof start === 'object') await record(start, link, signalled);
  link.close();
  if (process.connected) process.disconnect();
}

async function record(start: WorkerStart, link: PrimaryLink, signalled: Promise<string>): Promise<void> {
  const log = createLog(start.config.log.level, start.worker);
  endOnFault(log, () => process.exit(1));
  const operations = new Operations(Object.keys(start.config.connections));
  await using started = new AsyncDisposableStack();
  try {
    const { recorder, journal } = await begin(start, link, { log, operations });
    started.defer(() => journal.close());
    started.defer(() => recorder.stop());
    const load = new RecordingLoad(() => journal.usage());
    link.recording({ ...recorder, report: () => operations.report(), isBusy: () => load.isBusy() });
  } catch (thrown) {
    await link.failed(diskFault(thrown) ?? thrown);
    process.exitCode = 1;
    return;
  }
  const reason = await Promise.race([link.over, signalled]);
  log.info({ reason }, 'draining');
}

async function begin(
  { worker, config, policy, journalMaxBytes, facts }: WorkerStart,
  link: PrimaryLink,
  { log, operations }: { log: Log; operations: Operations },
) {
  await using opened = new AsyncDisposableStack();
  const place = {
    directory: journalDirectory(config.dataDirectory, worker),
    fileSystem: meteredFileSystem(nodeFileSystem, operations.metrics.journal),
    key: await loadJournalKey(config.journal.keyFile),
  };
  const journal = await openUndamaged({
    ...{ ...place, limits: config.journal, journalMaxBytes, log },
    onPoison(err) {
      // What the disk holds is unknown after a failed sync: the primary recovers from the disk itself.
      log.fatal({ err }, 'the journal cannot be written; ending');
      process.exit(1);
    },
  });
  operations.readiness.ok('journal');
  opened.defer(() => journal.close());
  const recorder = await startRecorder({
    ...{ config, policy, log, journal, place, operations, drainNoticeMs },
    hashKey: await loadJournalKey(join(config.dataDirectory, 'keys', 'hash.key')),
    listen: listenOf(config.listen, worker),
    onExchangeEnd: () => link.exchangeEnded(),
    share: (fact) => link.share(fact),
  });
  for (const fact of facts) recorder.note(fact);
  opened.move();
  return { recorder, journal };
}

keepThreadHeapsSmall();
leaveWhenDone();
await main().catch((thrown) => {
  throw SkilltapeError.from(thrown);
});
