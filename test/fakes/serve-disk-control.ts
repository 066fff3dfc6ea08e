import { createConnection } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { DiskCommand, DiskStatus } from './serve-disk-faults.ts';

/** Commands the disk of a processor that was started as `serve-disk.ts` with a configuration file in `directory`. */
export async function tellDisk(directory: string, command: DiskCommand): Promise<DiskStatus> {
  const socket = createConnection(join(directory, 'disk.sock'));
  socket.end(JSON.stringify(command));
  return JSON.parse(await text(socket)) as DiskStatus;
}
