import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import { SkilltapeError } from '../../../extproc/errors.ts';
import type { Fingerprint } from '../../../extproc/live/fingerprint.ts';
import type { EditOutcome, LivePorts } from '../../../extproc/live/live-policies.ts';
import { followPolicies } from '../../../extproc/live/live-policies.ts';
import type { CheckedPolicies } from '../../../extproc/policy/check.ts';
import { waitUntil } from '../../environment/wait.ts';

/** Files as one text, which is their revision too; "bad" does not pass. */
class FakeFiles {
  text = 'a';
  readonly steps: string[] = [];
  readonly outcomes: EditOutcome[] = [];
  prepared = 0;
  /** Done once, between two looks at the files. */
  whileReading: (() => void) | undefined;
  failing: 'keep' | 'use' | undefined;

  look(): Promise<Fingerprint> {
    return Promise.resolve({ value: this.text, folders: [] });
  }

  follow(t: TestContext) {
    const ports: LivePorts = {
      look: () => this.look(),
      prepare: () => {
        this.prepared += 1;
      },
      read: async () => {
        const read = this.text;
        this.whileReading?.();
        this.whileReading = undefined;
        return { compiled: new Map([['x', Buffer.from(read)]]), tests: new Map(), capabilities: null };
      },
      check: async (sources) => {
        const revision = String(sources.compiled.get('x'));
        if (revision.startsWith('bad')) throw new SkilltapeError('policy_invalid', `x:1: ${revision}`);
        return { bundle: { revision }, sources } as CheckedPolicies;
      },
      keep: async ({ bundle }) => this.#step('keep', bundle.revision),
      use: async ({ bundle }) => this.#step('use', bundle.revision),
    };
    const followed = followPolicies(ports, {
      ...{
        directory: '/nowhere',
        settleMs: 1,
        pollIntervalMs: 2,
        inForce: 'a',
        fingerprint: { value: 'a', folders: [] },
      },
      onOutcome: (outcome) => this.outcomes.push(outcome),
    });
    t.after(() => followed.close());
  }

  async saved(text: string): Promise<EditOutcome> {
    const before = this.outcomes.length;
    this.text = text;
    await waitUntil(`an outcome of ${text}`, () => this.outcomes.length > before);
    return this.outcomes.at(-1) as EditOutcome;
  }

  #step(step: 'keep' | 'use', revision: string): void {
    if (this.failing === step) throw new SkilltapeError('disk_failed', `cannot ${step}`);
    this.steps.push(`${step} ${revision}`);
  }
}

test('what passes is kept before it is in force, and is told with what it followed', async (t) => {
  const files = new FakeFiles();
  files.follow(t);
  const { kind, ...rest } = await files.saved('b');
  assert.equal(kind, 'in_force');
  assert.partialDeepStrictEqual(rest, { revision: 'b', previous: 'a' });
  assert.deepEqual(files.steps, ['keep b', 'use b']);
  assert.partialDeepStrictEqual(await files.saved('c'), { kind: 'in_force', previous: 'b' });
});

test('what a check needs is begun when a change is seen, and for nothing else', async (t) => {
  const files = new FakeFiles();
  files.follow(t);
  await new Promise((resolve) => setTimeout(resolve, 10));
  assert.equal(files.prepared, 0);
  await files.saved('b');
  assert.equal(files.prepared, 1);
});

test('what has a fault is told once, touches nothing, and the old files are no edit', async (t) => {
  const files = new FakeFiles();
  files.follow(t);
  assert.partialDeepStrictEqual(await files.saved('bad 1'), { kind: 'refused', revision: 'a' });
  assert.partialDeepStrictEqual(await files.saved('bad 2'), { kind: 'refused', revision: 'a' });
  await new Promise((resolve) => setTimeout(resolve, 30));
  assert.equal(files.outcomes.length, 2);
  assert.deepEqual(await files.saved('a'), { kind: 'unchanged', revision: 'a' });
  assert.deepEqual(files.steps, []);
});

test('what cannot be kept does not come in force, and what cannot be loaded is not taken for in force', async (t) => {
  const files = new FakeFiles();
  files.follow(t);
  files.failing = 'keep';
  assert.partialDeepStrictEqual(await files.saved('b'), { kind: 'refused', revision: 'a' });
  assert.deepEqual(files.steps, []);
  files.failing = 'use';
  assert.partialDeepStrictEqual(await files.saved('c'), { kind: 'refused', revision: 'a' });
  files.failing = undefined;
  assert.partialDeepStrictEqual(await files.saved('d'), { kind: 'in_force', previous: 'a' });
});

test('files that change while they are read are read again: none of the two versions is mixed', async (t) => {
  const files = new FakeFiles();
  files.whileReading = () => {
    files.text = 'c';
  };
  files.follow(t);
  await files.saved('b');
  await waitUntil('c in force', () => files.steps.includes('use c'));
  assert.deepEqual(files.steps, ['keep c', 'use c']);
});
