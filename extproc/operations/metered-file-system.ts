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

function metered(file: AppendFile, { writeSeconds, syncSeconds, failures }: JournalMetrics): AppendFile {
  return {
    async writev(buffers) {
      const startMs = performance.now();
      try {
        return await file.writev(buffers);
      } catch (thrown) {
        failures.inc({ operation: 'write' });
        throw thrown;
      } finally {
        writeSeconds.observe(secondsSince(startMs));
      }
    },
    async datasync() {
      const startMs = performance.now();
      try {
        await file.datasync();
      } catch (thrown) {
        failures.inc({ operation: 'sync' });
        throw thrown;
      } finally {
        syncSeconds.observe(secondsSince(startMs));
      }
    },
    close: () => file.close(),
  };
}
