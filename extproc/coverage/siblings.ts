import type { Stats } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

export type Sibling = { path: string; stats: Stats };

/** Rotation keeps some weeks of logs; a folder with more than this is not one that we go through at each poll. */
const siblingsMax = 1_000;

/** What rotation left beside the log: regular files with its name and `.1`, `-20261122` or the like behind it. */
export async function siblingsOf(file: string): Promise<Sibling[]> {
  const [folder, name] = [dirname(file), basename(file)];
  const names = (await readdir(folder)).filter((other) => other !== name && other.startsWith(name));
  const rotated = names.filter((other) => /^[.-][\w.-]+$/.test(other.slice(name.length))).slice(0, siblingsMax);
  const siblings = await Promise.all(
    rotated.map(async (other) => {
      const path = join(folder, other);
      const stats = await stat(path).catch(() => null);
      return stats?.isFile() ? [{ path, stats }] : [];
    }),
  );
  return siblings.flat();
}

export function isCompressed(path: string): boolean {
  return /\.(?:br|bz2|gz|lz4|xz|zip|zst)$/.test(path);
}
