import assert from 'node:assert/strict';
import { cpSync, globSync, readFileSync, rmSync, statSync, truncateSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { archiveDirectory } from '../../extproc/archive/places.ts';
import { ArchiveReader } from '../../extproc/archive/reader.ts';
import { decodeRecordHead } from '../../extproc/exchange/record.ts';
import { SqliteRetention } from '../../extproc/index/sqlite/retention.ts';
import { loadJournalKey } from '../../extproc/journal/key.ts';
import { nodeFileSystem } from '../../extproc/journal/node-fs.ts';
import { openJournalReader } from '../../extproc/journal/reader.ts';
import { masterFromFile } from '../../extproc/keys/master.ts';
import { openOpener } from '../../extproc/keys/opener.ts';
import { messagesBody } from '../builders/messages-body.ts';
import { type CommandResult, skilltape } from '../environment/command.ts';
import type { TestGateway } from '../environment/gateway.ts';
import { startTestGateway } from '../environment/gateway.ts';
import { servedAgain } from '../environment/traffic.ts';
import { waitUntil } from '../environment/wait.ts';

let gateway: TestGateway;
let headers: { authorization: string };
let checkpointFile: string;
before(async () => {
  const settings = {
    archive: {
      segmentMaxBytes: 65_536,
      checkpointIntervalMs: 1_000,
      checkpointFile: 'outside/checkpoints',
      checkpointsInIndex: true,
    },
  };
  gateway = await startTestGateway({ settings });
  headers = { authorization: `Bearer ${await gateway.token()}` };
  checkpointFile = join(dirname(gateway.configFile), 'outside/checkpoints');
});
after(() => gateway.stop());

function run(...args: string[]): Promise<CommandResult> {
  return skilltape(['--config', gateway.configFile, ...args]);
}

/** The payloads of all records of each exchange that ended, as the journal has them. */
async function journalled(): Promise<Map<string, Buffer[]>> {
  const key = await loadJournalKey(join(gateway.dataDirectory, 'keys', 'journal.key'));
  const reader = openJournalReader({
    directory: join(gateway.dataDirectory, 'journal'),
    fileSystem: nodeFileSystem,
    key,
  });
  const open = new Map<string, Buffer[]>();
  const ended = new Map<string, Buffer[]>();
  for await (const { payload } of reader.read(null)) {
    const { exchangeId, kind } = decodeRecordHead(payload);
    const payloads = open.get(exchangeId) ?? [];
    open.set(exchangeId, [...payloads, Buffer.from(payload)]);
    if (kind === 'finished') ended.set(exchangeId, open.get(exchangeId) ?? []);
  }
  await reader.close();
  return ended;
}

async function archived(): Promise<{
  payloads: Map<string, Buffer[]>;
  documents: Map<string, unknown[]>;
  ids: string[];
}> {
  const opener = openOpener({ dataDirectory: gateway.dataDirectory, master: masterFromFile(gateway.dataDirectory) });
  const reader = new ArchiveReader({
    directory: archiveDirectory(gateway.dataDirectory),
    fileSystem: nodeFileSystem,
    opener,
  });
  const payloads = new Map<string, Buffer[]>();
  const documents = new Map<string, unknown[]>();
  const ids: string[] = [];
  for await (const outcome of reader.exchanges()) {
    assert.ok(outcome.kind === 'found');
    const { exchange } = outcome;
    ids.push(exchange.exchangeId);
    const own: Buffer[] = [];
    for await (const payload of exchange.records()) own.push(payload);
    payloads.set(exchange.exchangeId, own);
    documents.set(exchange.exchangeId, await exchange.documents());
  }
  await reader.close();
  return { payloads, documents, ids };
}

test('what the index has, the archive has: every record as the journal had it, and the masked documents', async () => {
  const prompts = ['a first prompt', `a long prompt ${'with many words '.repeat(5_000)}`, 'a third one'];
  const posted = [];
  for (const prompt of prompts) posted.push(await gateway.post(messagesBody(prompt), headers));
  posted.push(await gateway.post(Buffer.from('not json'), headers));
  const first = posted[0];
  assert.ok(first !== undefined);
  for (const { exchangeId } of posted) await gateway.document(exchangeId);
  const [recorded, { payloads, documents }] = [await journalled(), await archived()];
  for (const { exchangeId } of posted) {
    assert.deepEqual(payloads.get(exchangeId), recorded.get(exchangeId));
    assert.deepEqual(documents.get(exchangeId)?.[0], JSON.parse(JSON.stringify(await gateway.document(exchangeId))));
  }
});

test('an archive comes through kills with each exchange once, and is whole by its own word and by that of outside', async () => {
  for (let life = 0; life < 3; life += 1) {
    await servedAgain(gateway, headers);
    for (let count = 0; count < 4; count += 1) {
      await gateway.post(messagesBody(`life ${life}, prompt ${count}`), headers);
    }
    gateway.processor.process.kill('SIGKILL');
    await gateway.processor.exited;
    await gateway.restartProcessor();
  }
  const last = await servedAgain(gateway, headers);
  await gateway.document(last.exchangeId);
  const [recorded, { payloads, ids }] = [await journalled(), await archived()];
  assert.equal(ids.length, new Set(ids).size);
  for (const [exchangeId, own] of recorded) assert.deepEqual(payloads.get(exchangeId), own);
  await waitUntil(
    'a checkpoint of the last one',
    async () => (await run('verify', '--prove', last.exchangeId)).status === 0,
  );
  const verified = await run('verify', '--checkpoints', checkpointFile, '--json');
  assert.equal(verified.status, 0, verified.stdout);
  const { findings, counts } = JSON.parse(verified.stdout) as { findings: unknown[]; counts: Record<string, number> };
  assert.deepEqual(findings, []);
  assert.equal(counts.exchanges, ids.length);
});

test('one exchange is proven with the public key alone, and a copy whose end was cut is told from a whole one', async () => {
  const { exchangeId } = await gateway.post(messagesBody('to be proven'), headers);
  await gateway.document(exchangeId);
  const proofFile = join(gateway.directory, 'proof.json');
  await waitUntil('a proof', async () => (await run('verify', '--prove', exchangeId, '--out', proofFile)).status === 0);
  const archive = archiveDirectory(gateway.dataDirectory);
  const [publicKey = ''] = globSync('*/public.pem', { cwd: archive }).map((file) => join(archive, file));
  const checked = await skilltape(['verify', '--proof', proofFile, '--public-key', publicKey]);
  assert.deepEqual([checked.status, checked.stdout.includes(`proven: exchange ${exchangeId}`)], [0, true]);

  const copy = join(gateway.directory, 'copy');
  cpSync(archive, copy, { recursive: true });
  const segments = globSync('**/*.segment', { cwd: copy })
    .sort()
    .map((file) => join(copy, file));
  const newest = segments.at(-1) ?? '';
  truncateSync(newest, Math.floor(statSync(newest).size / 2));
  const cut = await skilltape(['verify', copy, '--public-key', publicKey]);
  assert.equal(cut.status, 3);
  assert.match(cut.stdout, /^cut {2}/m);

  const indexed = await run('verify', '--checkpoints-from', 'index', '--json');
  assert.equal(indexed.status, 0, indexed.stdout + indexed.stderr);
  assert.ok(JSON.parse(indexed.stdout).counts.outside > 0, indexed.stdout);
  // A copy that was put back whole, with all that it signed itself, is told by what the index has.
  const restored = join(gateway.directory, 'restored');
  cpSync(archive, restored, { recursive: true });
  const next = await gateway.post(messagesBody('after the copy'), headers);
  await gateway.document(next.exchangeId);
  await waitUntil('a checkpoint that the copy has not', async () => {
    assert.equal((await run('verify', restored)).status, 0);
    const { stdout } = await run('verify', restored, '--checkpoints-from', 'index');
    return /^restored_backup {2}/m.test(stdout);
  });
  const unknown = await run('verify', '--checkpoints-from', 'elsewhere');
  assert.deepEqual([unknown.status, /write index/.test(unknown.stderr)], [2, true]);
});

test('what the index does not have any more is shown from the archive: masked by now, for a reason, and recorded', async () => {
  const said = [{ role: 'user', content: 'a first turn for eve@example.org' }];
  await gateway.post(messagesBody('', { messages: said }), headers);
  const more = [...said, { role: 'assistant', content: 'an answer' }, { role: 'user', content: 'a second turn' }];
  const { exchangeId } = await gateway.post(messagesBody('', { messages: more }), headers);
  const indexed = await gateway.document(exchangeId);
  const deleting = SqliteRetention.open(gateway.dataDirectory);
  const day = indexed['@timestamp'].slice(0, 10);
  await deleting.remove({ retentionClass: indexed.skilltape.retention_class, day });
  await deleting.close();
  assert.equal((await run('show', exchangeId)).status, 1);
  const shown = await run('show', exchangeId, '--from', 'archive', '--reason', 'case 12', '--json');
  assert.equal(shown.status, 0, shown.stderr);
  const document = JSON.parse(shown.stdout) as typeof indexed;
  assert.deepEqual(
    [document.event, document.user, document.skilltape.session],
    [indexed.event, indexed.user, indexed.skilltape.session],
  );
  // By itself it has its whole history; in the index that stands with the exchange that brought it.
  assert.match(shown.stdout, /a first turn for \[EMAIL:.*a second turn/s);
  assert.ok(!shown.stdout.includes('eve@example.org'));
  const page = await run('show', exchangeId, '--from', 'archive', '--reason', 'case 12');
  assert.match(page.stdout, /a second turn/);
  assert.equal((await run('show', exchangeId, '--from', 'archive')).status, 2);
  const looks = await run('looks', '--json');
  assert.match(looks.stdout, /from: archive.*case 12/);
});

test('what the journal does not have any more is listed from the archive, bodies by size', async () => {
  const { exchangeId } = await gateway.post(messagesBody('to be listed'), headers);
  await gateway.document(exchangeId);
  await gateway.processor.stop();
  const key = readFileSync(join(gateway.dataDirectory, 'keys', 'journal.key'));
  assert.equal(key.length, 32);
  for (const file of globSync('journal/*.journal', { cwd: gateway.dataDirectory }))
    rmSync(join(gateway.dataDirectory, file));
  const { stdout, stderr, status } = await run('dump', exchangeId);
  assert.equal(status, 0, stderr);
  const kinds = stdout
    .trim()
    .split('\n')
    .map((line) => (JSON.parse(line) as { kind: string }).kind);
  assert.equal(kinds.at(0), 'started');
  assert.equal(kinds.at(-1), 'finished');
  assert.ok(!stdout.includes('to be listed'));
});

test('of an exchange whose content is gone the archive shows what is left', async () => {
  // The processor was stopped by the test before.
  const ids = globSync('*/standard', { cwd: archiveDirectory(gateway.dataDirectory) });
  assert.equal(ids.length, 1);
  const opener = openOpener({ dataDirectory: gateway.dataDirectory, master: masterFromFile(gateway.dataDirectory) });
  const directory = archiveDirectory(gateway.dataDirectory);
  const reader = new ArchiveReader({ directory, fileSystem: nodeFileSystem, opener, of: 'metadata' });
  const left: string[] = [];
  for await (const one of reader.exchanges()) if (one.kind === 'found') left.push(one.exchange.exchangeId);
  await reader.close();
  for (const file of ids) rmSync(join(directory, file), { recursive: true });
  const shown = await run('show', left.at(-1) ?? '', '--from', 'archive', '--reason', 'case 13', '--json');
  assert.equal(shown.status, 0, shown.stderr);
  assert.match(shown.stderr, /Its content is gone/);
  const document = JSON.parse(shown.stdout) as { event: { id: string }; skilltape: Record<string, unknown> };
  assert.equal(document.event.id, left.at(-1));
  assert.deepEqual([document.skilltape.keep, document.skilltape.new_messages], ['metadata', []]);
  const verified = await run('verify');
  assert.equal(verified.status, 3, 'nobody signed that it may go');
  assert.match(verified.stdout, /^missing_segment {2}.*standard\/.*metadata of [1-9]/ms);
});
