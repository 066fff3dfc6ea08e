import assert from 'node:assert/strict';
import { test } from 'node:test';
import Anthropic from '@anthropic-ai/sdk';
import { accumulateManagedAgentsEvent } from '@anthropic-ai/sdk/lib/sessions/accumulate';
import { readAnswer } from '../../../extproc/claude/answer.ts';
import { readSessionEvents } from '../../../extproc/claude/session-events.ts';
import { fixtureBytes } from './fixture.ts';

/** A client of the official SDK that is served these bytes, 7 at a time, for whatever it asks. */
function clientServed(bytes: Uint8Array, contentType: string): Anthropic {
  const fetch = async (url: unknown): Promise<Response> => {
    const { pathname } = new URL(String(url));
    if (/\/batches\/[^/]+$/.test(pathname)) {
      const results_url = 'https://api.anthropic.com/v1/messages/batches/b/results';
      return Response.json({ id: 'b', type: 'message_batch', processing_status: 'ended', results_url });
    }
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        for (let at = 0; at < bytes.length; at += 7) controller.enqueue(bytes.slice(at, at + 7));
        controller.close();
      },
    });
    return new Response(body, { headers: { 'content-type': contentType } });
  };
  return new Anthropic({ apiKey: 'k', maxRetries: 0, fetch });
}

test("the results of a batch are those of the SDK's reader", async () => {
  const body = fixtureBytes('m_batch_results.jsonl');
  const read = readAnswer({
    endpoint: 'batches.results',
    contentType: 'application/binary',
    status: 200,
    body,
    maxEventBytes: 100_000,
  });
  const expected = [];
  for await (const { custom_id: customId, result } of await clientServed(
    body,
    'application/binary',
  ).messages.batches.results('b')) {
    const message = result.type === 'succeeded' ? result.message : null;
    const error = result.type === 'errored' ? result.error : null;
    expected.push({ customId, type: result.type, message, error });
  }
  assert.equal(expected.length, 4);
  assert.deepEqual(read, { kind: 'batch_results', results: JSON.parse(JSON.stringify(expected)), faults: [] });
});

test("a session's events are those of the SDK's stream, and a broken preview is what its accumulator holds", async () => {
  const bytes = fixtureBytes('n_session_stream.sse');
  const { events } = readSessionEvents(bytes, 'text/event-stream', 100_000);
  const whole = [];
  let open: ReturnType<typeof accumulateManagedAgentsEvent>;
  let messages = 0;
  for await (const event of await clientServed(bytes, 'text/event-stream').beta.sessions.events.stream('s')) {
    open = accumulateManagedAgentsEvent(open, event);
    if (event.type !== 'event_start' && event.type !== 'event_delta') whole.push([event.id, event.type]);
    if (event.type !== 'agent.message') continue;
    messages += 1;
    assert.deepEqual(events.find(({ id }) => id === event.id)?.content, event.content);
  }
  assert.equal(messages, 1);
  const ended = events.filter((event) => event.ended);
  assert.deepEqual(
    ended.map(({ id, type }) => [id, type]),
    whole,
  );
  const broken = events.filter((event) => !event.ended);
  assert.deepEqual(
    broken.map(({ id, type, content }) => ({ id, type, content })),
    [{ id: open?.id, type: open?.type, content: open?.content }],
  );
});
