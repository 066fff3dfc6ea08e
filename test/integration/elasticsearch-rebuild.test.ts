import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { openElasticsearchSearch, setUpElasticsearch } from '../../extproc/index/elasticsearch/open.ts';
import type { ElasticsearchOptions } from '../../extproc/index/elasticsearch/options.ts';
import { memoryFile } from '../../extproc/index/sqlite/memory.ts';
import type { ExchangeDocument } from '../../extproc/transcript/document.ts';
import { messagesBody } from '../builders/messages-body.ts';
import { refresh } from '../contract/index-under-test.ts';
import { type CommandResult, skilltape } from '../environment/command.ts';
import { elasticsearchCall } from '../environment/elasticsearch/call.ts';
import { startElasticsearch, type TestElasticsearch } from '../environment/elasticsearch.ts';
import { startTestGateway, type TestGateway } from '../environment/gateway.ts';
import { startTcpGate, type TcpGate } from '../environment/tcp-gate.ts';
import { servedAgain } from '../environment/traffic.ts';
import { waitUntil } from '../environment/wait.ts';
import { everyHit } from '../environment/whole-index.ts';

/** An Elasticsearch that lost everything is filled again from the archive, through a kill and an outage in the middle. */

const mainScript = fileURLToPath(new URL('../../extproc/main.ts', import.meta.url));
/** More than two deliveries of a rebuild. */
const exchangesCount = 160;

let server: TestElasticsearch;
let gate: TcpGate;
let gateway: TestGateway;
let options: ElasticsearchOptions;
let headers: { authorization: string };
before(async () => {
  server = await startElasticsearch({ mode: 'plain' });
  gate = await startTcpGate();
  gate.open(Number(new URL(server.url).port));
  const index = { nodes: [`http://127.0.0.1:${gate.port}`], numberOfReplicas: 0, prefix: 'rebuilt' };
  options = { ...index, caFile: undefined, credential: null, refreshIntervalMs: 5_000, requestTimeoutMs: 20_000 };
  await setUpElasticsearch(options);
  const settings = {
    index: { kind: 'elasticsearch', elasticsearch: index },
    archive: { segmentMaxBytes: 65_536 },
  };
  gateway = await startTestGateway({ settings });
  headers = { authorization: `Bearer ${await gateway.token()}` };
});
after(async () => {
  await gateway?.stop();
  await gate?.close();
  await server?.stop();
});

const run = (...args: string[]): Promise<CommandResult> => skilltape(['--config', gateway.configFile, ...args]);
const rebuildFlags = ['rebuild-index', '--reason', 'lost', '--json'];

async function call(method: string, path: string): Promise<string> {
  return (await elasticsearchCall({ url: server.url, method, path })).text;
}

async function everyDocument(): Promise<Map<string, ExchangeDocument>> {
  await refresh(server.url, options.prefix);
  const search = openElasticsearchSearch(options);
  try {
    const documents = new Map<string, ExchangeDocument>();
    for (const id of (await everyHit(search)).keys()) {
      const document = await search.get(id);
      if (document !== null) documents.set(id, JSON.parse(JSON.stringify(document)));
    }
    return documents;
  } finally {
    await search.close();
  }
}

async function loseIndex(): Promise<void> {
  const listed: { index: string }[] = JSON.parse(
    await call('GET', `/_cat/indices/${options.prefix}-*?format=json&h=index`),
  );
  assert.ok(listed.length > 0);
  for (const { index } of listed) await call('DELETE', `/${index}`);
  await call('DELETE', `/_index_template/${options.prefix}`);
  for (const end of ['', '-wal', '-shm'])
    rmSync(`${memoryFile(gateway.dataDirectory, 'elasticsearch')}${end}`, { force: true });
}

/** Ends with SIGKILL when it has told its first delivery. */
async function rebuildKilled(): Promise<string> {
  const child = spawn(process.execPath, [mainScript, '--config', gateway.configFile, ...rebuildFlags], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr.on('data', (chunk) => {
    said += String(chunk);
    if (/exchanges indexed/.test(said)) child.kill('SIGKILL');
  });
  const [, signal] = await once(child, 'exit');
  assert.equal(signal, 'SIGKILL', said);
  return said;
}

test('an Elasticsearch that was lost has all documents again, after a rebuild that was killed and one that met an outage', async () => {
  const sent = new Set<string>();
  let messages: object[] = [];
  for (let turn = 0; turn < exchangesCount; turn += 1) {
    if (turn % 8 === 0) messages = [];
    messages.push({ role: 'user', content: `turn ${turn} for eve@example.org` });
    sent.add((await gateway.post(messagesBody('', { messages }), headers)).exchangeId);
    messages.push({ role: 'assistant', content: `answer ${turn}` });
  }
  sent.add((await gateway.post(Buffer.from('not json'), headers)).exchangeId);
  const before = await waitUntil(
    'every exchange in the index',
    async () => {
      const documents = await everyDocument();
      return [...sent].every((id) => documents.has(id)) && documents;
    },
    60_000,
  );
  const running = await run(...rebuildFlags);
  assert.deepEqual([running.status, /a gateway runs/.test(running.stderr)], [2, true], running.stderr);
  await gateway.processor.stop();
  const usageBefore = await run('usage', '--by', 'user', '--json');
  await loseIndex();

  assert.doesNotMatch(await rebuildKilled(), /161 exchanges/);
  gate.shut();
  const waiting = await run(...rebuildFlags);
  assert.deepEqual([waiting.status, JSON.parse(waiting.stdout).kind], [3, 'waiting'], waiting.stderr);
  gate.open(Number(new URL(server.url).port));
  const done = await run(...rebuildFlags);
  const told = JSON.parse(done.stdout);
  assert.deepEqual([done.status, told.kind, told.counts.indexed], [0, 'in_place', sent.size], done.stderr);
  assert.deepEqual(await everyDocument(), before);
  assert.equal((await run('usage', '--by', 'user', '--json')).stdout, usageBefore.stdout);
  const again = await run(...rebuildFlags);
  assert.deepEqual([again.status, /memory\.sqlite is still there/.test(again.stderr)], [2, true]);

  await gateway.restartProcessor();
  const next = await servedAgain(gateway, headers);
  await waitUntil('the next exchange', async () => {
    await refresh(server.url, options.prefix);
    return (await run('show', next.headers.get('x-skilltape-exchange') ?? '')).status === 0;
  });
  const later = await everyDocument();
  for (const [id, document] of before) assert.deepEqual(later.get(id), document);
});
