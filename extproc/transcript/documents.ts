/** Drafts the documents of one exchange: its own, and one for each prompt and each answer of a batch. */
import { filesProduced, filesReferenced } from '../claude/files.ts';
import type { JsonValue } from '../claude/json.ts';
import { skillListing, skillsUsed } from '../claude/skills-used.ts';
import { batchDocumentsMax, draftBatchRequests, draftBatchResults } from './batch-documents.ts';
import { fileNamed } from './carried.ts';
import type { DocumentFile, DocumentLink, ExchangeDocument } from './document.ts';
import type { DraftContext, Drafted, Setting } from './draft.ts';
import { frameOf, settingOf } from './draft.ts';
import { keptHashes, withoutDropped } from './dropped.ts';
import { fieldOf, textOf } from './gen-ai.ts';
import { eventThings, managedSessionId, newEvents } from './managed-session.ts';
import type { Reading } from './reading.ts';
import type { Thing } from './recall.ts';
import { slimmer } from './slim.ts';
import type { Transcript } from './transcript.ts';
import type { NewTurns } from './turns.ts';
import { newTurns } from './turns.ts';

/**
 * One by one, so that what a draft brings can be remembered before the next is made: the entries of a batch often
 * share a system prompt, which is new only once.
 */
export function* draftDocuments(
  transcript: Transcript,
  reading: Reading,
  context: DraftContext,
): Generator<Drafted, void, void> {
  const setting = settingOf(transcript, reading.request);
  const frame = frameOf(transcript, reading, setting, context);
  const batchId = batchIdOf(setting, transcript, reading);
  yield draftExchange({ transcript, reading, setting, frame, batchId, context });
  yield* draftBatchRequests(frame, reading, batchId, context);
  yield* draftBatchResults(frame, reading, batchId, context);
}

/** It went to Claude, and the client will send it again by itself. */
function isUnanswered({ decided }: Transcript, { message, ended }: Reading): boolean {
  return decided?.verdict === 'allow' && (message === null || ended === false);
}

type Parts = {
  transcript: Transcript;
  reading: Reading;
  setting: Setting;
  frame: ExchangeDocument;
  batchId: string;
  context: DraftContext;
};

function draftExchange({ transcript, reading, setting, frame, batchId, context }: Parts): Drafted {
  const { exchangeId } = transcript;
  const { keyedHash, recall, decision } = context;
  const prompt = { ...reading, session: setting.session.id, isUnanswered: isUnanswered(transcript, reading) };
  const turns = newTurns(prompt, keyedHash, (hash) => recall.seen(hash, exchangeId));
  const messages = reading.request?.messages.slice(turns.firstNew) ?? [];
  const managed = managedSessionId(setting, transcript, reading);
  const events = newEvents(reading, managed, keyedHash, recall, exchangeId);
  const files = filesOf(setting, transcript, reading, messages);
  const draft: ExchangeDocument = {
    ...frame,
    skilltape: {
      ...frame.skilltape,
      skill: skillsUsed({ request: reading.request, newTurns: messages, message: reading.message }),
      skill_offered: skillListing(messages),
      file: files,
      link: linksOf({ transcript, frame, files, batchId, context }),
      truncated: reading.truncated || Math.max(reading.batch.length, reading.results.length) > batchDocumentsMax,
      batch: batchPartOf(batchId, reading),
      history: { message_count: turns.firstNew, prefix_hash: turns.prefixHash },
      ...(decision.keep === 'full' ? contentOf({ reading, turns, messages, events, context }) : {}),
    },
  };
  const isKept = decision.keep === 'full' && setting.noise === null;
  return {
    draft,
    brought: {
      // What was not indexed as text, or only as noise, is new when it comes as a prompt.
      turnHashes: isKept ? keptHashes(turns, decision) : [],
      things: [
        ...thingsOf(reading, files, frame),
        ...(isKept ? eventThings(reading, events, managed, keyedHash) : []),
        ...(setting.endpoint.name === 'sessions.create' && managed !== '' ? [managedThing(managed)] : []),
        ...(batchId === '' || reading.batch.length === 0 ? [] : [{ kind: 'batch', ids: [batchId] } as const]),
      ],
    },
  };
}

function contentOf(parts: {
  reading: Reading;
  turns: NewTurns;
  messages: NonNullable<Reading['request']>['messages'];
  events: Reading['events'];
  context: DraftContext;
}): Pick<ExchangeDocument['skilltape'], 'system' | 'tools' | 'new_messages' | 'answer' | 'error'> {
  const { reading, turns, messages, events, context } = parts;
  const slim = slimmer(context);
  return withoutDropped(context.decision, {
    system: turns.systemIsNew ? slim(reading.request?.system ?? null) : null,
    tools: turns.toolsAreNew ? (reading.request?.tools ?? null) : null,
    new_messages: [
      ...messages.map(({ role, content, rest }) => ({ ...rest, role, content: slim(content) })),
      ...reading.sent.map(({ role, content }) => ({ role, content: slim(content) })),
    ],
    answer: slim(answerOf(reading, events)),
    error: reading.error,
  });
}

