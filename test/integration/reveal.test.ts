import assert from 'node:assert/strict';
import { cpSync, existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { erasePerson } from '../../extproc/keys/erase.ts';
import { messagesBody } from '../builders/messages-body.ts';
import { filesUnder, sightings, tablesOf } from '../environment/byte-scan.ts';
import { skilltape } from '../environment/command.ts';
import type { TestGateway } from '../environment/gateway.ts';
import { startTestGateway } from '../environment/gateway.ts';

const shipped = fileURLToPath(new URL('../../policies', import.meta.url));
const mail = 'grace.hopper@navy.example.org';
const key = `ghp_${'a1B2c3D4e5F6'.repeat(3)}`;
const limits = { values_per_operator_per_hour: 6, values_per_person_per_hour: 6, reason_min_chars: 10 };
const reason = ['--reason', 'incident 42: who was written to'];

let gateway: TestGateway;
let exchange = '';
let token = '';

const listFile = () => join(gateway.directory, 'policies/lists/console/data.json');
const allow = (uids: (number | undefined)[]) =>
  writeFileSync(listFile(), JSON.stringify({ operators: [{ actions: ['reveal'], uids }], limits }));
const run = (...args: string[]) => skilltape(['--config', gateway.configFile, ...args]);

async function ask(subject: string, text: string): Promise<string> {
  const headers = { authorization: `Bearer ${await gateway.token(subject)}`, 'x-claude-code-session-id': 'one' };
  const { exchangeId, status } = await gateway.post(messagesBody(text), headers);
  assert.equal(status, 200);
  return exchangeId;
}

before(async () => {
  gateway = await startTestGateway({
    settings: { policies: { directory: 'policies' } },
    prepare: (directory) => cpSync(shipped, join(directory, 'policies'), { recursive: true }),
  });
  exchange = await ask('alice', `Write to ${mail} with ${key}, card 4111 1111 1111 1111.`);
  const { gen_ai: genAi } = await gateway.document(exchange);
  token = /\[EMAIL:[0-9a-f]{16}\]/.exec(genAi.input.text)?.[0] ?? assert.fail(genAi.input.text);
});
after(() => gateway.stop());

test('as shipped nobody may reveal, and the attempt is recorded', async () => {
  const { stdout, stderr, status } = await run('reveal', exchange, '--token', token, ...reason);
  assert.deepEqual([stdout, status], ['', 3]);
  assert.match(stderr, /console\/operator_listed/);
  const looks = await run('looks', '--limit', '2');
  assert.match(looks.stdout, /reveal {2}\S+: EMAIL 1, denied by console\/operator_listed {2}\(why: incident 42/);
});

test('a listed operator is shown the value, a secret was never kept, and a reason is needed', async () => {
  allow([process.getuid?.()]);
  const one = await run('reveal', exchange, '--token', token, ...reason);
  assert.deepEqual([one.stdout, one.stderr, one.status], [`${token}  ${mail}\n`, '', 0]);
  const all = await run('reveal', exchange, '--all', '--json', ...reason);
  const kinds = all.stdout
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));
  assert.deepEqual(
    kinds.map(({ kind, token: of }) => [kind, of.slice(1, of.indexOf(':'))]),
    [
      ['revealed', 'EMAIL'],
      ['not_kept', 'SECRET'],
    ],
  );
  assert.equal(all.status, 1);
  const short = await run('reveal', exchange, '--token', token, '--reason', 'why not');
  assert.equal(short.status, 3);
  assert.equal((await run('reveal', exchange, '--token', token)).status, 2);
  const { stdout } = await run('looks', '--json');
  assert.doesNotMatch(stdout, /hopper/);
});

test('the limit of an hour ends it', async () => {
  const statuses: (number | null)[] = [];
  for (let times = 0; times < 4; times++)
    statuses.push((await run('reveal', exchange, '--token', token, ...reason)).status);
  assert.deepEqual(statuses, [0, 0, 0, 3]);
});

test('no file of the data directory has a value, and the keys are there for their owner alone', async () => {
  const data = gateway.dataDirectory;
  assert.ok(existsSync(join(data, 'reveal.sqlite')));
  const haystacks = new Map([...filesUnder(data, /^$/), ...tablesOf(join(data, 'reveal.sqlite'))]);
  for (const value of [mail, key]) assert.deepEqual(sightings(value, haystacks), []);
  assert.ok(haystacks.size > 8);
});

test('keys can be rotated while the gateway records, and backed up and restored', async () => {
  const before = await run('keys', 'status', '--json');
  const rotated = await run('keys', 'rotate', '--json');
  assert.deepEqual([rotated.status, rotated.stderr], [0, '']);
  assert.notEqual(JSON.parse(rotated.stdout).masterId, JSON.parse(before.stdout).masterId);
  await gateway.document(await ask('bob', `Bob writes to ${mail}.`));
  const after = JSON.parse((await run('keys', 'status', '--json')).stdout);
  assert.deepEqual([after.holdsMaster, after.keys, after.erasures, after.faults], [true, 2, 0, []]);
  const file = join(gateway.directory, 'keys.backup');
  assert.equal((await run('keys', 'backup', file)).status, 0);
  assert.equal((await run('keys', 'backup', file)).status, 2);
  const restored = await run('keys', 'restore', file, '--nobody-erased', '--json');
  assert.deepEqual(JSON.parse(restored.stdout), { restored: 0, kept: 2, leftOut: 0 });
});

test('after the person was erased nothing can be revealed, by a restored backup neither', async () => {
  writeFileSync(
    listFile(),
    JSON.stringify({
      operators: [{ actions: ['reveal'], uids: [process.getuid?.()] }],
      limits: { ...limits, values_per_operator_per_hour: 100, values_per_person_per_hour: 100 },
    }),
  );
  const { user } = await gateway.document(exchange);
  assert.ok(user !== null);
  const erased = await erasePerson({
    dataDirectory: gateway.dataDirectory,
    person: { issuer: user.domain, subject: user.id },
  });
  assert.equal(erased.kind, 'erased');
  const restored = await run('keys', 'restore', join(gateway.directory, 'keys.backup'), '--json');
  assert.equal(JSON.parse(restored.stdout).leftOut, 1);
  const { stdout, status } = await run('reveal', exchange, '--token', token, ...reason);
  assert.match(stdout, /the person was erased on/);
  assert.equal(status, 1);
});
