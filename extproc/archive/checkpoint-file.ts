/** Gives checkpoints to a file elsewhere: on another disk or machine, append-only where the system has that. */
import { dirname } from 'node:path';
import { type FileSystem, isSystemError } from '../journal/fs.ts';
import type { CheckpointSink } from './checkpoint.ts';
import { appendAll } from './open-segment.ts';

/** Made with its folder when it is not there. Never read: whoever may only append to it can be a sink. */
export function checkpointFileSink(path: string, fileSystem: FileSystem): CheckpointSink {
  return {
    name: path,
    async deliver(line) {
      const file = await opened(path, fileSystem);
      try {
        await appendAll(file, [Buffer.from(`${line}\n`)]);
        await file.datasync();
      } finally {
        await file.close();
      }
    },
  };
}

async function opened(path: string, fileSystem: FileSystem) {
  try {
    return await fileSystem.openAppend(path);
  } catch (thrown) {
    if (!isSystemError(thrown, 'ENOENT')) throw thrown;
    await fileSystem.makeDirectory(dirname(path));
    const file = await fileSystem.createAppend(path);
    await fileSystem.syncDirectory(dirname(path));
    return file;
  }
}
