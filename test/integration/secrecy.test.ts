import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { filesUnder, formsOf, sightings, tablesOf } from '../environment/byte-scan.ts';
import { skilltape } from '../environment/command.ts';
import type { TestGateway } from '../environment/gateway.ts';
import { startTestGateway, upstreamKey } from '../environment/gateway.ts';
import { pairs } from '../environment/https-call.ts';
import { operationsOf } from '../environment/operations-call.ts';
import { lookingCommands, PlantedTraffic, secret } from '../environment/planted-traffic.ts';

/** Envoy's secrets, skilltape's keys and the certificates: the only files that may hold something secret in the clear. */
const keyFiles = /^(sds\/|data\/keys\/|gateway\.key$|ca\.pem$)/;

let gateway: TestGateway;
let traffic: PlantedTraffic;
let alice: string;
let bob: string;

before(async () => {
  gateway = await startTestGateway({
    // A prompt of some megabytes takes much longer than this, so that its masking fails.
    settings: { log: { level: 'trace' }, masking: { exchangeBudgetMs: 40 } },
    keepBodies: true,
  });
  alice = await gateway.token('alice');
  bob = await gateway.token('bob');
  traffic = new PlantedTraffic(gateway, alice, bob);
});
after(() => gateway.stop());

/** What people look for is written down too, and what they are shown goes to a terminal. */
async function look(): Promise<Map<string, Buffer>> {
  const config = ['--config', gateway.configFile];
  const commands = [
    ['search', traffic.of('looked for')],
    ['search', '--why', traffic.of('reason')],
    ['show', traffic.of('looked up')],
    ['search', '--json', '--limit', '1000'],
    ...traffic.exchanges.slice(0, 3).flatMap((id) => [
      ['show', id],
      ['show', '--json', id],
    ]),
    ...lookingCommands.map((command) => [...command]),
    ['show', '--session', traffic.sessions[0] ?? ''],
    ['looks', '--json'],
  ];
  const shown = new Map<string, Buffer>();
  for (const command of commands) {
    const { stdout, stderr } = await skilltape([...config, ...command]);
    assert.notEqual(stdout + stderr, '', command[0]);
    // An id that nobody has is said back to the person who typed it.
    if (command.includes(traffic.of('looked up'))) continue;
    shown.set(`skilltape ${command.slice(0, 1)} …`.concat(String(shown.size)), Buffer.from(stdout + stderr));
  }
  return shown;
}

/** What the listener for health and figures says, by path; also to whoever asks for a path of their own. */
async function operationsAnswers(): Promise<Map<string, Buffer>> {
  const { ask } = operationsOf(gateway);
  const paths = ['/metrics', '/readyz', '/healthz', `/${traffic.of('looked for')}`];
  const answers = await Promise.all(paths.map(async (path) => [path, Buffer.from((await ask(path)).body)] as const));
  assert.ok(answers[0]?.[1].includes('skilltape_exchanges_total{outcome="complete",connection="claude"}'));
  return new Map(answers.map(([path, body], at) => [at < 3 ? path : 'a path that is not there', body]));
}

const callers = () => ({
  'the token of alice': alice,
  'its signature': alice.split('.')[2] ?? alice,
  'the token of bob': bob,
  'its signature too': bob.split('.')[2] ?? bob,
});

function assertNowhere(haystacks: ReadonlyMap<string, Buffer>): void {
  const bare = Object.entries(traffic.headers).map(
    ([name, value]) => [name, value.replace(/^(Basic |Bearer |session=)/, '')] as const,
  );
  const all = [
    ...Object.entries(traffic.planted),
    ...bare,
    ...Object.entries(callers()),
    ['the upstream key', upstreamKey] as const,
  ];
  const leaks = all.flatMap(([name, value]) =>
    sightings(value, haystacks)
      // Envoy's own log has paths as callers sent them (docs/coverage.md): a refused request is found by it.
      .filter(({ place }) => name !== 'session path' || place !== 'access.log')
      .map((found) => `${name}: ${found.form} in ${found.place}`),
  );
  assert.deepEqual(leaks, []);
}

function databases(): Map<string, Buffer> {
  return new Map(['index.sqlite', 'looks.sqlite'].flatMap((file) => [...tablesOf(join(gateway.dataDirectory, file))]));
}

