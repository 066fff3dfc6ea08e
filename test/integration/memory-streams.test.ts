import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type ClientHttp2Session, connect } from 'node:http2';
import { after, before, test } from 'node:test';
import { messagesBody } from '../builders/messages-body.ts';
import type { TestGateway } from '../environment/gateway.ts';
import { startTestGateway } from '../environment/gateway.ts';
import { postOn } from '../environment/http2-call.ts';
import { assertPeakBelow, tellMemory } from '../environment/process-memory.ts';
import { indexedBehindMuch } from '../environment/traffic.ts';

const peakMaxBytes = 300e6;

let gateway: TestGateway;
let authorization: string;
before(async () => {
  gateway = await startTestGateway();
  authorization = `Bearer ${await gateway.token()}`;
});
after(() => gateway.stop());

type Slow = { status: number; id: string; over: Promise<unknown> };

/** A streamed answer that takes its time; resolves when its first bytes are here. */
async function openSlow(session: ClientHttp2Session, text: string): Promise<Slow> {
  const { status, id, stream } = await postOn(session, messagesBody(text, { stream: true }), authorization);
  const first = once(stream, 'data');
  stream.resume();
  const over = once(stream, 'end');
  await first;
  return { status, id, over };
}

test('1,000 slow streams at once: all are open together, all end well, within 300 MB', async (t) => {
  const { pid } = gateway.processor;
  tellMemory(t, 'before', pid);
  const sessions = Array.from({ length: 10 }, () => connect(gateway.url, { ca: gateway.authorityPem }));
  try {
    const opened: Promise<Slow>[] = [];
    await Promise.all(sessions.map((session) => once(session, 'connect')));
    for (const session of sessions) {
      for (let count = 0; count < 100; count += 1) {
        opened.push(openSlow(session, `[fake: slow 800] slow ${opened.length}`));
      }
    }
    const streams = await Promise.all(opened);
    tellMemory(t, 'all open', pid);
    await Promise.all(streams.map(({ over }) => over));
    assert.deepEqual(new Set(streams.map(({ status }) => status)), new Set([200]));
    assert.equal(new Set(streams.map(({ id }) => id)).size, 1_000);
    await indexedBehindMuch(gateway, streams.at(-1)?.id);
    assertPeakBelow(peakMaxBytes, t, pid);
  } finally {
    for (const session of sessions) session.destroy();
  }
});
