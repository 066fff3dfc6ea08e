/** Gives checkpoints to a file elsewhere: on another disk or machine, append-only where the system has that. */
import { dirname } from 'node:path';
import type { FileSystem } from '../journal/fs.ts';
import type { CheckpointSink } from './checkpoint.ts';
import { appendAll } from './open-segment.ts';
import { openOrCreate } from './signed-log.ts';

/** Made with its folder when it is not there. Never read: whoever may only append to it can be a sink. */
export function checkpointFileSink(path: string, fileSystem: FileSystem): CheckpointSink {
  let isEntryDurable = false;
  return {
    name: path,
    async deliver(line) {
      if (!isEntryDurable) await fileSystem.makeDirectory(dirname(path));
      const file = await openOrCreate(path, fileSystem, isEntryDurable);
      isEntryDurable = true;
      try {
        await appendAll(file, [Buffer.from(`${line}\n`)]);
        await file.datasync();
      } finally {
        await file.close();
      }
    },
  };
}
