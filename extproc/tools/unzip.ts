import { createWriteStream } from 'node:fs';
import { chmod, mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { openPromise } from 'yauzl';

const fileTypeMask = 0o170000;
const regularFile = 0o100000;

/**
 * Unpacks a zip into a folder that exists: folders and regular files alone, with what their owner may do.
 * @throws Error for an entry that is a link, and, from yauzl, for one whose name leads out of the folder
 */
export async function unzip(zip: string, folder: string): Promise<void> {
  const archive = await openPromise(zip, { strictFileNames: true });
  for await (const entry of archive.eachEntry()) {
    const path = join(folder, entry.fileName);
    if (entry.fileName.endsWith('/')) {
      await mkdir(path, { recursive: true });
      continue;
    }
    const mode = entry.externalFileAttributes >>> 16;
    const type = mode & fileTypeMask;
    // An archive made on a system without modes has none.
    if (type !== regularFile && type !== 0) throw new Error(`${entry.fileName} is not a regular file`);
    await mkdir(dirname(path), { recursive: true });
    await pipeline(await archive.openReadStreamPromise(entry), createWriteStream(path, { flags: 'wx' }));
    await chmod(path, (mode & 0o100) === 0 ? 0o644 : 0o755);
  }
}
