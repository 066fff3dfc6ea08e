import type { AppendFile, FileSystem } from '../journal/fs.ts';
import { secondsSince } from './instruments.ts';
import type { JournalMetrics } from './journal-metrics.ts';

/** The same disk, with the time that its writes and syncs take. Only the journal appends to files. */
export function meteredFileSystem(fileSystem: FileSystem, metrics: JournalMetrics): FileSystem {
  return {
    ...fileSystem,
    createAppend: async (path) => metered(await fileSystem.createAppend(path), metrics),
    openAppend: async (path) => metered(await fileSystem.openAppend(path), metrics),
  };
}

/** Looks at the promise and hands on the very same: nobody waits longer for being measured. */
function metered(file: AppendFile, { writeSeconds, syncSeconds, failures }: JournalMetrics): AppendFile {
  return {
    writev(buffers) {
      const startMs = performance.now();
      const written = file.writev(buffers);
      written.then(
        () => writeSeconds.observe(secondsSince(startMs)),
        () => failures.inc({ operation: 'write' }),
      );
      return written;
    },
    datasync() {
      const startMs = performance.now();
      const synced = file.datasync();
      synced.then(
        () => syncSeconds.observe(secondsSince(startMs)),
        () => failures.inc({ operation: 'sync' }),
      );
      return synced;
    },
    close: () => file.close(),
  };
}
