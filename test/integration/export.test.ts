import assert from 'node:assert/strict';
import { createHash, randomUUID } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { ChatLine } from '../../extproc/export/line.ts';
import type { Manifest } from '../../extproc/export/manifest.ts';
import { messagesBody } from '../builders/messages-body.ts';
import { skilltape } from '../environment/command.ts';
import { startTestGateway, type TestGateway } from '../environment/gateway.ts';
import { policiesDirectory } from '../policy/opa.ts';

/** Conversations through the whole gateway, and what of them leaves it for training. */

const mail = 'grace.hopper@navy.example.org';
const key = `ghp_${'a1B2c3D4e5F6'.repeat(3)}`;
const reason = ['--reason', 'tune the helper, ticket 41'];
const turns = 6;

let gateway: TestGateway;
before(async () => {
  gateway = await startTestGateway({
    settings: { policies: { directory: 'policies' } },
    prepare: (directory) => cpSync(policiesDirectory, join(directory, 'policies'), { recursive: true }),
  });
  await chat('alice', turns);
  await chat('bob', 1);
});
after(() => gateway?.stop());

const run = (...args: string[]) => skilltape(['--config', gateway.configFile, ...args]);

/** Sends its whole history with each turn, as clients do. */
async function chat(subject: string, count: number): Promise<void> {
  const headers = {
    authorization: `Bearer ${await gateway.token(subject)}`,
    'x-claude-code-session-id': `session-of-${subject}`,
  };
  const messages: object[] = [];
  let last = '';
  for (let turn = 0; turn < count; turn += 1) {
    messages.push({ role: 'user', content: `${subject} says ${turn} to ${mail} with ${key}` });
    const { exchangeId, body, status } = await gateway.post(messagesBody('', { messages }), headers);
    assert.equal(status, 200);
    messages.push({ role: 'assistant', content: JSON.parse(body.toString()).content });
    last = exchangeId;
  }
  await gateway.document(last);
}

function allow(entry: object): void {
  const limits = { values_per_operator_per_hour: 0, values_per_person_per_hour: 0, reason_min_chars: 10 };
  const operators = [{ actions: ['export'], uids: [process.getuid?.()], ...entry }];
  writeFileSync(join(gateway.directory, 'policies/lists/console/data.json'), JSON.stringify({ operators, limits }));
}

function linesIn(text: string): ChatLine[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
}

test('as shipped nobody may export, and by an entry for one connection nobody exports all of them', async () => {
  const out = join(gateway.directory, 'refused');
  const refused = await run('export', '--out', out, ...reason);
  assert.deepEqual(
    [refused.status, /console\/operator_listed/.test(refused.stderr), existsSync(out)],
    [3, true, false],
  );
  allow({ connections: ['sandbox'] });
  assert.equal((await run('export', '--out', out, ...reason)).status, 3);
  assert.equal((await run('export', '--out', out, '--connection', 'sandbox', ...reason)).status, 1);
  assert.match((await run('looks', '--json')).stdout, /"what":"export"/);
});

test('a chat that was sent again and again is one masked line with each turn once, in a folder with its manifest', async () => {
  allow({});
  const out = join(gateway.directory, 'training');
  const done = await run('export', '--format', 'jsonl', '--out', out, '--from', '-1h', ...reason);
  assert.deepEqual([done.status, done.stderr], [0, '']);
  const manifest: Manifest = JSON.parse(readFileSync(join(out, 'manifest.json'), 'utf8'));
  const text = readFileSync(join(out, 'conversations-00001.jsonl'), 'utf8');
  const lines = linesIn(text);
  assert.deepEqual(
    lines.map(({ messages, exchanges }) => [exchanges.length, messages.map(({ role }) => role).join(' ')]),
    [
      [turns, Array.from({ length: turns }, () => 'user assistant').join(' ')],
      [1, 'user assistant'],
    ],
  );
  for (const [at, { content }] of (lines[0]?.messages ?? []).filter(({ role }) => role === 'user').entries())
    assert.match(JSON.stringify(content), new RegExp(`alice says ${at} to \\[EMAIL:[0-9a-f]+\\] with \\[SECRET`));
  for (const file of readdirSync(out)) {
    const content = readFileSync(join(out, file), 'utf8');
    assert.doesNotMatch(content, /hopper|ghp_|alice@|Alice/, file);
    assert.equal(statSync(join(out, file)).mode & 0o777, 0o600);
  }
  const [file] = manifest.files;
  assert.equal(file?.sha256, createHash('sha256').update(text).digest('hex'));
  assert.deepEqual([manifest.counts.conversations, manifest.counts.exchanges, file?.lines], [2, turns + 1, 2]);
  assert.match(manifest.policy.allowed_by, /^[0-9a-z:]{8,}/);
  assert.equal(manifest.policy.masked_by.length, 1);
  assert.equal((await run('export', '--out', out, ...reason)).status, 2);
});

test('of a person whose erasure waits for the index nothing is exported, and the manifest counts it', async () => {
  const { user } = await gateway.document(linesIn((await run('export', '--out', '-', ...reason)).stdout)[1]?.id);
  const begun = {
    ...{ version: 1, run: randomUUID(), issuer: user?.domain, subject: user?.id },
    ...{ beforeMs: Date.now(), areKeysErased: true, by: 'ops', reason: 'asked for it' },
  };
  const pending = join(gateway.dataDirectory, 'retention/pending');
  mkdirSync(pending, { recursive: true });
  writeFileSync(join(pending, '0123456789abcdef.json'), JSON.stringify(begun));
  const { stdout, stderr, status } = await run('export', '--out', '-', ...reason);
  assert.equal(status, 0, stderr);
  const manifest: Manifest = JSON.parse(stderr);
  assert.deepEqual([linesIn(stdout).length, manifest.counts.left_out.erased], [1, 1]);
  assert.doesNotMatch(stdout, /bob says/);
});
