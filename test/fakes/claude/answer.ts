/** Turns a request for a message and the behaviour chosen for it into a message, or into another answer to send. */
import { type PartContext, politeEcho } from './answers/part-context.ts';
import { callClientTool, makePart, type PartName, resumeTurn } from './answers/parts.ts';
import type { Behaviour } from './behaviour.ts';
import type { ExchangeIds } from './call.ts';
import { fixtureReply } from './fixtures.ts';
import { type Container, composeMessage, type Message, type MessageParts, messageJson, textBlock } from './message.ts';
import { frame, messageFrames } from './message-stream.ts';
import type { MessagesRequest } from './messages-request.ts';
import { cutBody, errorEvent, errorReply, jsonReply, type Reply, streamReply } from './reply.ts';
import type { Resources } from './resources.ts';

export type AnswerContext = {
  readonly ids: ExchangeIds;
  readonly resources: Resources;
  readonly isBeta: boolean;
};

export type Answered =
  | { readonly kind: 'message'; readonly message: Message }
  /** An error, a fixture, raw bytes or a broken stream. */
  | { readonly kind: 'reply'; readonly reply: Reply };

/** The part of a behaviour that says what is answered. */
export type Wanted = Pick<Behaviour, 'answer' | 'producedFileBytes' | 'stopReason'>;

const FILLER = 'All work and no play makes a long answer. ';
const CONTAINER_EXPIRES_AT = '2026-11-22T13:30:00Z';

export async function composeAnswer(
  request: MessagesRequest,
  wanted: Wanted,
  context: AnswerContext,
): Promise<Answered> {
  const { answer } = wanted;
  const { ids } = context;
  const making = partContext(request, wanted, context);
  const say = (parts: Omit<MessageParts, 'id'>): Answered => {
    const container = containerOf(request, context);
    const stop = wanted.stopReason === undefined ? {} : { stopReason: wanted.stopReason };
    const base = { id: `msg_01Fake${ids.serial}`, container, isBeta: context.isBeta };
    return { kind: 'message', message: composeMessage(request, { ...base, ...parts, ...stop }) };
  };
  switch (answer.kind) {
    case 'default': {
      if (request.pendingTool !== undefined) return say(joinParts(['pause_turn'], making));
      if (request.skills.length === 0) return say({ content: [textBlock(politeEcho(request))] });
      return other(await fixture(request.stream ? 'e_skills_stream' : 'e_skills_response', ids));
    }
    case 'text':
      return say({ content: [textBlock(answer.text)] });
    case 'large':
      return say({ content: [textBlock(filler(answer.textBytes))] });
    case 'tool_use': {
      const { toolName } = answer;
      const tool = request.tools.find(({ name }) => toolName === undefined || name === toolName);
      return say({ content: callClientTool(tool, toolName, making) });
    }
    case 'parts':
      return say(joinParts(answer.parts, making));
    case 'fixture':
      return other(await fixture(answer.name, ids));
    case 'error':
      return other(errorReply(ids.requestId, answer.status, answer.message, answer.headers, answer.details));
    case 'midstream_error':
      return other(midstreamError(request, ids));
    case 'raw': {
      const { status, headers, body } = answer;
      return other({ status, headers, pieces: cutBody(Buffer.from(body)) });
    }
  }
}

export function messageReply(message: Message, stream: boolean): Reply {
  return stream ? streamReply(messageFrames(message)) : jsonReply(200, JSON.stringify(messageJson(message)));
}

function other(reply: Reply): Answered {
  return { kind: 'reply', reply };
}

function partContext(request: MessagesRequest, wanted: Wanted, context: AnswerContext): PartContext {
  let blocks = 0;
  const blockId = (prefix: string) => {
    blocks += 1;
    return `${prefix}Fake${context.ids.serial}${String(blocks).padStart(2, '0')}`;
  };
  return { ...context, request, producedFileBytes: wanted.producedFileBytes, blockId };
}

/** The parts in their order; a paused turn is taken up where it stopped, whatever was asked for. */
function joinParts(names: readonly PartName[], context: PartContext): Omit<MessageParts, 'id'> {
  const resumed = resumeTurn(context);
  const parts = resumed === undefined ? names.map((name) => makePart(name, context)) : [resumed];
  const content = parts.flatMap((part) => part.content);
  const runsCode = parts.some((part) => part.runsCode === true);
  const stopping = parts.findLast(({ stopReason }) => stopReason !== undefined);
  const thinkingTokens = parts.reduce((sum, part) => sum + (part.thinkingTokens ?? 0), 0);
  const searches = content.filter(({ name }) => name === 'web_search').length;
  const fetches = content.filter(({ name }) => name === 'web_fetch').length;
  const usesServer = content.some(({ type }) => type === 'server_tool_use');
  return {
    content,
    model: parts.findLast(({ model }) => model !== undefined)?.model ?? context.request.model,
    ...(stopping?.stopReason === undefined ? {} : { stopReason: stopping.stopReason }),
    stopDetails: stopping?.stopDetails ?? null,
    ...(runsCode ? { container: openContainer(context.request, context) } : {}),
    serverToolUse: usesServer ? { web_search_requests: searches, web_fetch_requests: fetches } : null,
    thinkingTokens: thinkingTokens === 0 ? null : thinkingTokens,
  };
}

/** The container that the request names stays in use; null when it names none. */
function containerOf(request: MessagesRequest, context: AnswerContext): Container | null {
  return request.containerId === undefined && request.skills.length === 0 ? null : openContainer(request, context);
}

function openContainer({ containerId, skills }: MessagesRequest, { ids, resources }: AnswerContext): Container {
  const loaded = skills.map(({ type, skillId, version }) => {
    return { type, skill_id: skillId, version: resources.skills.versionInUse(skillId, version) };
  });
  const id = containerId ?? `container_011Fake${ids.serial}`;
  return { id, expires_at: CONTAINER_EXPIRES_AT, skills: loaded.length === 0 ? null : loaded };
}

async function fixture(name: string, ids: ExchangeIds): Promise<Reply> {
  return (await fixtureReply(name)) ?? errorReply(ids.requestId, 400, `the fake has no fixture of the name ${name}`);
}

function filler(textBytes: number): string {
  return FILLER.repeat(Math.ceil(textBytes / FILLER.length)).slice(0, textBytes);
}

function midstreamError(request: MessagesRequest, ids: ExchangeIds): Reply {
  if (!request.stream) return errorReply(ids.requestId, 529);
  const content = [textBlock('This answer will not come to its end.')];
  const frames = messageFrames(composeMessage(request, { id: `msg_01Fake${ids.serial}`, content }));
  const broken = frame({ ...errorEvent(529), request_id: ids.requestId });
  return streamReply([...frames.slice(0, Math.ceil(frames.length / 2)), broken]);
}
