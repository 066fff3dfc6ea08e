/**
 * The lists as the tests of the shipped rules know them. `node extproc/policy/tested-lists.ts` makes them anew from the
 * shipped lists.
 */
import { copyFileSync, mkdirSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Paths below the policy directory, of each list and of its copy. */
export function testedLists(policies: string): { list: string; copy: string }[] {
  return readdirSync(join(policies, 'lists')).map((name) => ({
    list: `lists/${name}/data.json`,
    copy: `lib/example/lists/${name}/list.json`,
  }));
}

if (import.meta.main) {
  const policies = fileURLToPath(new URL('../../policies', import.meta.url));
  for (const { list, copy } of testedLists(policies)) {
    mkdirSync(dirname(join(policies, copy)), { recursive: true });
    copyFileSync(join(policies, list), join(policies, copy));
  }
}
