import assert from 'node:assert/strict';
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { readSources, revisionOf } from '../../extproc/policy/sources.ts';
import { VersionLog } from '../../extproc/versions/version-log.ts';
import { seededRandom } from '../bench/statistics.ts';
import { denyList } from '../environment/policy-edits.ts';
import { waitUntil } from '../environment/wait.ts';
import { opaBinary, policiesDirectory } from '../policy/opa.ts';

const script = fileURLToPath(new URL('../fakes/serve-policies.ts', import.meta.url));
const startMaxMs = 120_000;

type Stand = { data: string; policies: string };

/** The shipped policies without their tests: it is not the tests that are killed here. */
function stand(t: TestContext): Stand {
  const root = mkdtempSync(join(tmpdir(), 'skilltape-live-edit-kills-'));
  t.after(() => rmSync(root, { recursive: true, force: true }));
  const [data, policies] = [join(root, 'data'), join(root, 'policies')];
  mkdirSync(data);
  cpSync(policiesDirectory, policies, {
    recursive: true,
    filter: (path) => !path.endsWith('_test.rego') && !path.includes(join('lib', 'example')),
  });
  return { data, policies };
}

async function start(t: TestContext, { data, policies }: Stand): Promise<{ child: ChildProcess; said: string[] }> {
  const child = fork(script, [data, policies, opaBinary()], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  t.after(() => child.kill('SIGKILL'));
  const said: string[] = [];
  child.on('message', (revision) => said.push(String(revision)));
  await waitUntil('a policy in force', () => said.length > 0 || child.exitCode !== null, startMaxMs);
  assert.equal(child.exitCode, null, 'the start');
  return { child, said };
}

/** Moments of a swap, in their order. Each resolves as soon as its work is seen on disk, or heard of. */
const moments = {
  'while the files are checked': async ({ data }: Stand, random: () => number) => {
    await waitMs(random() * 600);
    return data;
  },
  'while the version is written': async ({ data }: Stand) => seen(() => readdirSync(join(data, 'policies')), 'draft'),
  'when the version is there': async ({ data }: Stand) => seen(() => readdirSync(join(data, 'policies')), 'more'),
  'when the log says so': async ({ data }: Stand) => seen(() => [statSync(join(data, 'versions.jsonl')).size], 'size'),
  'when it is in force': async (_: Stand, __: () => number, said: string[]) => {
    await waitUntil('the edit in force', () => said.length > 1, startMaxMs);
  },
};

const waitMs = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** Without a timer between two looks: what is waited for may last a millisecond. */
async function seen(look: () => readonly (string | number)[], what: 'draft' | 'more' | 'size'): Promise<void> {
  const isThere = () => {
    const found = look();
    // Where the draft was missed, it is a version by now.
    if (what === 'draft' && found.some((name) => String(name).startsWith('.'))) return true;
    return what === 'size' ? found[0] !== before[0] : kept(found) > kept(before);
  };
  const kept = (names: readonly (string | number)[]) =>
    names.filter((name) => /^[0-9a-f]{64}$/.test(String(name))).length;
  const before = look();
  const deadline = performance.now() + startMaxMs;
  while (!isThere()) {
    assert.ok(performance.now() < deadline, `not seen: ${what}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

async function assertKeptWhole({ data }: Stand, revision: string, when: string): Promise<void> {
  const kept = join(data, 'policies', revision.replace('sha256:', ''));
  assert.equal(revisionOf(await readSources(kept)), revision, `${when}: what is kept is whole`);
}

test('a processor killed amid a swap starts with a whole policy, the old or the new one, and says which', async (t) => {
  const seed = Number(process.env.TEST_SEED ?? Math.floor(Math.random() * 2 ** 32));
  t.diagnostic(`seed ${seed} (TEST_SEED)`);
  const random = seededRandom(seed);
  const place = stand(t);
  const list = join(place.policies, denyList);
  const denied: object = JSON.parse(readFileSync(list, 'utf8'));
  const outcomes: string[] = [];
  for (const [round, [moment, reached]] of Object.entries(moments).entries()) {
    const { child, said } = await start(t, place);
    const old = said.at(-1) ?? '';
    await assertKeptWhole(place, old, `before: ${moment}`);
    const died = once(child, 'exit');
    const waiting = reached(place, random, said);
    writeFileSync(list, JSON.stringify({ ...denied, subjects: [`round-${round}`] }));
    const saved = revisionOf(await readSources(place.policies));
    await waiting;
    child.kill('SIGKILL');
    await died;
    // With files that have a fault the next start has only what was kept.
    writeFileSync(list, '{');
    const next = await start(t, place);
    const [inForce = ''] = next.said;
    assert.ok([old, saved].includes(inForce), `${moment}: ${inForce} is neither ${old} nor ${saved}`);
    const isSaid = ['when the log says so', 'when it is in force'].includes(moment);
    if (isSaid) assert.equal(inForce, saved, moment);
    await assertKeptWhole(place, inForce, moment);
    const told = await new VersionLog(place.data).list();
    const last = told.entries.filter(({ kind }) => kind === 'policies').at(-1);
    assert.equal(`sha256:${last?.hash}`, inForce, `${moment}: the list says which`);
    outcomes.push(`${moment}: ${inForce === old ? 'old' : 'new'}`);
    next.child.kill('SIGKILL');
    await once(next.child, 'exit');
    // Saved again: the next start keeps it, whatever the killed one left of it.
    writeFileSync(list, JSON.stringify({ ...denied, subjects: [`round-${round}`] }));
  }
  t.diagnostic(outcomes.join('; '));
});
