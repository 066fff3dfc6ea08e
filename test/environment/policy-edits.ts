import { cpSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ownedKinds } from '../../extproc/claude/owned-ids.ts';
import { valueIn } from '../unit/operations/exposition.ts';
import type { TestGateway } from './gateway.ts';
import { operationsOf } from './operations-call.ts';
import { waitUntil } from './wait.ts';

const shipped = fileURLToPath(new URL('../../policies', import.meta.url));

/** For `startTestGateway`: a gateway with policies of its own, which a test may edit. */
export const ownPolicies = {
  settings: { policies: { directory: 'policies', settleMs: 50, pollIntervalMs: 500 } },
  prepare: (directory: string) => cpSync(shipped, join(directory, 'policies'), { recursive: true }),
};

/** The same, as if all people were one: for tests that make ids up, or in which one person names what another one made. */
export const sharedWorkspace = {
  settings: { policies: ownPolicies.settings.policies },
  prepare(directory: string): void {
    ownPolicies.prepare(directory);
    const open = [{ kinds: ownedKinds, owners: ['unknown', 'others'] }];
    writeFileSync(join(directory, 'policies/lists/ownership/data.json'), JSON.stringify({ closed: [], open }));
  },
};

export type Edited = { result: 'in_force' | 'unchanged' | 'refused'; tookMs: number };

/** Saves files of a gateway's policies, and waits until it said what came of it. */
export function policyEdits(gateway: Pick<TestGateway, 'directory'>) {
  const directory = join(gateway.directory, 'policies');
  const operations = operationsOf(gateway);
  const counts = async () => {
    const series = await operations.series();
    return (['in_force', 'unchanged', 'refused'] as const).map(
      (result) => [result, valueIn(series, 'skilltape_policy_edits_total', { result }) ?? 0] as const,
    );
  };
  /** What comes of the change that `change` makes. */
  const edit = async (change: () => void): Promise<Edited> => {
    const before = new Map(await counts());
    const startMs = performance.now();
    change();
    const result = await waitUntil('what came of an edit', async () => {
      return (await counts()).find(([name, count]) => count > (before.get(name) ?? 0))?.[0];
    });
    return { result, tookMs: performance.now() - startMs };
  };
  const at = (path: string) => join(directory, path);
  return {
    directory,
    edit,
    read: (path: string) => readFileSync(at(path), 'utf8'),
    /** In place, as an editor does that opens and writes. */
    save: (path: string, text: string) => edit(() => writeFileSync(at(path), text)),
    /** As an editor does that writes beside and renames. */
    replace(path: string, text: string) {
      return edit(() => {
        writeFileSync(`${at(path)}~`, text);
        renameSync(`${at(path)}~`, at(path));
      });
    },
    /** The list of who is denied. */
    denying: (change: object) => {
      const list: object = JSON.parse(readFileSync(join(shipped, 'lists/deny/data.json'), 'utf8'));
      return JSON.stringify({ ...list, ...change });
    },
    condition: async () => (await operations.ready()).conditions.find(({ name }) => name === 'policies'),
    ready: () => operations.ready(),
  };
}

export const denyList = 'lists/deny/data.json';