function answerOf({ message, downloaded, other, events: all }: Reading, events: Reading['events']): JsonValue {
  if (message !== null) return message;
  if (all.length > 0)
    return { type: 'session_events', content: events.map(({ type, content }) => ({ type, content })) };
  return downloaded.length > 0 ? { type: 'files', content: [...downloaded] } : other;
}

function filesOf(
  { endpoint }: Setting,
  { started }: Transcript,
  reading: Reading,
  messages: NonNullable<Reading['request']>['messages'],
): DocumentFile[] {
  // The id of an upload is in its answer, that of a download in its path.
  const id = endpoint.kind === 'files' ? (pathId(started.path) ?? textOf(fieldOf(reading.other, 'id'))) : '';
  const carried = reading.files.map((file) => (file.id === '' && reading.files.length === 1 ? { ...file, id } : file));
  const isNamedByPath = carried.length === 0 && id !== '' && endpoint.name !== 'files.list';
  return [
    ...carried,
    ...(isNamedByPath ? [fileNamed(id, 'referenced')] : []),
    ...filesReferenced(messages).map((fileId) => fileNamed(fileId, 'referenced')),
    ...filesProduced(reading.message).map((fileId) => fileNamed(fileId, 'produced')),
  ];
}

function linksOf(parts: {
  transcript: Transcript;
  frame: ExchangeDocument;
  files: readonly DocumentFile[];
  batchId: string;
  context: DraftContext;
}): DocumentLink[] {
  const { transcript, frame, files, batchId, context } = parts;
  const { exchangeId, started } = transcript;
  const to = (via: DocumentLink['via'], thing: Thing): DocumentLink[] => {
    const origin = context.recall.origin(thing, exchangeId);
    return origin === null ? [] : [{ event_id: origin.eventId, via }];
  };
  const asked = files.filter(({ id, role }) => id !== '' && (role === 'downloaded' || role === 'referenced'));
  const links = [
    ...(started.attemptOf === null ? [] : [{ event_id: started.attemptOf, via: 'attempt' } as const]),
    ...(transcript.requestBytes === 0 ? [] : to('repeat', requestThing(frame))),
    ...asked.flatMap(({ id }) => to('file', { kind: 'file', ids: [id] })),
    ...(batchId === '' ? [] : to('batch', { kind: 'batch', ids: [batchId] })),
  ];
  const distinct = new Map(links.map((link) => [`${link.via} ${link.event_id}`, link]));
  return [...distinct.values()];
}

function thingsOf(reading: Reading, files: readonly DocumentFile[], frame: ExchangeDocument): Thing[] {
  const { message } = reading;
  const container = textOf(fieldOf(message?.container ?? null, 'id'));
  const messageId = textOf(message?.id);
  const made = files.filter(({ id, role }) => id !== '' && (role === 'produced' || role === 'uploaded'));
  return [
    ...(messageId === '' ? [] : [{ kind: 'message', ids: [messageId] } as const]),
    ...(container === '' ? [] : [{ kind: 'container', ids: [container] } as const]),
    ...made.map(({ id }) => ({ kind: 'file', ids: [id] }) as const),
    ...(frame.http.request.body.bytes === 0 ? [] : [requestThing(frame)]),
  ];
}

function batchIdOf({ endpoint }: Setting, { started }: Transcript, { other }: Reading): string {
  if (endpoint.kind !== 'batches' || endpoint.name === 'batches.list') return '';
  return started.path.split('/')[4] ?? textOf(fieldOf(other, 'id'));
}

/** Of one that was refused there is no id, but its prompts stand under it all the same. */
function batchPartOf(id: string, { batch, results }: Reading): ExchangeDocument['skilltape']['batch'] {
  const size = batch.length > 0 ? batch.length : results.length > 0 ? results.length : null;
  return id === '' && size === null ? null : { id, custom_id: '', size };
}

function requestThing(frame: ExchangeDocument): Thing {
  return { kind: 'request', ids: [frame.skilltape.request_hash] };
}

function managedThing(id: string): Thing {
  return { kind: 'managed_session', ids: [id] };
}

/** The identifier in `/v1/files/{id}`. */
function pathId(path: string): string | undefined {
  return path.split('/')[3];
}
