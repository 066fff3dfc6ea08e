/** Answers the requests of a batch one by one, each like POST /v1/messages would. */
import { type AnswerContext, composeAnswer } from '../answer.ts';
import { ApiError } from '../api-error.ts';
import { type BatchResult, type Directives, readDirectives, UnknownDirective } from '../directives.ts';
import { messageJson } from '../message.ts';
import { InvalidRequest, property, readMessagesRequest } from '../messages-request.ts';
import { errorEvent, type Reply } from '../reply.ts';

/** One line of the results; `json` is the line itself. */
export type BatchLine = { readonly customId: string; readonly result: BatchResult; readonly json: string };

export type AnsweredRequest = { readonly line: BatchLine; readonly directives: Directives };

export async function answerRequest(request: unknown, index: number, context: AnswerContext): Promise<AnsweredRequest> {
  const customId = String(property(request, 'custom_id'));
  const line = (result: Readonly<Record<string, unknown>> & { readonly type: BatchResult }): BatchLine => {
    return { customId, result: result.type, json: JSON.stringify({ custom_id: customId, result }) };
  };
  const ids = { ...context.ids, serial: `${context.ids.serial}${String(index).padStart(6, '0')}` };
  const fail = (error: unknown) => line({ type: 'errored', error });
  try {
    const message = readMessagesRequest(property(request, 'params'));
    const directives = readDirectives(message.lastUserText);
    const kind = directives.batchResult ?? 'succeeded';
    if (kind === 'errored') return { line: fail(withRequestId(errorEvent(500), ids.requestId)), directives };
    if (kind !== 'succeeded') return { line: line({ type: kind }), directives };
    const wanted = { answer: { kind: 'default' }, producedFileBytes: undefined, stopReason: undefined } as const;
    const answered = await composeAnswer(
      { ...message, stream: false },
      { ...wanted, ...directives },
      { ...context, ids },
    );
    if (answered.kind === 'message') {
      const json = messageJson({ ...answered.message, serviceTier: 'batch' });
      return { line: line({ type: 'succeeded', message: json }), directives };
    }
    return { line: fromReply(answered.reply, line), directives };
  } catch (error) {
    if (!(error instanceof InvalidRequest || error instanceof UnknownDirective || error instanceof ApiError))
      throw error;
    const status = error instanceof ApiError ? error.status : 400;
    return { line: fail(withRequestId(errorEvent(status, error.message), ids.requestId)), directives: {} };
  }
}

/** A fixture or a chosen error: a message stays one, everything else is an error. */
function fromReply(
  reply: Reply,
  line: (result: Readonly<Record<string, unknown>> & { readonly type: BatchResult }) => BatchLine,
): BatchLine {
  const body = parse(Buffer.concat(reply.pieces).toString('utf8'));
  if (reply.status === 200 && property(body, 'type') === 'message') {
    const usage = { ...Object(property(body, 'usage')), service_tier: 'batch' };
    return line({ type: 'succeeded', message: { ...Object(body), usage } });
  }
  return line({ type: 'errored', error: property(body, 'type') === 'error' ? body : errorEvent(500) });
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function withRequestId(event: Readonly<Record<string, unknown>>, requestId: string) {
  return { ...event, request_id: requestId };
}
