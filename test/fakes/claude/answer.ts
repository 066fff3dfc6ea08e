/** Turns a request to POST /v1/messages and the behaviour chosen for it into the answer to send. */
import type { Answer } from './behaviour.ts';
import { fixtureReply } from './fixtures.ts';
import { type ContentBlock, composeMessage, frame, messageFrames, messageJson } from './message.ts';
import type { MessagesRequest } from './messages-request.ts';
import { cutBody, errorEvent, errorReply, jsonReply, type Reply, streamReply } from './reply.ts';
import { fakeToolInput } from './tool-input.ts';

/** Ids of one exchange: `serial` counts the requests, so the same run gives the same ids. */
export type ExchangeIds = { readonly requestId: string; readonly serial: string };

const QUOTED_CHARACTERS = 2_000;
const FILLER = 'All work and no play makes a long answer. ';

export async function prepareAnswer(request: MessagesRequest, answer: Answer, ids: ExchangeIds): Promise<Reply> {
  switch (answer.kind) {
    case 'default':
      if (request.namesSkills) return fixture(request.stream ? 'e_skills_stream' : 'e_skills_response', ids);
      return compose(request, ids, [{ type: 'text', text: politeEcho(request.lastUserText) }]);
    case 'text':
      return compose(request, ids, [{ type: 'text', text: answer.text }]);
    case 'large':
      return compose(request, ids, [{ type: 'text', text: filler(answer.textBytes) }]);
    case 'tool_use':
      return compose(request, ids, toolCall(request, answer.toolName, ids));
    case 'fixture':
      return fixture(answer.name, ids);
    case 'error':
      return errorReply(ids.requestId, answer.status, answer.message, answer.headers);
    case 'midstream_error':
      return midstreamError(request, ids);
    case 'raw':
      return { status: answer.status, headers: answer.headers, pieces: cutBody(Buffer.from(answer.body)) };
  }
}

function compose(request: MessagesRequest, ids: ExchangeIds, content: readonly ContentBlock[]): Reply {
  const message = composeMessage(request, `msg_01Fake${ids.serial}`, content);
  return request.stream ? streamReply(messageFrames(message)) : jsonReply(200, messageJson(message));
}

async function fixture(name: string, ids: ExchangeIds): Promise<Reply> {
  return (await fixtureReply(name)) ?? errorReply(ids.requestId, 400, `the fake has no fixture of the name ${name}`);
}

function politeEcho(text: string): string {
  if (text.trim() === '') return 'Thank you, I have received that. What shall we do next?';
  const quoted = text.length > QUOTED_CHARACTERS ? `${text.slice(0, QUOTED_CHARACTERS)}…` : text;
  return `Thank you for asking. You wrote: "${quoted.toWellFormed()}" I am only a fake, but I am glad to help.`;
}

function filler(textBytes: number): string {
  return FILLER.repeat(Math.ceil(textBytes / FILLER.length)).slice(0, textBytes);
}

function toolCall(request: MessagesRequest, toolName: string | undefined, ids: ExchangeIds): ContentBlock[] {
  const tool = request.tools.find(({ name }) => toolName === undefined || name === toolName);
  if (tool === undefined) return [{ type: 'text', text: `I was given no tool ${toolName ?? 'that I could call'}.` }];
  return [
    { type: 'text', text: `Let me use ${tool.name}.` },
    { type: 'tool_use', id: `toolu_01Fake${ids.serial}`, name: tool.name, input: fakeToolInput(tool.inputSchema) },
  ];
}

function midstreamError(request: MessagesRequest, ids: ExchangeIds): Reply {
  if (!request.stream) return errorReply(ids.requestId, 529);
  const message = composeMessage(request, `msg_01Fake${ids.serial}`, [
    { type: 'text', text: 'This answer will not come to its end.' },
  ]);
  const frames = messageFrames(message);
  const broken = frame({ ...errorEvent(529), request_id: ids.requestId });
  return streamReply([...frames.slice(0, Math.ceil(frames.length / 2)), broken]);
}
