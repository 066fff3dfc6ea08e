import assert from 'node:assert/strict';
import type { ExchangeDocument } from '../../extproc/transcript/document.ts';
import { messagesBody } from '../builders/messages-body.ts';
import type { PlainAnswer, TestGateway } from './gateway.ts';
import type { JournalEntry } from './journal-view.ts';
import { findInJournal } from './journal-view.ts';
import type { RawCall } from './raw-call.ts';
import { openCall } from './raw-call.ts';
import { waitUntil } from './wait.ts';

/** Half an upload, of which the processor has written down what came; `finish` sends the rest. */
export async function openHalfUpload(
  gateway: TestGateway,
  marker: string,
  headers: Record<string, string>,
): Promise<RawCall & { finish(): void }> {
  const body = messagesBody(`${marker} then the rest of it`);
  const half = body.indexOf(marker) + marker.length;
  const call = openCall(gateway, { headers: { ...headers, 'content-length': body.length } });
  call.write(body.slice(0, half));
  await inJournal(gateway, marker, () => true);
  return { ...call, finish: () => call.end(body.slice(half)) };
}

/** An event stream that goes on for half a minute, of which the caller has the first events. */
export async function openSlowStream(
  gateway: TestGateway,
  marker: string,
  headers: Record<string, string>,
): Promise<RawCall> {
  const call = openCall(gateway, { headers });
  call.end(messagesBody(`[fake: large 9000] [fake: slow 50] ${marker}`, { stream: true }));
  assert.equal((await call.head).status, 200);
  await waitUntil('the first events', () => call.received().includes('content_block_delta'));
  return call;
}

/** Sends requests until one is answered; what came before it was refused. */
export function servedAgain(gateway: TestGateway, headers: Record<string, string>): Promise<PlainAnswer> {
  return waitUntil('an answered request', async () => {
    // Envoy may end a connection with a processor that died, just as a request is sent on it.
    const answer = await gateway.post(messagesBody('again'), headers).catch(endedConnection);
    if (answer === null) return false;
    if (answer.status !== 503) assert.equal(answer.status, 200);
    return answer.status === 200 && answer;
  });
}

function endedConnection(thrown: unknown): null {
  const cause = thrown instanceof TypeError ? thrown.cause : undefined;
  if (cause instanceof Error && 'code' in cause && cause.code === 'UND_ERR_SOCKET') return null;
  throw thrown;
}

/** Waits for the exchange whose request holds `marker` to be in the journal, in the state that `check` asks for. */
export function inJournal(
  gateway: { dataDirectory: string },
  marker: string,
  check: (entry: JournalEntry) => boolean,
): Promise<JournalEntry> {
  return waitUntil(`${marker} in the journal`, async () => {
    const entry = await findInJournal(gateway.dataDirectory, marker);
    return entry !== undefined && check(entry) && entry;
  });
}

const indexingMaxMs = 120_000;

/** The exchange as it is in the index, where much may have to be shipped before it. */
export function indexedBehindMuch(gateway: TestGateway, exchangeId: string | undefined): Promise<ExchangeDocument> {
  const document = () => gateway.document(exchangeId).catch(() => false as const);
  return waitUntil(`the exchange ${exchangeId} in the index`, document, indexingMaxMs);
}

/** An error as Claude's clients read it; returns its message. */
export function claudeError(body: Buffer, contentType: string | null | undefined, types: readonly string[]): string {
  assert.match(contentType ?? '', /^application\/json/);
  const parsed = JSON.parse(body.toString()) as {
    type?: unknown;
    error?: { type?: string; message?: string };
    request_id?: unknown;
  };
  assert.equal(parsed.type, 'error');
  assert.ok(types.includes(parsed.error?.type ?? ''), `error type ${parsed.error?.type}`);
  assert.ok(typeof parsed.request_id === 'string' && parsed.request_id !== '');
  const message = parsed.error?.message ?? '';
  assert.notEqual(message, '');
  return message;
}
