/** A Claude message and the server-sent events that carry it (claude's streaming grammar). */
import { countTokens, type MessagesRequest } from './messages-request.ts';

export type ContentBlock =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'tool_use'; readonly id: string; readonly name: string; readonly input: unknown };

export type Message = {
  readonly id: string;
  readonly model: string;
  readonly inputTokens: number;
  readonly content: readonly ContentBlock[];
};

type Json = Record<string, unknown>;

const TEXT_PIECE_CHARACTERS = 12;
/** Long texts come in larger pieces, or a large answer would be mostly event frames. */
const LONG_TEXT_CHARACTERS = 10_000;
const LONG_TEXT_PIECE_CHARACTERS = 8_192;
const JSON_PIECE_CHARACTERS = 9;

export function composeMessage(request: MessagesRequest, id: string, content: readonly ContentBlock[]): Message {
  return { id, model: request.model, inputTokens: request.inputTokens, content };
}

/** The whole message, as POST /v1/messages answers without streaming. */
export function messageJson(message: Message): string {
  return JSON.stringify({
    ...envelope(message, outputTokens(message)),
    content: message.content.map((block) =>
      block.type === 'text' ? { ...block, citations: null } : { ...block, caller: { type: 'direct' } },
    ),
    stop_reason: stopReason(message),
  });
}

/** The same message as a stream: one frame (`event:`, `data:`, empty line) per element. */
export function messageFrames(message: Message): string[] {
  return [
    frame({ type: 'message_start', message: { ...envelope(message, 1), content: [], stop_reason: null } }),
    frame({ type: 'ping' }),
    ...message.content.flatMap(blockFrames),
    frame({
      type: 'message_delta',
      delta: { stop_reason: stopReason(message), stop_sequence: null, stop_details: null, container: null },
      usage: {
        input_tokens: message.inputTokens,
        cache_creation_input_tokens: 0,
        cache_read_input_tokens: 0,
        output_tokens: outputTokens(message),
        output_tokens_details: null,
        server_tool_use: null,
      },
    }),
    frame({ type: 'message_stop' }),
  ];
}

/** One event on the wire; its name is the `type` of its data. */
export function frame(data: Json & { readonly type: string }): string {
  return `event: ${data.type}\ndata: ${JSON.stringify(data)}\n\n`;
}

function blockFrames(block: ContentBlock, index: number): string[] {
  const isText = block.type === 'text';
  const start = isText
    ? { type: 'text', text: '', citations: null }
    : { type: 'tool_use', id: block.id, name: block.name, input: {}, caller: { type: 'direct' } };
  const deltas = isText
    ? split(block.text, textPieceCharacters(block.text)).map((text) => ({ type: 'text_delta', text }))
    : ['', ...split(JSON.stringify(block.input), JSON_PIECE_CHARACTERS)].map((partial_json) => ({
        type: 'input_json_delta',
        partial_json,
      }));
  return [
    frame({ type: 'content_block_start', index, content_block: start }),
    ...deltas.map((delta) => frame({ type: 'content_block_delta', index, delta })),
    frame({ type: 'content_block_stop', index }),
  ];
}

function textPieceCharacters(text: string): number {
  return text.length > LONG_TEXT_CHARACTERS ? LONG_TEXT_PIECE_CHARACTERS : TEXT_PIECE_CHARACTERS;
}

/** Cuts between code points, never inside a surrogate pair. */
function split(text: string, pieceCharacters: number): string[] {
  const pieces: string[] = [];
  for (let start = 0; start < text.length; ) {
    let end = Math.min(start + pieceCharacters, text.length);
    if (end < text.length && isHighSurrogate(text.charCodeAt(end - 1))) end += 1;
    pieces.push(text.slice(start, end));
    start = end;
  }
  return pieces;
}

function isHighSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdbff;
}

function stopReason(message: Message): string {
  return message.content.some((block) => block.type === 'tool_use') ? 'tool_use' : 'end_turn';
}

function outputTokens(message: Message): number {
  const characters = message.content.map((block) =>
    block.type === 'text' ? block.text.length : JSON.stringify(block.input).length,
  );
  return countTokens(characters.reduce((sum, count) => sum + count, 0));
}

function envelope(message: Message, outputTokensSoFar: number): Json {
  return {
    id: message.id,
    type: 'message',
    role: 'assistant',
    model: message.model,
    content: [],
    stop_reason: null,
    stop_sequence: null,
    stop_details: null,
    container: null,
    diagnostics: null,
    usage: {
      input_tokens: message.inputTokens,
      cache_creation_input_tokens: 0,
      cache_read_input_tokens: 0,
      cache_creation: { ephemeral_5m_input_tokens: 0, ephemeral_1h_input_tokens: 0 },
      output_tokens: outputTokensSoFar,
      output_tokens_details: null,
      server_tool_use: null,
      service_tier: 'standard',
      inference_geo: 'global',
      speed: 'standard',
    },
  };
}
