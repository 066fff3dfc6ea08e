/** The difference of two versions, as text that people read. */
import { createTwoFilesPatch } from 'diff';
import { pathChanges } from './file-changes.ts';
import type { KeptFiles } from './kept.ts';

/** Two texts that differ more than this are named only: comparing them takes the square of it. */
const editsMax = 1_000;

/** Unified, file by file in the order of their paths; empty where nothing differs. Not yet safe for a terminal. */
export function differenceOf(before: KeptFiles, after: KeptFiles): string {
  const parts = pathChanges(before, after).map(({ path, change }) => {
    const [old, now] = [before.get(path), after.get(path)].map((content) =>
      Buffer.from(content ?? '').toString('utf8'),
    );
    const names = [change === 'added' ? '/dev/null' : path, change === 'removed' ? '/dev/null' : path] as const;
    const patch = createTwoFilesPatch(...names, old ?? '', now ?? '', undefined, undefined, {
      maxEditLength: editsMax,
    });
    return patch ?? `--- ${names[0]}\n+++ ${names[1]}\n(more than ${editsMax} lines differ)\n`;
  });
  return parts.map((patch) => patch.replace(/^=+\n/, '')).join('');
}
