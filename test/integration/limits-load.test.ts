import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:http2';
import { Agent, request } from 'node:https';
import { after, before, test } from 'node:test';
import { messagesBody } from '../builders/messages-body.ts';
import { envoyStat } from '../environment/envoy-stats.ts';
import type { TestGateway } from '../environment/gateway.ts';
import { startTestGateway } from '../environment/gateway.ts';
import { postOn } from '../environment/http2-call.ts';
import { processMemory } from '../environment/process-memory.ts';
import { indexedBehindMuch } from '../environment/traffic.ts';
import { waitUntil } from '../environment/wait.ts';
import { wholeIndex } from '../environment/whole-index.ts';

const MiB = 1024 * 1024;
/** A heap grows to twice what lives in it before it is collected, in each of two threads; the rest would be kept by mistake. */
const growthMaxBytes = 80 * MiB;

let gateway: TestGateway;
let authorization: string;
before(async () => {
  gateway = await startTestGateway();
  authorization = `Bearer ${await gateway.token()}`;
});
after(() => gateway.stop());

type Sent = { status: number; id: string };
const connectionsSoFar = () => envoyStat(gateway.envoy, 'http.gateway.downstream_cx_total');

const residentBytes = () => processMemory(gateway.processor.pid).residentBytes;

async function assertAllIndexed(sent: readonly Sent[]): Promise<void> {
  assert.equal(new Set(sent.map(({ id }) => id)).size, sent.length);
  await indexedBehindMuch(gateway, sent.at(-1)?.id);
  await waitUntil('all of them in the index', async () => {
    const indexed = await wholeIndex(gateway.dataDirectory);
    return sent.every(({ id }) => indexed.has(id));
  });
}

function sendOnce(agent: Agent, body: string): Promise<Sent> {
  return new Promise((resolve, reject) => {
    const headers = { authorization, 'content-type': 'application/json', 'anthropic-version': '2023-06-01' };
    const call = request(`${gateway.url}/v1/messages`, { method: 'POST', headers, agent }, (response) => {
      response.resume();
      response.on('error', reject);
      response.on('end', () => {
        resolve({ status: response.statusCode ?? 0, id: String(response.headers['x-skilltape-exchange']) });
      });
    });
    call.on('error', reject);
    call.end(body);
  });
}

test('5,000 exchanges on one HTTP/1.1 connection: none fails, all are found, and memory stays bounded', async (t) => {
  const agent = new Agent({ ca: gateway.authorityPem, keepAlive: true, maxSockets: 1 });
  const connections = await connectionsSoFar();
  const sent: Sent[] = [];
  let warmBytes = 0;
  try {
    for (let count = 0; count < 5_000; count += 1) {
      const answer = await sendOnce(agent, messagesBody(`small request ${count}`));
      assert.equal(answer.status, 200);
      sent.push(answer);
      if (count === 1_000) warmBytes = residentBytes();
    }
  } finally {
    agent.destroy();
  }
  assert.equal((await connectionsSoFar()) - connections, 1);
  await assertAllIndexed(sent);
  const growthBytes = residentBytes() - warmBytes;
  t.diagnostic(`grew by ${Math.round(growthBytes / MiB)} MiB`);
  assert.ok(growthBytes < growthMaxBytes, `grew by ${growthBytes} bytes`);
});

test('2,000 exchanges on one HTTP/2 connection, 16 at a time: none fails, and all are found', async () => {
  const connections = await connectionsSoFar();
  const session = connect(gateway.url, { ca: gateway.authorityPem });
  const sent: Sent[] = [];
  let next = 0;
  const post = async (body: string): Promise<Sent> => {
    const { status, id, stream } = await postOn(session, body, authorization);
    stream.resume();
    await once(stream, 'end');
    return { status, id };
  };
  const worker = async () => {
    while (next < 2_000) {
      next += 1;
      const answer = await post(messagesBody(`side by side ${next}`));
      assert.equal(answer.status, 200);
      sent.push(answer);
    }
  };
  try {
    await once(session, 'connect');
    await Promise.all(Array.from({ length: 16 }, worker));
  } finally {
    session.close();
  }
  assert.equal(sent.length, 2_000);
  assert.equal((await connectionsSoFar()) - connections, 1);
  await assertAllIndexed(sent);
});
