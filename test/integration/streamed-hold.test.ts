import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, test } from 'node:test';
import Anthropic, { APIError } from '@anthropic-ai/sdk';
import { Agent, fetch as undiciFetch } from 'undici';
import { denial } from '../builders/approval.ts';
import { type HeldStreams, heldQuestion, logLines, readAll, startHeldStreams } from '../environment/held-streams.ts';
import { waitUntil } from '../environment/wait.ts';

/** Shorter than the holds here, as 660 s and 300 s are in earnest. */
const envoyIdle = '3s';
const clientIdleMs = 2_000;
const longHoldMs = 5_000;

let held: HeldStreams;
before(async () => {
  held = await startHeldStreams({
    changeEnvoyConfig(text) {
      const [gateway = '', ...release] = text.split('name: release\n');
      return [gateway.replaceAll('idle_timeout: 660s', `idle_timeout: ${envoyIdle}`), ...release].join(
        'name: release\n',
      );
    },
  });
});
after(() => held[Symbol.asyncDispose]());

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

type Sent = { attempts: number; client: Anthropic };

/** An official client that gives up after `clientIdleMs` without a byte of its answer. */
async function sdk(how: 'apiKey' | 'authToken', headers: Record<string, string> = {}): Promise<Sent> {
  const { gateway } = held;
  // The first hold of a process starts its threads before it can answer.
  const idle = { bodyTimeout: clientIdleMs, headersTimeout: 0 };
  const dispatcher = new Agent({ connect: { ca: gateway.authorityPem }, ...idle });
  const token = await gateway.token();
  const sent: Sent = { attempts: 0, client: undefined as never };
  sent.client = new Anthropic({
    ...{ baseURL: gateway.url, apiKey: null, authToken: null, [how]: token, defaultHeaders: headers },
    fetch: ((url: unknown, init: object) => {
      sent.attempts += 1;
      return undiciFetch(url as string, { ...init, dispatcher } as never);
    }) as never,
  });
  return sent;
}

const dialects = [
  ['the key in x-api-key', 'apiKey', {}],
  ['a bearer token and the new dialect', 'authToken', { 'anthropic-version': '2026-10-21' }],
] as const;

for (const [name, how, headers] of dialects) {
  test(`an SDK that streams with ${name} gets its answer after a hold longer than every idle timeout, by one request`, async () => {
    const marker = `sdk ${how}`;
    const sent = await sdk(how, headers);
    const messages = [{ role: 'user' as const, content: `${marker} ada@example.com` }];
    const stream = sent.client.messages.stream({ model: 'claude-opus-5-5', max_tokens: 64, messages });
    const message = stream.finalMessage();
    const ticket = await held.ticketOf(marker);
    await pause(longHoldMs);
    assert.deepEqual(held.arrivals(marker), []);
    held.approve(ticket);
    assert.equal((await message).stop_reason, 'end_turn');
    assert.deepEqual([sent.attempts, held.arrivals(marker).length, held.ticketsOf(marker).length], [1, 1, 1]);
  });
}

