/** Reads the recorded Claude bodies that the tests of this folder share. */
import { readFileSync } from 'node:fs';
import type { FoldedAnswer } from '../../../extproc/claude/fold.ts';
import { MessageFold } from '../../../extproc/claude/fold.ts';
import type { JsonValue } from '../../../extproc/claude/json.ts';
import { SseDecoder, type SseEvent } from '../../../extproc/claude/sse.ts';

export const streamFixtures = [
  'b_stream_text.sse',
  'c_stream_tool_use.sse',
  'd_stream_thinking.sse',
  'e_skills_stream.sse',
  'f_midstream_error.sse',
  'f2_truncated.sse',
  'k_stream_unknowns.sse',
];

export const wholeStreamFixtures = streamFixtures.filter((name) => !name.startsWith('f'));

export function fixtureBytes(name: string): Uint8Array {
  return readFileSync(new URL(`../../fixtures/claude/${name}`, import.meta.url));
}

export function fixtureJson(name: string): JsonValue {
  return JSON.parse(new TextDecoder().decode(fixtureBytes(name)));
}

export function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** Decodes the chunks with a generous bound. */
export function decodeAll(chunks: Uint8Array[]): SseEvent[] {
  const decoder = new SseDecoder({ maxEventBytes: 1_000_000 });
  return chunks.flatMap((chunk) => decoder.push(chunk));
}

export function foldEvents(events: SseEvent[]): FoldedAnswer {
  const fold = new MessageFold();
  for (const event of events) fold.accept(event);
  return fold.result();
}

/** An event stream of the given data objects, each under the event name that equals its type. */
export function sseText(data: { [key: string]: unknown; type: string }[]): string {
  return data.map((item) => `event: ${item.type}\ndata: ${JSON.stringify(item)}\n\n`).join('');
}
