/** The Message Batches API. */
import { ApiError, notFound } from '../api-error.ts';
import { type Call, jsonBody, ok, param } from '../call.ts';
import { InvalidRequest, property } from '../messages-request.ts';
import { binaryReply, type Reply } from '../reply.ts';
import { pageById } from '../storage/paging.ts';
import { type AnsweredRequest, answerRequest } from './batch-results.ts';
import type { StoredBatch } from './batch-store.ts';

const REQUESTS_MAX = 100_000;
const RESULTS_BYTES_MAX = 128 * 1024 * 1024;

export async function createBatch(call: Call): Promise<Reply> {
  const requests = property(await jsonBody(call), 'requests');
  if (!Array.isArray(requests) || requests.length === 0) throw new InvalidRequest('requests: at least one is required');
  if (requests.length > REQUESTS_MAX) throw new ApiError(413, `requests: at most ${REQUESTS_MAX}`);
  checkCustomIds(requests);
  const answered: AnsweredRequest[] = [];
  let bytes = 0;
  for (const [index, request] of requests.entries()) {
    const each = await answerRequest(request, index, call);
    bytes += each.line.json.length;
    if (bytes > RESULTS_BYTES_MAX) throw new ApiError(413, 'The results would be too large for the fake.');
    answered.push(each);
  }
  const polls = answered.map(({ directives }) => directives.batchPolls ?? 0);
  const batch = call.resources.batches.add({
    pollsLeft: polls.reduce((most, each) => Math.max(most, each), 0),
    lines: answered.map(({ line }) => line),
    isReversed: answered.some(({ directives }) => directives.batchReversed === true),
  });
  return show(call, batch);
}

export function listBatches(call: Call): Reply {
  const { data, ...ends } = pageById(call.resources.batches.list(), call.query);
  return ok({ data: data.map((batch) => call.resources.batches.json(batch)), ...ends });
}

export function getBatch(call: Call): Reply {
  return show(call, call.resources.batches.poll(find(call)));
}

export function cancelBatch(call: Call): Reply {
  return show(call, call.resources.batches.cancel(find(call)));
}

export function deleteBatch(call: Call): Reply {
  const batch = find(call);
  call.resources.batches.delete(batch);
  return ok({ id: batch.id, type: 'message_batch_deleted' });
}

/** One JSON object per line. */
export function batchResults(call: Call): Reply {
  const { id, status, lines, isReversed } = find(call);
  if (status !== 'ended') throw new ApiError(404, `batch ${id} has no results yet`);
  const ordered = isReversed ? lines.toReversed() : lines;
  const text = ordered.map(({ json }) => `${json}\n`).join('');
  return binaryReply(Buffer.from(text), 'application/x-jsonl');
}

function find(call: Call): StoredBatch {
  const id = param(call, 'batch_id');
  const batch = call.resources.batches.get(id);
  if (batch === undefined) throw notFound(`batch ${id}`);
  return batch;
}

function show(call: Call, batch: StoredBatch): Reply {
  return ok(call.resources.batches.json(batch));
}

function checkCustomIds(requests: readonly unknown[]): void {
  const seen = new Set<string>();
  for (const request of requests) {
    const customId = property(request, 'custom_id');
    if (typeof customId !== 'string' || !/^[a-zA-Z0-9_-]{1,64}$/.test(customId)) {
      throw new InvalidRequest('requests: every custom_id needs 1 to 64 letters, digits, _ or -');
    }
    if (seen.has(customId)) throw new InvalidRequest(`requests: custom_id ${customId} is there twice`);
    seen.add(customId);
  }
}
