/** What differs between two versions, and whose the changed files are. */
import { lstat, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { KeptFiles } from './kept.ts';
import { type FileChange, fileChangesMax } from './version-log.ts';

export type PathChange = Pick<FileChange, 'path' | 'change'>;

/** In the order of the paths. */
export function pathChanges(before: KeptFiles, after: KeptFiles): PathChange[] {
  const paths = [...new Set([...before.keys(), ...after.keys()])].sort();
  return paths.flatMap((path): PathChange[] => {
    const [old, now] = [before.get(path), after.get(path)];
    if (old === undefined) return [{ path, change: 'added' }];
    if (now === undefined) return [{ path, change: 'removed' }];
    return Buffer.compare(old, now) === 0 ? [] : [{ path, change: 'changed' }];
  });
}

/** As far as the system tells: the owner of each file that is there, of the first `fileChangesMax`. */
export async function withOwners(changes: readonly PathChange[], directory: string): Promise<FileChange[]> {
  const names = await accountNames();
  return Promise.all(
    changes.slice(0, fileChangesMax).map(async ({ path, change }) => {
      const found = await lstat(join(directory, path)).catch(() => null);
      if (found === null) return { path, change, uid: null, owner: '', modified: '' };
      return { path, change, uid: found.uid, owner: names.get(found.uid) ?? '', modified: found.mtime.toISOString() };
    }),
  );
}

/** Names by number, where the system keeps them in a file. */
async function accountNames(): Promise<Map<number, string>> {
  const text = await readFile('/etc/passwd', 'utf8').catch(() => '');
  const names = new Map<number, string>();
  for (const line of text.split('\n')) {
    const [name = '', , uid = ''] = line.split(':');
    if (name !== '' && /^\d+$/.test(uid) && !names.has(Number(uid))) names.set(Number(uid), name);
  }
  return names;
}
