/** The legacy POST /v1/complete, which only the older SDK line still calls. */
import { type Call, jsonBody, ok } from './call.ts';
import { frame, textPieces } from './message-stream.ts';
import { InvalidRequest, property } from './messages-request.ts';
import { type Reply, streamReply } from './reply.ts';

const HUMAN = '\n\nHuman:';
const ASSISTANT = '\n\nAssistant:';
const QUOTED_CHARACTERS = 2_000;

/** Whole, or in `completion` events of which only the last has a reason to stop. */
export async function createCompletion(call: Call): Promise<Reply> {
  const body = await jsonBody(call);
  const prompt = property(body, 'prompt');
  if (typeof prompt !== 'string') throw new InvalidRequest('prompt: Field required');
  const model = property(body, 'model') ?? 'claude-2.1';
  const head = { type: 'completion', id: `compl_01Fake${call.ids.serial}`, model };
  const completion = ` You wrote: "${lastQuestion(prompt).toWellFormed()}" I am only a fake, but I am glad to help.`;
  const end = { stop_reason: 'stop_sequence', stop: HUMAN, log_id: call.ids.requestId };
  if (property(body, 'stream') !== true) return ok({ ...head, completion, ...end });
  const going = { stop_reason: null, stop: null, log_id: call.ids.requestId };
  const pieces = textPieces(completion).map((piece) => frame({ ...head, completion: piece, ...going }));
  return streamReply([...pieces, frame({ type: 'ping' }), frame({ ...head, completion: '', ...end })]);
}

function lastQuestion(prompt: string): string {
  const start = prompt.lastIndexOf(HUMAN);
  const question = start < 0 ? prompt : prompt.slice(start + HUMAN.length);
  const end = question.indexOf(ASSISTANT);
  return (end < 0 ? question : question.slice(0, end)).trim().slice(0, QUOTED_CHARACTERS);
}
