import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import Anthropic from '@anthropic-ai/sdk';
import { ticketsFile } from '../../extproc/approvals/places.ts';
import { type Ticket, Tickets } from '../../extproc/approvals/tickets.ts';
import { approval, denial } from '../builders/approval.ts';
import { skilltape } from '../environment/command.ts';
import type { TestGateway } from '../environment/gateway.ts';
import { startTestGateway } from '../environment/gateway.ts';
import { waitUntil } from '../environment/wait.ts';

const shipped = fileURLToPath(new URL('../../policies', import.meta.url));

/** Whoever sends a mail address is held. */
const held = [{ when: {}, effect: 'hold', types: ['EMAIL'], places: ['messages'] }];
/** Short, so that a client is told to come again within the test. */
const holdMaxMs = 10_000;

let gateway: TestGateway;
/** As a command opens them, without the time that a command takes to start. */
let tickets: Tickets;
before(async () => {
  gateway = await startTestGateway({
    keepBodies: true,
    settings: { policies: { directory: 'policies' }, approvals: { holdMaxMs } },
    prepare(directory) {
      cpSync(shipped, join(directory, 'policies'), { recursive: true });
      writeFileSync(join(directory, 'policies/lists/findings/data.json'), JSON.stringify({ rules: held }));
      letDecide(directory, { issuer: 'https://idp.example', subject: 'operator' });
    },
  });
  tickets = new Tickets(ticketsFile(gateway.dataDirectory));
});
after(async () => {
  tickets.close();
  await gateway.stop();
});

/** Lists whoever runs this test, under who they are by their token. */
function letDecide(directory: string, person: { issuer: string; subject: string }): void {
  const file = join(directory, 'policies/lists/console/data.json');
  const { limits } = JSON.parse(readFileSync(file, 'utf8'));
  const operators = [{ actions: ['decide'], uids: [process.getuid?.() ?? -1], person }];
  writeFileSync(file, JSON.stringify({ operators, limits }));
}

function question(marker: string): string {
  const messages = [{ role: 'user', content: `${marker}: write to ada@example.com` }];
  return JSON.stringify({ model: 'claude-opus-5-5', max_tokens: 64, messages });
}

type ErrorBody = { error: { message: string; details: { error_code: string } } };

async function send(body: string, subject = 'alice', signal?: AbortSignal) {
  const authorization = `Bearer ${await gateway.token(subject)}`;
  const headers = { authorization, 'content-type': 'application/json', 'anthropic-version': '2023-06-01' };
  const init = { method: 'POST', body, headers, signal };
  const response = (await gateway.fetch(`${gateway.url}/v1/messages`, init as never)) as Response;
  const exchangeId = response.headers.get('x-skilltape-exchange');
  return { status: response.status, headers: response.headers, exchangeId, json: (await response.json()) as ErrorBody };
}

const cli = (...args: string[]) => skilltape([...args, '--config', gateway.configFile]);

function ticketsOf(marker: string): Ticket[] {
  return tickets.list('all', 1000, Date.now()).filter(({ summary }) => summary.excerpt.includes(marker));
}

function approve(ticket: string): void {
  assert.equal(tickets.decide(ticket, approval(), Date.now()).kind, 'recorded');
}

async function ticketOf(marker: string): Promise<string> {
  await waitUntil(`a ticket for ${marker}`, async () => ticketsOf(marker).length > 0);
  const found = ticketsOf(marker);
  assert.equal(found.length, 1);
  return found[0]?.ticket ?? '';
}

/** Requests with a text that arrived at Claude, with their bodies. */
function arrivals(marker: string): string[] {
  return gateway.fake.requests.map(({ body }) => String(body)).filter((body) => body.includes(marker));
}

