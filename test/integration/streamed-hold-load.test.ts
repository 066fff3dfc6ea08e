import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:http2';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { runChild } from '../../extproc/tools/child.ts';
import { runtime } from '../../extproc/tools/runtime.ts';
import { messagesBody } from '../builders/messages-body.ts';
import { type HeldStreams, heldQuestion, startHeldStreams } from '../environment/held-streams.ts';
import { postOn } from '../environment/http2-call.ts';
import { assertPeakBelow, tellMemory } from '../environment/process-memory.ts';

const count = 1_000;
/** With the others beside them. */
const heldMaxBytes = 400e6;
const beside = { exchanges: 1_000, atOnce: 4 };
const compile = fileURLToPath(new URL('../../extproc/tools/compile.mjs', import.meta.url));
/** While all of them are answered in one moment. */
const releasingMaxBytes = 500e6;

let held: HeldStreams;
let authorization: string;
before(async () => {
  // As in the image, and as at every start but the first.
  const env = { ...process.env, ...runtime.environment };
  const compiled = await runChild(process.execPath, [...runtime.arguments, compile], { env, timeoutMs: 60_000 });
  assert.ok(compiled.kind === 'ended' && compiled.status === 0, JSON.stringify(compiled));
  held = await startHeldStreams({ approvals: { ticketsPerCallerMax: count }, streamed: { commentIntervalMs: 1_000 } });
  authorization = `Bearer ${await held.gateway.token()}`;
});
after(() => held[Symbol.asyncDispose]());

/** Others that are served meanwhile, one behind the other on each of a few ways. */
async function serveOthers(): Promise<void> {
  let left = beside.exchanges;
  const way = async () => {
    for (; left > 0; left -= 1) {
      const { status } = await held.gateway.post(messagesBody(`beside the held ${left}`), { authorization });
      assert.equal(status, 200);
    }
  };
  await Promise.all(Array.from({ length: beside.atOnce }, way));
}

test('1,000 streams are held at once with a comment a second, beside others that are served, and all get their answers', async (t) => {
  const { gateway, tickets } = held;
  const { pid } = gateway.processor;
  tellMemory(t, 'before', pid);
  const sessions = Array.from({ length: 10 }, () => connect(gateway.url, { ca: gateway.authorityPem }));
  try {
    await Promise.all(sessions.map((session) => once(session, 'connect')));
    const opened = sessions.flatMap((session, at) =>
      Array.from({ length: count / sessions.length }, async (_, number) => {
        const { status, stream } = await postOn(session, heldQuestion(`many-${at}-${number}-`), authorization);
        let text = '';
        stream.setEncoding('utf8');
        stream.on('data', (piece: string) => {
          text += piece;
        });
        const over = once(stream, 'end').then(() => text);
        over.catch(() => {});
        return { status, over };
      }),
    );
    const streams = await Promise.all(opened);
    assert.deepEqual(new Set(streams.map(({ status }) => status)), new Set([200]));
    // The answers begin when their tickets are on disk.
    const pending = tickets.list('live', 10_000, Date.now());
    assert.equal(pending.length, count);
    // Some rounds of comments to all of them.
    await new Promise((resolve) => setTimeout(resolve, 5_000));
    tellMemory(t, 'held', pid);
    await serveOthers();
    assertPeakBelow(heldMaxBytes, t, pid);
    // The upstream is in this process, too, and an approval is a write to disk.
    for (const { ticket } of pending) {
      held.approve(ticket);
      await new Promise((resolve) => setImmediate(resolve));
    }
    const texts = await Promise.all(streams.map(({ over }) => over));
    for (const text of texts) assert.match(text, /event: message_stop\n/);
    assert.equal(held.arrivals('many-').length, count);
    assert.equal(new Set(held.arrivals('many-')).size, count);
    assertPeakBelow(releasingMaxBytes, t, pid);
  } finally {
    for (const session of sessions) session.destroy();
  }
});
