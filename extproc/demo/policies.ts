import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { currentOperator } from '../looks/operator.ts';

const shipped = fileURLToPath(new URL('../../policies', import.meta.url));

/** Whoever sits at the machine: none of the demo's people, about whose requests they may decide. */
const person = { issuer: 'https://localhost', subject: 'operator of the demo' };

/**
 * The shipped policies, copied at each start, with two changes: whoever started the demo may reveal and decide, as the
 * group `security` may in the console; and account numbers wait for an approval. Returns the folder.
 */
export function demoPolicies(directory: string): string {
  const copy = join(directory, 'policies');
  rmSync(copy, { recursive: true, force: true });
  cpSync(shipped, copy, { recursive: true });
  const list = join(copy, 'lists', 'console', 'data.json');
  const { limits } = JSON.parse(readFileSync(list, 'utf8'));
  const operators = [
    { actions: ['reveal', 'decide'], uids: [currentOperator().uid], person },
    { actions: ['decide'], token_groups: ['security'] },
  ];
  writeFileSync(list, JSON.stringify({ operators, limits }));
  const held = [{ when: {}, effect: 'hold', types: ['IBAN'], places: ['messages'] }];
  writeFileSync(join(copy, 'lists', 'findings', 'data.json'), JSON.stringify({ rules: held }));
  return copy;
}