test('the bytes that arrive are those that were sent, and the answer is the one that came, behind comments alone', async () => {
  const body = heldQuestion('bytes', { metadata: { user_id: 'ü  "\\u00e9' } });
  const response = await held.begin(body);
  assert.equal(response.status, 200);
  assert.match(response.headers.get('content-type') ?? '', /^text\/event-stream/);
  const ticket = await held.ticketOf('bytes');
  held.approve(ticket);
  const { text, isWhole } = await readAll(response);
  assert.ok(isWhole);
  const [, comments = '', answer = ''] = /^((?:: [^\n]*\n\n)+)(.*)$/s.exec(text) ?? [];
  assert.ok(comments.startsWith(`: held for an approval, ticket ${ticket}\n\n`));
  assert.deepEqual(held.arrivals('bytes'), [body]);
  const arrival = held.gateway.fake.requests.find((each) => String(each.body) === body);
  assert.equal(createHash('sha256').update(answer).digest('hex'), arrival?.answerSha256);
  const document = await held.gateway.document(response.headers.get('x-skilltape-exchange'));
  assert.equal(document.skilltape.outcome, 'complete');
  assert.match(JSON.stringify(document.skilltape), /Approved by .* \(ticket t-/);
});

test('upstream a released request has the headers of any other, but that no encoding is asked for', async () => {
  const { gateway } = held;
  const token = await gateway.token();
  const send = (body: string) =>
    gateway.fetch(`${gateway.url}/v1/messages?beta=true`, {
      method: 'POST',
      body,
      headers: Object.fromEntries([
        ...[
          ['authorization', `Bearer ${token}`],
          ['content-type', 'application/json'],
        ],
        ...[
          ['anthropic-version', '2023-06-01'],
          ['anthropic-beta', 'context-1m-2025-08-07, skills-2025-10-02'],
        ],
        ...[
          ['x-own', 'v\u00e4lue'],
          ['accept-encoding', 'gzip, deflate'],
        ],
      ]),
    } as never);
  const plain = (await send(heldQuestion('headers').replace('ada@example.com', 'ada'))) as Response;
  await plain.text();
  const answer = (await send(heldQuestion('headers'))) as Response;
  held.approve(await held.ticketOf('headers'));
  await answer.text();
  const [one, other] = gateway.fake.requests.filter(({ body }) => String(body).includes('headers:'));
  assert.ok(one !== undefined && other !== undefined);
  const pairs = ({ headers }: typeof one) => {
    const lines = headers.flatMap((name, at) => (at % 2 === 0 ? [`${name.toLowerCase()}: ${headers[at + 1]}`] : []));
    return lines.filter((line) => !/^(?:x-request-id|content-length|accept-encoding): /.test(line)).sort();
  };
  assert.deepEqual(pairs(other), pairs(one));
  assert.ok(other.headers.includes('identity'));
  assert.equal(other.path, '/v1/messages?beta=true');
});

test('a denial ends the stream with an error that no client sends again, and the reason is shown', async () => {
  const sent = await sdk('apiKey');
  const messages = [{ role: 'user' as const, content: 'no way ada@example.com' }];
  const message = sent.client.messages
    .stream({ model: 'claude-opus-5-5', max_tokens: 64, messages })
    .finalMessage()
    .catch((error: unknown) => error);
  held.tickets.decide(await held.ticketOf('no way'), denial(), Date.now());
  const error = await message;
  assert.ok(error instanceof APIError);
  assert.match(error.message, /not with production keys/);
  const { error: inner } = error.error as { error: { type: string; details: { error_code: string } } };
  assert.deepEqual([inner.type, inner.details.error_code], ['permission_error', 'dlp_request_denied']);
  assert.equal(sent.attempts, 1);
  assert.deepEqual(held.arrivals('no way'), []);
});

test('a denied stream is recorded as denied, with what its client was told', async () => {
  const response = await held.begin(heldQuestion('told no'));
  held.tickets.decide(await held.ticketOf('told no'), denial(), Date.now());
  const { text, isWhole } = await readAll(response);
  assert.ok(isWhole);
  assert.match(text, /\n\nevent: error\ndata: \{"type":"error",.*not with production keys.*\}\n\n$/);
  const document = await held.gateway.document(response.headers.get('x-skilltape-exchange'));
  assert.equal(document.skilltape.outcome, 'denied');
  // A denial stands: the same request is told so at once, by a status.
  assert.equal((await held.begin(heldQuestion('told no'))).status, 403);
});

test('a client that leaves is recorded, and the approval serves its retry', async () => {
  const controller = new AbortController();
  const response = await held.begin(heldQuestion('leaver'), { signal: controller.signal });
  const ticket = await held.ticketOf('leaver');
  controller.abort();
  await waitUntil('it is seen that the client left', () => {
    return held.ticketsOf('leaver')[0]?.events.at(-1)?.kind === 'left';
  });
  held.approve(ticket);
  const { text } = await readAll(await held.begin(heldQuestion('leaver')));
  assert.match(text, /message_stop/);
  assert.deepEqual([held.arrivals('leaver').length, held.ticketsOf('leaver').length], [1, 1]);
  const document = await held.gateway.document(response.headers.get('x-skilltape-exchange'));
  assert.equal(document.skilltape.outcome, 'client_aborted');
});

test('an approved request that is sent once more is held anew', async () => {
  const first = await held.begin(heldQuestion('replayed'));
  held.approve(await held.ticketOf('replayed'));
  assert.match((await readAll(first)).text, /message_stop/);
  const controller = new AbortController();
  const again = await held.begin(heldQuestion('replayed'), { signal: controller.signal });
  assert.equal(again.status, 200);
  const states = held.ticketsOf('replayed').map(({ state }) => state.kind);
  assert.deepEqual(states.toSorted(), ['pending', 'used']);
  controller.abort();
  assert.equal(held.arrivals('replayed').length, 1);
});

test('a client that leaves within the answer ends it upstream, too', async () => {
  const controller = new AbortController();
  const response = await held.begin(heldQuestion('[fake: slow 300] slow leaver'), { signal: controller.signal });
  held.approve(await held.ticketOf('slow leaver'));
  const reading = readAll(response);
  const arrival = await waitUntil('the request arrived', () => {
    return held.gateway.fake.requests.find(({ body }) => String(body).includes('slow leaver'));
  });
  await pause(1_000);
  controller.abort();
  assert.equal((await reading).isWhole, false);
  await waitUntil('the upstream sees it', () => arrival.clientAborted);
  const document = await held.gateway.document(response.headers.get('x-skilltape-exchange'));
  assert.equal(document.skilltape.outcome, 'client_aborted');
});

const upstreamFaults = [
  ['an overloaded upstream', '[fake: error 529]', /"overloaded_error"/, 'upstream_error'],
  ['a request that the upstream refuses', '[fake: error 400]', /"invalid_request_error"/, 'upstream_error'],
  ['an answer in an encoding that was not asked for', '[fake: gzip]', /"api_error"/, 'upstream_error'],
  ['an upstream that resets before it answers', '[fake: reset-before-headers]', /"api_error"/, 'upstream_aborted'],
  ['an error within the answer', '[fake: midstream_error]', /"overloaded_error"/, 'upstream_error'],
] as const;

for (const [name, directive, event, outcome] of upstreamFaults) {
  test(`${name}: the stream says so and ends`, async () => {
    const marker = `fault ${directive.replaceAll(/[^a-z0-9]/g, '')}`;
    const response = await held.begin(heldQuestion(`${directive} ${marker}`));
    held.approve(await held.ticketOf(marker));
    const { text, isWhole } = await readAll(response);
    assert.ok(isWhole);
    assert.match(text, /event: error\ndata: .*\n\n$/);
    assert.match(text, event);
    assert.equal(held.arrivals(marker).length, 1);
    const document = await held.gateway.document(response.headers.get('x-skilltape-exchange'));
    assert.equal(document.skilltape.outcome, outcome);
  });
}

test('an upstream that resets within its answer: what came is given, the stream breaks, and the record says who broke it', async () => {
  const response = await held.begin(heldQuestion('[fake: reset] mid reset'));
  held.approve(await held.ticketOf('mid reset'));
  const { text, isWhole } = await readAll(response);
  assert.equal(isWhole, false);
  assert.match(text, /message_start/);
  const document = await held.gateway.document(response.headers.get('x-skilltape-exchange'));
  assert.equal(document.skilltape.outcome, 'upstream_aborted');
});

test('what is no stream is held in silence, and released on its own stream', async () => {
  const answer = held.begin(heldQuestion('plainly', { stream: false }));
  held.approve(await held.ticketOf('plainly'));
  const response = await answer;
  assert.match(response.headers.get('content-type') ?? '', /^application\/json/);
  assert.equal(response.status, 200);
});

test("Envoy's log has both ways of a released request, and no gap is found in the record", async () => {
  const response = await held.begin(heldQuestion('logged'));
  held.approve(await held.ticketOf('logged'));
  await readAll(response);
  const id = response.headers.get('x-skilltape-exchange') ?? '';
  const lines = await waitUntil('both lines', () => {
    const found = logLines(held.gateway, id);
    return found.length === 2 && found;
  });
  const byVerdict = Object.fromEntries(lines.map((line) => [line.verdict, line]));
  assert.equal(byVerdict.held?.upstream ?? null, null);
  assert.match(String(byVerdict.released?.upstream), /:\d+$/);
  assert.equal(byVerdict.held?.request_id, byVerdict.released?.request_id);
});
