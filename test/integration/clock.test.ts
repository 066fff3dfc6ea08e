import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { messagesBody } from '../builders/messages-body.ts';
import type { TestGateway } from '../environment/gateway.ts';
import { startTestGateway } from '../environment/gateway.ts';
import { readJournal } from '../environment/journal-view.ts';
import { found } from '../environment/recorded.ts';
import { inJournal, openSlowStream, servedAgain } from '../environment/traffic.ts';
import { wholeIndex } from '../environment/whole-index.ts';

const dayMs = 86_400_000;
const serveScript = fileURLToPath(new URL('../fakes/serve-shifted.ts', import.meta.url));

let gateway: TestGateway;
let headers: { authorization: string };
before(async () => {
  gateway = await startTestGateway({ serveScript });
  headers = { authorization: `Bearer ${await gateway.token()}` };
});
after(() => gateway.stop());

function setClock(aheadMs: number): void {
  writeFileSync(join(gateway.directory, 'clock'), String(aheadMs));
}

test('a clock that is set back under open exchanges costs none of them, and no duration is negative', async () => {
  const ids: string[] = [];
  const streaming = await openSlowStream(gateway, 'over a clock set back', headers);
  for (const aheadMs of [0, -2 * dayMs, 0, dayMs, -400 * dayMs, 0]) {
    setClock(aheadMs);
    const answer = await gateway.post(messagesBody(`clock ${aheadMs}`), headers);
    assert.equal(answer.status, 200);
    ids.push(answer.exchangeId);
  }
  setClock(-2 * dayMs);
  streaming.abort();
  ids.push(
    (await inJournal(gateway, 'over a clock set back', ({ records }) => records.at(-1)?.kind === 'finished')).id,
  );
  assert.equal(new Set(ids).size, ids.length);
  for (const id of ids) {
    const { event } = await gateway.document(id);
    assert.ok(event.duration >= 0, `${id}: ${event.duration}`);
  }
  assert.equal((await found(gateway, 'clock')).length, ids.length);
});

test('a kill and a start with the clock set back further: what was open is ended, and nothing is there twice', async () => {
  await openSlowStream(gateway, 'open at the kill', headers);
  const { id } = await inJournal(gateway, 'open at the kill', () => true);
  gateway.processor.process.kill('SIGKILL');
  await gateway.processor.exited;
  setClock(-30 * dayMs);
  await gateway.restartProcessor();
  await servedAgain(gateway, headers);
  const document = await gateway.document(id);
  assert.deepEqual([document.skilltape.outcome, document.event.duration], ['interrupted', 0]);
  for (const entry of await readJournal(gateway.dataDirectory)) await gateway.document(entry.id);
  for (const entry of await readJournal(gateway.dataDirectory)) {
    assert.equal(entry.records.filter(({ kind }) => kind === 'finished').length, 1, entry.id);
  }
  assert.equal((await wholeIndex(gateway.dataDirectory)).size, (await readJournal(gateway.dataDirectory)).length);
});