test('a held request goes to Claude when it was approved, once and byte for byte', async () => {
  const answer = send(question('first'));
  const ticket = await ticketOf('first');
  assert.deepEqual(arrivals('first'), []);
  const approved = await cli('approve', ticket, '--reason', 'checked with the owner');
  assert.deepEqual([approved.status, approved.stderr], [0, '']);
  const by = ticketsOf('first')[0]?.events.flatMap((event) => (event.kind === 'approved' ? [event.by] : []));
  const persons = [{ issuer: 'https://idp.example', subject: 'operator' }];
  assert.deepEqual(by?.[0]?.kind === 'os' && by[0].persons, persons, 'who the account is by token is recorded too');
  const { status, exchangeId } = await answer;
  assert.equal(status, 200);
  assert.deepEqual(arrivals('first'), [question('first')]);
  const document = await gateway.document(exchangeId);
  assert.equal(document.skilltape.outcome, 'complete');
  assert.match(JSON.stringify(document.skilltape), /Approved by .* \(ticket t-/);
});

test('what whoever decides is shown holds no personal data', async () => {
  const { stdout } = await cli('approvals', await ticketOf('first'));
  assert.match(stdout, /first: write to \[EMAIL\]/);
  assert.doesNotMatch(stdout, /ada@/);
});

test('an SDK whose request is approved after it was told to come again gets its answer, by one ticket and one request', async () => {
  const client = new Anthropic({
    ...{ baseURL: gateway.url, apiKey: await gateway.token(), maxRetries: 4 },
    // Its retry would come after five minutes: the test cannot wait for that, and says that it is another client.
    ...{ fetch: gateway.fetch as never, defaultHeaders: { 'user-agent': 'test' } },
  });
  const waits: number[] = [];
  const fetch = gateway.fetch;
  const patient = client.withOptions({
    async fetch(input: unknown, init: unknown) {
      const response = (await fetch(input as never, init as never)) as Response;
      const after = response.headers.get('retry-after');
      if (after === null) return response as never;
      waits.push(Number(after));
      const headers = new Headers(response.headers);
      headers.set('retry-after-ms', '1');
      return new Response(await response.text(), { status: response.status, headers }) as never;
    },
  } as never);
  for (const stream of [false, true]) {
    const marker = `sdk ${stream}`;
    const messages = [{ role: 'user' as const, content: `${marker} ada@example.com` }];
    const params = { model: 'claude-opus-5-5', max_tokens: 64, messages };
    waits.length = 0;
    const message = stream ? patient.messages.stream(params).finalMessage() : patient.messages.create(params);
    const ticket = await ticketOf(marker);
    await waitUntil('the client was told to come again', () => waits.length > 0);
    approve(ticket);
    assert.equal((await message).role, 'assistant');
    assert.equal(waits[0], 50);
    assert.equal(arrivals(marker).length, 1);
    assert.equal(ticketsOf(marker).length, 1);
  }
});

test('a denied request is refused for good, with the reason, also when it is sent again', async () => {
  const answer = send(question('denied'));
  tickets.decide(await ticketOf('denied'), denial(), Date.now());
  for (const { status, headers, json } of [await answer, await send(question('denied'))]) {
    assert.equal(status, 403);
    assert.equal(headers.get('x-should-retry'), 'false');
    assert.equal(json.error.details.error_code, 'dlp_request_denied');
    assert.match(json.error.message, /not with production keys/);
  }
  assert.deepEqual(arrivals('denied'), []);
});

test('the same bytes of two people are two tickets', async () => {
  const answers = [send(question('two'), 'alice'), send(question('two'), 'bob')];
  await waitUntil('two tickets', async () => ticketsOf('two').length === 2);
  for (const { status } of await Promise.all(answers)) assert.equal(status, 429);
  assert.deepEqual(arrivals('two'), []);
});

test('an approved request that is sent once more, or with one byte changed, is held again', async () => {
  const answer = send(question('again'));
  approve(await ticketOf('again'));
  assert.equal((await answer).status, 200);
  assert.equal((await send(question('again'))).status, 429);
  assert.equal((await send(question('again').replace('64', '65'))).status, 429);
  assert.equal(arrivals('again').length, 1);
});

test('a client that leaves is recorded, and the approval serves its retry', async () => {
  const controller = new AbortController();
  const gone = send(question('leaves'), 'alice', controller.signal).catch(() => 'gone');
  const ticket = await ticketOf('leaves');
  controller.abort();
  assert.equal(await gone, 'gone');
  await waitUntil('it is seen that the client left', async () => {
    const [found] = ticketsOf('leaves');
    return found?.events.at(-1)?.kind === 'left';
  });
  approve(ticket);
  assert.equal((await send(question('leaves'))).status, 200);
  assert.equal(arrivals('leaves').length, 1);
});

test('nobody decides about a request of their own, nor who is not listed', async () => {
  const answer = send(question('own'));
  const ticket = await ticketOf('own');
  const [found] = ticketsOf('own');
  const { issuer = '', subject = '' } = found?.summary.person ?? {};
  letDecide(gateway.directory, { issuer, subject });
  const own = await cli('approve', ticket, '--reason', 'I know what I do');
  assert.equal(own.status, 3);
  assert.match(own.stderr, /request of your own/);
  letDecide(gateway.directory, { issuer: 'https://idp.example', subject: 'operator' });
  assert.equal((await cli('deny', ticket, '--reason', 'nobody else was there')).status, 0);
  assert.equal((await answer).status, 403);
});

test('a decision cannot be made twice, and needs a reason', async () => {
  const ticket = await ticketOf('denied');
  const late = await cli('approve', ticket, '--reason', 'it is needed after all');
  assert.equal(late.status, 3);
  assert.match(late.stderr, /cannot be decided any more: it is denied/);
  assert.equal((await cli('approve', ticket)).status, 2);
  assert.equal((await cli('deny', 't-none', '--reason', 'not this one, whatever it is')).status, 1);
  const { stdout } = await cli('looks', '--json');
  assert.ok(stdout.includes(`approve ${ticket}`));
});

test('the processor is killed while requests are held: none is forwarded, and their retries find their tickets', async () => {
  const count = 50;
  const bodies = Array.from({ length: count }, (_, at) => question(`kill-${at}-`));
  const waiting = bodies.map((body) => send(body).catch(() => null));
  await waitUntil('all are held', async () => ticketsOf('kill-').length === count);
  gateway.processor.process.kill('SIGKILL');
  for (const answer of await Promise.all(waiting)) assert.ok(answer === null || answer.status >= 500);
  await gateway.restartProcessor();
  assert.deepEqual(arrivals('kill-'), []);
  for (const { ticket } of ticketsOf('kill-')) approve(ticket);
  await Promise.all(bodies.map((body) => waitUntil('it is answered', async () => (await send(body)).status === 200)));
  assert.equal(ticketsOf('kill-').length, count);
  const sent = arrivals('kill-').map((body) => createHash('sha256').update(body).digest('hex'));
  assert.equal(new Set(sent).size, count);
  assert.equal(sent.length, count);
});
