/** One document for each prompt of a batch and for each answer to one, so that each is found by itself. */
import type { BatchEntry } from '../claude/batch.ts';
import type { BatchResult } from '../claude/batch-results.ts';
import { filesProduced, filesReferenced } from '../claude/files.ts';
import { skillsUsed } from '../claude/skills-used.ts';
import type { Outcome } from '../exchange/outcome.ts';
import { fileNamed } from './carried.ts';
import { notCoded } from './coded-body.ts';
import type { ExchangeDocument } from './document.ts';
import type { DraftContext, Drafted } from './draft.ts';
import { keptHashes, withoutDropped } from './dropped.ts';
import { billedOf, genAiOf } from './gen-ai.ts';
import type { Reading } from './reading.ts';
import type { Thing } from './recall.ts';
import { slimmer } from './slim.ts';
import { newTurns } from './turns.ts';

/** Of a larger batch the rest stays in the sealed record, and the exchange's own document says `truncated`. */
export const batchDocumentsMax = 10_000;

/** The answers of a batch come later, and its prompts are not retried one by one. */
const unanswerable = { message: null, session: '', isUnanswered: false };

const noAgent = { promptId: null, requestClass: null, agentId: null, agentType: null, parentAgentId: null };

export function* draftBatchRequests(
  frame: ExchangeDocument,
  { batch }: Reading,
  batchId: string,
  context: DraftContext,
): Generator<Drafted, void, void> {
  for (const [at, entry] of batch.slice(0, batchDocumentsMax).entries()) {
    yield draftRequest(childOf(frame, 'batch_request', at, batchId, entry.customId), entry, batchId, context);
  }
}

function draftRequest(
  child: ExchangeDocument,
  { customId, request }: BatchEntry,
  batchId: string,
  context: DraftContext,
): Drafted {
  const { keyedHash, recall, decision } = context;
  const turns = newTurns({ ...unanswerable, request }, keyedHash, (hash) => recall.seen(hash, child.event.id));
  const messages = request.messages.slice(turns.firstNew);
  const slim = slimmer(context);
  const content = withoutDropped(decision, {
    system: turns.systemIsNew ? slim(request.system) : null,
    tools: turns.toolsAreNew ? request.tools : null,
    new_messages: messages.map(({ role, content, rest }) => ({ ...rest, role, content: slim(content) })),
  });
  const draft: ExchangeDocument = {
    ...child,
    gen_ai: { ...child.gen_ai, ...requested(child, request) },
    skilltape: {
      ...child.skilltape,
      skill: skillsUsed({ request, newTurns: messages, message: null }),
      file: filesReferenced(messages).map((id) => fileNamed(id, 'referenced')),
      history: { message_count: turns.firstNew, prefix_hash: turns.prefixHash },
      ...(decision.keep === 'full' ? content : {}),
    },
  };
  const things: Thing[] = batchId === '' ? [] : [{ kind: 'batch_request', ids: [batchId, customId] }];
  return { draft, brought: { turnHashes: decision.keep === 'full' ? keptHashes(turns, decision) : [], things } };
}

function requested(child: ExchangeDocument, request: BatchEntry['request']) {
  const conversation = child.gen_ai.conversation.id;
  return genAiOf({ operation: 'chat', conversation, request, message: null, agent: noAgent });
}

/** Results can be fetched again and again: each is indexed and counted once. */
export function* draftBatchResults(
  frame: ExchangeDocument,
  { results }: Reading,
  batchId: string,
  context: DraftContext,
): Generator<Drafted, void, void> {
  for (const [at, result] of results.slice(0, batchDocumentsMax).entries()) {
    const child = childOf(frame, 'batch_result', at, batchId, result.customId);
    const thing: Thing = { kind: 'batch_result', ids: [batchId, result.customId] };
    if (context.recall.origin(thing, child.event.id) === null) yield draftResult(child, result, thing, context);
  }
}

function draftResult(child: ExchangeDocument, result: BatchResult, thing: Thing, context: DraftContext): Drafted {
  const { message, error } = result;
  const prompt = context.recall.origin({ kind: 'batch_request', ids: thing.ids }, child.event.id);
  const session = prompt === null ? child.skilltape.session : { id: prompt.session, source: 'batch' };
  const outcome: Outcome = result.type === 'succeeded' ? 'complete' : 'upstream_error';
  const produced = filesProduced(message);
  const draft: ExchangeDocument = {
    ...child,
    event: { ...child.event, outcome: outcome === 'complete' ? 'success' : 'failure' },
    gen_ai: genAiOf({ operation: 'chat', conversation: session.id, request: null, message, agent: noAgent }),
    skilltape: {
      ...child.skilltape,
      outcome,
      outcome_detail: outcome === 'complete' ? '' : result.type,
      session,
      skill: skillsUsed({ request: null, newTurns: [], message }),
      file: produced.map((id) => fileNamed(id, 'produced')),
      link: prompt === null ? [] : [{ event_id: prompt.eventId, via: 'batch' }],
      usage: billedOf(message),
      ...(context.decision.keep === 'full'
        ? withoutDropped(context.decision, { answer: slimmer(context)(message), error })
        : {}),
    },
  };
  const files = produced.map((id): Thing => ({ kind: 'file', ids: [id] }));
  return { draft, brought: { turnHashes: [], things: [thing, ...files] } };
}

/** The exchange's frame under an id of its own. Sizes and time stay with the exchange: sums must not count them twice. */
function childOf(
  frame: ExchangeDocument,
  action: 'batch_request' | 'batch_result',
  at: number,
  batchId: string,
  customId: string,
): ExchangeDocument {
  const { http, skilltape } = frame;
  return {
    ...frame,
    event: { ...frame.event, id: `${frame.event.id}.${at + 1}`, action, duration: 0 },
    http: {
      request: { ...http.request, body: { bytes: 0 } },
      response: { ...http.response, body: { bytes: 0 } },
    },
    skilltape: {
      ...skilltape,
      noise: null,
      body: { request: notCoded, answer: notCoded },
      batch: { id: batchId, custom_id: customId, size: null },
    },
  };
}
