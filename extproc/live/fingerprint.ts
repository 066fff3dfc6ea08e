/** Tells whether anything of a policy directory changed, without reading what its files hold. */
import { createHash } from 'node:crypto';
import type { BigIntStats } from 'node:fs';
import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';

/** `folders` are absolute: what has to be watched to hear of the next change. */
export type Fingerprint = { value: string; folders: readonly string[] };

/** More than a policy directory may hold: what is beyond is no policy, and is refused when it is read. */
const entriesMax = 4_000;

/**
 * A digest over names, sizes, times and identities of files and folders; hidden ones, which editors and version control
 * keep beside, count for nothing. A directory that cannot be looked at has a fingerprint too: it is another one.
 * @param rootOf where the files are now; rejects when they are nowhere
 */
export async function fingerprintOf(rootOf: () => Promise<string>): Promise<Fingerprint> {
  const hash = createHash('sha256');
  const folders: string[] = [];
  try {
    const root = await rootOf();
    hash.update(root);
    const waiting = [root];
    let entries = 0;
    for (const folder of waiting) {
      folders.push(folder);
      for (const { name, isFolder, stat } of await entriesOf(folder)) {
        entries += 1;
        if (entries > entriesMax) return { value: `more than ${entriesMax} entries`, folders };
        const { ino, size, mtimeNs, ctimeNs, mode } = stat;
        hash.update(`${folder}\0${name}\0${[ino, isFolder ? 0n : size, mtimeNs, ctimeNs, mode].join(' ')}\0`);
        if (isFolder) waiting.push(join(folder, name));
      }
    }
    return { value: hash.digest('hex'), folders };
  } catch (thrown) {
    return { value: `cannot be read: ${String((thrown as NodeJS.ErrnoException).code ?? thrown)}`, folders };
  }
}

type Entry = { name: string; isFolder: boolean; stat: BigIntStats };

async function entriesOf(folder: string): Promise<Entry[]> {
  const names = (await readdir(folder)).filter((name) => !name.startsWith('.')).sort();
  return Promise.all(
    names.slice(0, entriesMax + 1).map(async (name) => {
      const stat = await lstat(join(folder, name), { bigint: true });
      return { name, isFolder: stat.isDirectory(), stat };
    }),
  );
}
