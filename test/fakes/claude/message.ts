/** A Claude message as POST /v1/messages answers it without streaming. */
import { countTokens, type MessagesRequest } from './messages-request.ts';

export type Json = Readonly<Record<string, unknown>>;
export type ContentBlock = Json & { readonly type: string };

export type Container = { readonly id: string; readonly expires_at: string; readonly skills: readonly Json[] | null };

export type Message = {
  readonly id: string;
  /** The model that was asked for; another one may have answered. */
  readonly askedModel: string;
  readonly model: string;
  readonly inputTokens: number;
  readonly content: readonly ContentBlock[];
  readonly stopReason: string;
  readonly stopSequence: string | null;
  readonly stopDetails: Json | null;
  readonly container: Container | null;
  readonly serverToolUse: { readonly web_search_requests: number; readonly web_fetch_requests: number } | null;
  readonly thinkingTokens: number | null;
  readonly serviceTier: 'standard' | 'batch';
  /** With the fields that only beta answers have. */
  readonly isBeta: boolean;
};

export type MessageParts = Pick<Message, 'id' | 'content'> & Partial<Omit<Message, 'id' | 'content'>>;

export function composeMessage(request: MessagesRequest, parts: MessageParts): Message {
  const callsTool = parts.content.some(({ type }) => type === 'tool_use');
  return {
    askedModel: request.model,
    model: request.model,
    inputTokens: request.inputTokens,
    stopReason: callsTool ? 'tool_use' : 'end_turn',
    stopSequence: null,
    stopDetails: null,
    container: null,
    serverToolUse: null,
    thinkingTokens: null,
    serviceTier: 'standard',
    isBeta: false,
    ...parts,
  };
}

export function textBlock(text: string, citations: readonly Json[] | null = null): ContentBlock {
  return { type: 'text', text, citations };
}

export function messageJson(message: Message): Json {
  return {
    ...messageHead(message),
    content: message.content,
    stop_reason: message.stopReason,
    stop_sequence: message.stopSequence,
    stop_details: message.stopDetails,
    container: message.container,
    model: message.model,
    usage: { ...inputUsage(message), ...finalUsage(message) },
  };
}

/** The message before anything was said, as `message_start` has it. */
export function messageHead(message: Message): Json {
  return {
    id: message.id,
    type: 'message',
    role: 'assistant',
    model: message.askedModel,
    content: [],
    stop_reason: null,
    stop_sequence: null,
    stop_details: null,
    container: null,
    diagnostics: null,
    ...(message.isBeta ? { context_management: null } : {}),
    usage: inputUsage(message),
  };
}

/** The counts at the end, as `message_delta` has them. */
export function finalUsage(message: Message): Json {
  return {
    input_tokens: message.inputTokens,
    cache_creation_input_tokens: 0,
    cache_read_input_tokens: 0,
    output_tokens: outputTokens(message),
    output_tokens_details: message.thinkingTokens === null ? null : { thinking_tokens: message.thinkingTokens },
    server_tool_use: message.serverToolUse,
    ...betaUsage(message),
  };
}

function inputUsage(message: Message): Json {
  return {
    input_tokens: message.inputTokens,
    cache_creation_input_tokens: 0,
    cache_read_input_tokens: 0,
    cache_creation: { ephemeral_5m_input_tokens: 0, ephemeral_1h_input_tokens: 0 },
    output_tokens: 1,
    output_tokens_details: null,
    server_tool_use: null,
    service_tier: message.serviceTier,
    inference_geo: 'global',
    speed: 'standard',
    ...betaUsage(message),
  };
}

function betaUsage(message: Message): Json {
  return message.isBeta ? { iterations: null, fallback_credit: null } : {};
}

function outputTokens({ content }: Message): number {
  return countTokens(content.reduce((sum, block) => sum + writtenCharacters(block), 0));
}

/** What the model itself wrote: results of tools do not count. */
function writtenCharacters({ text, thinking, input }: ContentBlock): number {
  const said = [text, thinking].reduce<number>((sum, part) => sum + (typeof part === 'string' ? part.length : 0), 0);
  return said + (input === undefined ? 0 : JSON.stringify(input).length);
}
