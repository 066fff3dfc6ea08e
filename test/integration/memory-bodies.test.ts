import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, test } from 'node:test';
import { messagesBody } from '../builders/messages-body.ts';
import type { TestGateway } from '../environment/gateway.ts';
import { startTestGateway } from '../environment/gateway.ts';
import { assertPeakBelow, tellMemory } from '../environment/process-memory.ts';
import { indexedBehindMuch } from '../environment/traffic.ts';

const MiB = 1024 * 1024;
const peakMaxBytes = 400e6;

let gateway: TestGateway;
let authorization: string;
before(async () => {
  gateway = await startTestGateway();
  authorization = `Bearer ${await gateway.token()}`;
});
after(() => gateway.stop());

test('8 bodies of 32 MB at once: all pass unchanged and are indexed, within 400 MB', async (t) => {
  const { pid } = gateway.processor;
  tellMemory(t, 'before', pid);
  const first = gateway.fake.requestCount() + 1;
  const bodies = Array.from({ length: 8 }, (_, at) => messagesBody(`body ${at} `.repeat((32 * MiB) / 7)));
  const answers = await Promise.all(bodies.map((body) => gateway.post(body, { authorization })));
  tellMemory(t, 'all answered', pid);
  assert.deepEqual(
    answers.map(({ status }) => status),
    bodies.map(() => 200),
  );
  const arrived = new Set<string>();
  for (let count = first; count <= gateway.fake.requestCount(); count += 1) {
    arrived.add((await gateway.fake.waitForSettled(count)).bodySha256 ?? '');
  }
  for (const body of bodies) assert.ok(arrived.has(createHash('sha256').update(body).digest('hex')));
  for (const { exchangeId } of answers) {
    assert.ok((await indexedBehindMuch(gateway, exchangeId)).skilltape.truncated);
  }
  assertPeakBelow(peakMaxBytes, t, pid);
});

const bombs: { name: string; body: () => string; fault: RegExp }[] = [
  {
    name: 'a million keys',
    body: () =>
      `{"model":"m","messages":[],"metadata":{${Array.from({ length: 1e6 }, (_, at) => `"k${at}":1`).join()}}}`,
    fault: /too many values/,
  },
  {
    name: 'a million blocks',
    body: () => `{"model":"m","messages":[{"role":"user","content":[${'{"type":"text","text":"x"},'.repeat(1e6)}{}]}]}`,
    fault: /too many values/,
  },
  { name: 'a million arrays in one another', body: () => '['.repeat(1e6) + ']'.repeat(1e6), fault: /too deep/ },
  {
    name: 'a million equal keys',
    body: () => `{"model":"m","messages":[],"metadata":{${'"k":1,'.repeat(1e6)}"z":1}}`,
    fault: /duplicate key/,
  },
];

test('bombs of JSON are refused and recorded, within 400 MB', async (t) => {
  for (const { name, body, fault } of bombs) {
    const { status, exchangeId } = await gateway.post(body(), { authorization });
    assert.equal(status, 400, name);
    const { skilltape } = await indexedBehindMuch(gateway, exchangeId);
    assert.equal(skilltape.outcome, 'refused');
    assert.match(skilltape.outcome_detail, fault);
  }
  assertPeakBelow(peakMaxBytes, t, gateway.processor.pid);
});