test('the scan finds a value in every form that it looks for', (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'skilltape-scan-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const value = `${secret()}"/+ü`;
  for (const [name, bytes] of formsOf(value))
    writeFileSync(join(directory, name), Buffer.concat([Buffer.from('before '), bytes, Buffer.from(' after')]));
  writeFileSync(join(directory, 'real base64'), Buffer.from(`{"x":"${value}"}`).toString('base64'));
  const found = new Set(sightings(value, filesUnder(directory, /^$/)).map(({ place }) => place));
  assert.deepEqual([...found].toSorted(), [...formsOf(value).keys(), 'real base64'].toSorted());
});

test('no credential and no planted secret is readable in any file or output of the gateway, running and stopped', async () => {
  await traffic.sendEverything();
  await traffic.answerWithSecrets();
  await traffic.sendMore();
  for (const id of traffic.exchanges) await gateway.document(id);
  const shown = await look();
  assertNowhere(shown);
  const answers = await operationsAnswers();
  assertNowhere(answers);
  // Not even who called, with whom or about what: whoever reaches the listener is asked for nothing.
  const people = ['alice', 'bob@', traffic.ordinary, 'claude-opus', ...traffic.exchanges];
  for (const [path, answer] of answers) for (const name of people) assert.ok(!answer.includes(name), `${path} ${name}`);
  assertNowhere(new Map([...filesUnder(gateway.directory, keyFiles), ...databases()]));
  // Envoy and the processor write the rest of their logs when they end.
  await gateway.envoy.child.stop();
  await gateway.processor.stop();
  const files = filesUnder(gateway.directory, keyFiles);
  assertNowhere(new Map([...files, ...databases()]));
  const expected = ['access.log', 'envoy.log', 'processor.log', 'data/index.sqlite', 'data/looks.sqlite'];
  for (const file of expected) assert.ok(files.has(file), file);
  assert.ok([...files.keys()].some((file) => file.startsWith('data/journal/')));
  assert.ok((files.get('access.log')?.toString().split('\n').length ?? 0) > traffic.exchanges.length);
});

test('the text of a prompt is in the masked copy, and in neither journal nor log', () => {
  const places = (haystacks: Map<string, Buffer>) => sightings(traffic.ordinary, haystacks).map(({ place }) => place);
  const files = filesUnder(gateway.directory, keyFiles);
  assert.deepEqual(
    [...new Set(places(files))].filter((file) => !file.startsWith('data/index.sqlite')),
    [],
  );
  assert.notDeepEqual(places(databases()), []);
});

test('the masked copy says how many secrets there were, and shows where', async () => {
  const [first] = traffic.exchanges;
  const { skilltape: record } = await gateway.document(first);
  assert.equal(record.masking.status, 'masked');
  const secrets = record.masking.findings.filter(({ type }) => type === 'SECRET');
  const total = secrets.reduce((sum, { count }) => sum + count, 0);
  assert.ok(total >= 7, JSON.stringify(record.masking));
  assert.deepEqual(
    secrets.map(({ place }) => place),
    ['file', 'messages', 'system', 'tool_result', 'tools'],
  );
  assert.match(JSON.stringify(record.new_messages), /\[SECRET:/);
});

test('the upstream saw the injected key in every request, and never a credential of the caller', () => {
  assert.ok(gateway.fake.requests.length >= 6);
  for (const { headers: raw, path } of gateway.fake.requests) {
    const list = pairs(raw);
    assert.deepEqual(
      list.filter(([name]) => name === 'x-api-key'),
      [['x-api-key', upstreamKey]],
    );
    for (const name of ['authorization', 'proxy-authorization', 'cookie'])
      assert.ok(!list.some(([other]) => other === name), name);
    const head = new Map([['head', Buffer.from(`${path}\n${raw.join('\n')}`)]]);
    for (const [name, value] of Object.entries(callers())) assert.deepEqual(sightings(value, head), [], name);
  }
});

test('what a caller plants in a body goes upstream as it is: only records are masked', () => {
  const bodies = gateway.fake.requests.map(({ body }) => body?.toString() ?? '');
  assert.ok(bodies[0]?.includes(traffic.of('prompt')));
  assert.ok(bodies[0]?.includes(traffic.of('tool argument key')));
});
