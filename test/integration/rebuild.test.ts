import assert from 'node:assert/strict';
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { indexFile } from '../../extproc/index/sqlite/schema.ts';
import type { ExchangeDocument } from '../../extproc/transcript/document.ts';
import { messagesBody } from '../builders/messages-body.ts';
import { type CommandResult, skilltape } from '../environment/command.ts';
import type { TestGateway } from '../environment/gateway.ts';
import { startTestGateway } from '../environment/gateway.ts';
import { servedAgain } from '../environment/traffic.ts';
import { wholeIndex } from '../environment/whole-index.ts';
import { policiesDirectory } from '../policy/opa.ts';

let gateway: TestGateway;
let headers: { authorization: string };
before(async () => {
  gateway = await startTestGateway({ settings: { archive: { segmentMaxBytes: 65_536 } } });
  headers = { authorization: `Bearer ${await gateway.token()}` };
  const said = [];
  for (let turn = 0; turn < 5; turn += 1) {
    said.push({ role: 'user', content: `turn ${turn} for eve@example.org` });
    await gateway.post(messagesBody('', { messages: said }), headers);
    said.push({ role: 'assistant', content: `answer ${turn}` });
  }
  await gateway.post(messagesBody('of another model', { model: 'claude-mythos-1' }), headers);
  await gateway.post(Buffer.from('not json'), headers);
  const last = await gateway.post(messagesBody('the last one'), headers);
  await gateway.document(last.headers.get('x-skilltape-exchange'));
});
after(() => gateway.stop());

function run(...args: string[]): Promise<CommandResult> {
  return skilltape(['--config', gateway.configFile, ...args]);
}

async function everyDocument(): Promise<Map<string, ExchangeDocument>> {
  const documents = new Map<string, ExchangeDocument>();
  for (const id of (await wholeIndex(gateway.dataDirectory)).keys()) documents.set(id, await gateway.document(id));
  return documents;
}

function rebuild(): Promise<CommandResult> {
  return run('rebuild-index', '--reason', 'lost', '--json');
}

test('policy whatif says what other policies would have decided, of whom and why', async () => {
  const same = await run('policy', 'whatif', '--policies', policiesDirectory, '--json');
  assert.equal(same.status, 0, same.stderr);
  const { judged, changed, otherRules } = JSON.parse(same.stdout);
  assert.deepEqual([judged >= 7, changed, otherRules], [true, 0, 0]);
  const candidate = join(gateway.directory, 'candidate');
  cpSync(policiesDirectory, candidate, { recursive: true });
  const list = join(candidate, 'lists/deny/data.json');
  const deny = JSON.parse(readFileSync(list, 'utf8'));
  writeFileSync(list, JSON.stringify({ ...deny, models: { names: ['claude-opus-5-5'], prefixes: [] } }));
  const other = await run('policy', 'whatif', '--policies', candidate, '--from', '-1d', '--json', '--why', 'ticket 1');
  const result = JSON.parse(other.stdout);
  const rows = result.byRule.map(({ rule, from, to }: Record<string, string>) => `${rule} ${from} ${to}`).sort();
  assert.deepEqual([result.changed, rows], [6, ['request/model_denied allow deny']]);
  assert.ok(!other.stdout.includes('turn 0'));
  writeFileSync(join(candidate, 'lists/sizes/data.json'), '{ "rules": [{ "effect": "deny" }] }');
  const faulty = await run('policy', 'whatif', '--policies', candidate);
  assert.deepEqual([faulty.status, /lists\/sizes\/data\.json:1: rules\.0/.test(faulty.stderr)], [1, true]);
  assert.match((await run('looks', '--json')).stdout, /"what":"whatif"/);
});

test('an index that was lost is rebuilt from the archive, and the gateway goes on with it', async () => {
  const prepared = await rebuild();
  assert.deepEqual([prepared.status, JSON.parse(prepared.stdout).kind], [3, 'prepared'], prepared.stderr);
  const more = await gateway.post(messagesBody('while it was prepared'), headers);
  await gateway.document(more.headers.get('x-skilltape-exchange'));
  await gateway.processor.stop();
  const before = await everyDocument();
  assert.ok(before.size >= 9);
  const taken = await rebuild();
  assert.equal(taken.status, 2);
  assert.match(taken.stderr, /index\.sqlite is still there/);
  for (const end of ['', '-wal', '-shm']) rmSync(`${indexFile(gateway.dataDirectory)}${end}`, { force: true });
  const done = await rebuild();
  assert.deepEqual([done.status, JSON.parse(done.stdout).kind], [0, 'in_place'], done.stderr);
  assert.deepEqual(await everyDocument(), before);
  await gateway.restartProcessor();
  const again = await servedAgain(gateway, headers);
  await gateway.document(again.headers.get('x-skilltape-exchange'));
  const after = await everyDocument();
  for (const [id, document] of before) assert.deepEqual(after.get(id), document);
  assert.equal((await run('verify')).status, 0);
});
