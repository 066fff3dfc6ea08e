/** `skilltape serve` on a disk that a test commands: `--config FILE`; commands come on `disk.sock` beside that file. */
import { rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { serve } from '../../extproc/cli/serve.ts';
import { loadConfig } from '../../extproc/config/load.ts';
import { nodeFileSystem } from '../../extproc/journal/node-fs.ts';
import type { DiskCommand } from './serve-disk-faults.ts';
import { FaultyDisk } from './serve-disk-faults.ts';

const { values } = parseArgs({ options: { config: { type: 'string' } }, strict: true });
const configFile = values.config ?? '';
const disk = new FaultyDisk(nodeFileSystem);

/** One command a connection, as one line of JSON; the answer is the disk's status in the same form. */
const control = createServer({ allowHalfOpen: true }, (socket) => {
  let text = '';
  socket.setEncoding('utf8');
  socket.on('error', () => {});
  socket.on('data', (part) => {
    text += part;
  });
  socket.on('end', () => socket.end(JSON.stringify(disk.obey(JSON.parse(text) as DiskCommand))));
});
const socketPath = join(dirname(configFile), 'disk.sock');
rmSync(socketPath, { force: true });
control.listen(socketPath);
control.unref();

await serve(loadConfig(configFile, process.env), disk.fileSystem, configFile);
