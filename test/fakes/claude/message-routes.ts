/** POST /v1/messages, with the behaviour that its prompt or a script asks for, and count_tokens. */
import { composeAnswer, messageReply } from './answer.ts';
import type { Behaviour } from './behaviour.ts';
import { type Call, jsonBody, ok } from './call.ts';
import { readDirectives } from './directives.ts';
import { type MessagesRequest, readMessagesRequest, skimMessagesRequest } from './messages-request.ts';
import type { Reply } from './reply.ts';

export type DirectedReply = { readonly reply: Reply; readonly behaviour: Behaviour };

/** A script step takes the place of the directives in the prompt. */
export async function createMessage(
  call: Call,
  usual: Behaviour,
  step: Partial<Behaviour> | undefined,
): Promise<DirectedReply> {
  const { body, request } = await readRequest(call);
  const behaviour = { ...usual, ...(step ?? readDirectives(request.lastUserText)) };
  const answered = await composeAnswer(request, behaviour, call);
  if (answered.kind === 'reply') return { reply: answered.reply, behaviour };
  call.resources.threads.hold(body, answered.message);
  return { reply: messageReply(answered.message, request.stream), behaviour };
}

export async function countMessageTokens(call: Call): Promise<Reply> {
  const { request } = await readRequest(call);
  return ok({ input_tokens: request.inputTokens });
}

async function readRequest(call: Call): Promise<{ readonly body: unknown; readonly request: MessagesRequest }> {
  const { body } = call;
  if (body.whole === undefined) return { body: undefined, request: skimMessagesRequest(body.ends, body.bytes) };
  const resolved = call.resources.threads.resolve(await jsonBody(call), call.betas);
  return { body: resolved, request: readMessagesRequest(resolved) };
}
