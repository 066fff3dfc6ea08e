/** The server-sent events that carry a message (claude's streaming grammar). */
import { type ContentBlock, finalUsage, type Json, type Message, messageHead } from './message.ts';

const TEXT_PIECE_CHARACTERS = 12;
/** Long texts come in larger pieces, or a large answer would be mostly event frames. */
const LONG_TEXT_CHARACTERS = 10_000;
const LONG_TEXT_PIECE_CHARACTERS = 8_192;
const JSON_PIECE_CHARACTERS = 9;

/** One frame (`event:`, `data:`, empty line) per element. */
export function messageFrames(message: Message): string[] {
  return [
    frame({ type: 'message_start', message: messageHead(message) }),
    frame({ type: 'ping' }),
    ...message.content.flatMap((block, index) => blockFrames(block, index, message.isBeta)),
    frame({
      type: 'message_delta',
      delta: {
        stop_reason: message.stopReason,
        stop_sequence: message.stopSequence,
        stop_details: message.stopDetails,
        container: message.container,
      },
      ...(message.isBeta ? { context_management: null } : {}),
      usage: finalUsage(message),
    }),
    frame({ type: 'message_stop' }),
  ];
}

/** One event on the wire; its name is the `type` of its data. */
export function frame(data: Json & { readonly type: string }): string {
  return `event: ${data.type}\ndata: ${JSON.stringify(data)}\n\n`;
}

function blockFrames(block: ContentBlock, index: number, isBeta: boolean): string[] {
  const { start, deltas } = inPieces(block, isBeta);
  return [
    frame({ type: 'content_block_start', index, content_block: start }),
    ...deltas.map((delta) => frame({ type: 'content_block_delta', index, delta })),
    frame({ type: 'content_block_stop', index }),
  ];
}

/** Blocks of other types than these come whole in their start. */
function inPieces(
  block: ContentBlock,
  isBeta: boolean,
): { readonly start: ContentBlock; readonly deltas: readonly Json[] } {
  switch (block.type) {
    case 'text': {
      const citations = Array.isArray(block.citations) ? block.citations : undefined;
      const texts = textPieces(String(block.text)).map((text) => ({ type: 'text_delta', text }));
      const cited = (citations ?? []).map((citation: unknown) => ({ type: 'citations_delta', citation }));
      const start = { ...block, text: '', citations: citations === undefined ? null : [] };
      return { start, deltas: [...texts, ...cited] };
    }
    case 'tool_use':
    case 'server_tool_use':
    case 'mcp_tool_use': {
      const pieces = ['', ...split(JSON.stringify(block.input), JSON_PIECE_CHARACTERS)];
      const deltas = pieces.map((partial_json) => ({ type: 'input_json_delta', partial_json }));
      return { start: { ...block, input: {} }, deltas };
    }
    case 'thinking': {
      const beta = isBeta ? { estimated_tokens: null } : {};
      const thoughts = textPieces(String(block.thinking)).map((thinking) => ({
        type: 'thinking_delta',
        thinking,
        ...beta,
      }));
      const signature = { type: 'signature_delta', signature: block.signature };
      return { start: { ...block, thinking: '', signature: '' }, deltas: [...thoughts, signature] };
    }
    case 'compaction': {
      const { content, encrypted_content } = block;
      const start = { ...block, content: null, encrypted_content: null };
      return { start, deltas: [{ type: 'compaction_delta', content, encrypted_content }] };
    }
    default:
      return { start: block, deltas: [] };
  }
}

/** The pieces in which a text is streamed. */
export function textPieces(text: string): string[] {
  return split(text, text.length > LONG_TEXT_CHARACTERS ? LONG_TEXT_PIECE_CHARACTERS : TEXT_PIECE_CHARACTERS);
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
