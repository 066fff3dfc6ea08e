/** Exchanges as the journal has them, for the tests of reading, masking and shipping. */
import { readFileSync } from 'node:fs';
import type { HeaderList } from '../../../extproc/exchange/headers.ts';
import type { Identity } from '../../../extproc/exchange/identity.ts';
import type { Decided, Finished, Started } from '../../../extproc/exchange/record.ts';
import { keyedHashWith } from '../../../extproc/keyed-hash.ts';
import { Masker } from '../../../extproc/masking/masker.ts';
import { type MaskingDecision, usualMasking } from '../../../extproc/policy/masking-decision.ts';
import type { ExchangeDocument } from '../../../extproc/transcript/document.ts';
import { draftDocuments } from '../../../extproc/transcript/documents.ts';
import type { Drafted } from '../../../extproc/transcript/draft.ts';
import type { Reading } from '../../../extproc/transcript/reading.ts';
import { readTranscript } from '../../../extproc/transcript/reading.ts';
import type { Recall } from '../../../extproc/transcript/recall.ts';
import type { Transcript } from '../../../extproc/transcript/transcript.ts';
import { decodingLimits } from '../../builders/decoding.ts';

export const hashKey = new Uint8Array(32).fill(7);
export const keyedHash = keyedHashWith(hashKey);
export const masker = new Masker({ key: hashKey });

export const ada: Identity = {
  issuer: 'https://login.example.org',
  subject: 'u-ada',
  name: 'Ada Example',
  email: 'ada@example.org',
  groups: ['research'],
};

export const startedMs = Date.UTC(2026, 0, 15, 10);

export function exchangeIdOf(number: number): string {
  return `0190f5c0-0000-7000-8000-${String(number).padStart(12, '0')}`;
}

export function startedOf(overrides: Partial<Started> = {}): Started {
  return {
    connection: 'claude',
    identity: ada,
    authenticationFailure: null,
    method: 'POST',
    path: '/v1/messages',
    query: {},
    headers: [['user-agent', 'anthropic-sdk/1.0']],
    sourceAddress: '192.0.2.7',
    envoyRequestId: '6f1c1f6e-9f0e-4b1e-8f43-0c8b5d1f2a77',
    attemptOf: null,
    ...overrides,
  };
}

export function decidedOf(overrides: Partial<Decided> = {}): Decided {
  return {
    stage: 'request',
    verdict: 'allow',
    reasons: [],
    policyRevision: 'sha256:00',
    input: { version: 1 },
    session: { id: 's-1', source: 'container' },
    ...overrides,
  };
}

export function finishedOf(overrides: Partial<Finished> = {}): Finished {
  return { outcome: 'complete', detail: '', status: 200, localReply: '', ...overrides };
}

type Overrides = {
  id?: string;
  request?: unknown;
  requestBody?: Uint8Array;
  /** A message of the API, sent as JSON. */
  answer?: unknown;
  answerBody?: Uint8Array;
  answerHeaders?: HeaderList;
  answerStatus?: number;
  started?: Partial<Started>;
  decided?: Partial<Decided> | null;
  finished?: Partial<Finished>;
};

/** An allowed exchange with a JSON answer; what is overridden replaces that part. */
export function transcriptOf(overrides: Overrides = {}): Transcript {
  const { request = messagesRequest('What is a tape?'), answer = messageOf('A strip that records.') } = overrides;
  const { answerHeaders = [['content-type', 'application/json']], answerStatus = 200 } = overrides;
  const requestBody = overrides.requestBody ?? Buffer.from(JSON.stringify(request));
  const answerBody = overrides.answerBody ?? Buffer.from(JSON.stringify(answer));
  return {
    exchangeId: overrides.id ?? exchangeIdOf(1),
    startedMs,
    finishedMs: startedMs + 1_500,
    started: startedOf(overrides.started),
    decided: overrides.decided === null ? null : decidedOf(overrides.decided),
    requestBody,
    requestBytes: requestBody.length,
    answer: { status: answerStatus, headers: answerHeaders, codeDetails: 'via_upstream' },
    answerBody,
    answerBytes: answerBody.length,
    finished: finishedOf(overrides.finished),
  };
}

export function readingOf(transcript: Transcript): Promise<Reading> {
  return readTranscript(transcript, (bytes) => keyedHash('file', bytes), decodingLimits);
}

/** Of somebody who was never seen before. */
export const nothingRecalled: Recall = { seen: () => false, origin: () => null };

type DraftOptions = { keep?: 'full' | 'metadata'; masking?: MaskingDecision; recall?: Recall };

/** All documents of one exchange, its own first. */
export async function draftsOf(transcript: Transcript, options: DraftOptions = {}): Promise<Drafted[]> {
  const { keep = 'full', masking = usualMasking, recall = nothingRecalled } = options;
  const context = { keyedHash, recall, decision: { keep, retention_class: 'standard', masking } };
  return [...draftDocuments(transcript, await readingOf(transcript), context)];
}

export async function draftOf(transcript: Transcript, options: DraftOptions = {}): Promise<ExchangeDocument> {
  const [own] = await draftsOf(transcript, options);
  if (own === undefined) throw new Error('an exchange without a document');
  return own.draft;
}

export function messagesRequest(prompt: unknown, more: object = {}): object {
  return { model: 'claude-sonnet-4-5', max_tokens: 64, messages: [{ role: 'user', content: prompt }], ...more };
}

export function messageOf(text: string, more: object = {}): object {
  return {
    id: 'msg_1',
    type: 'message',
    role: 'assistant',
    model: 'claude-sonnet-4-5',
    content: [{ type: 'text', text }],
    stop_reason: 'end_turn',
    stop_sequence: null,
    usage: { input_tokens: 10, cache_read_input_tokens: 100, cache_creation_input_tokens: 1000, output_tokens: 5 },
    ...more,
  };
}

export const eventStream: HeaderList = [['content-type', 'text/event-stream; charset=utf-8']];

export function claudeFixture(name: string): Buffer {
  return readFileSync(new URL(`../../fixtures/claude/${name}`, import.meta.url));
}
