/** The long-lived event stream of a session or of one of its threads, in its own grammar. */
import type { Call } from '../call.ts';
import { queryList } from '../call.ts';
import { frame } from '../message-stream.ts';
import { property } from '../messages-request.ts';
import type { Reply } from '../reply.ts';
import type { SessionEvent } from './event-log.ts';
import type { Session } from './session.ts';

const PIECE_CHARACTERS = 12;

/** Sends what happens from now on; a ping at once, so that the caller sees the stream is open. */
export function streamThread(call: Call, session: Session, threadId: string): Reply {
  const previewed = queryList(call, 'event_deltas') ?? [];
  return {
    status: 200,
    headers: { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache' },
    pieces: [Buffer.from(frame({ type: 'ping' }))],
    live: (gone) => frames(session.log.follow(threadId, gone), previewed),
  };
}

async function* frames(events: AsyncIterable<SessionEvent>, previewed: readonly string[]): AsyncGenerator<Buffer> {
  for await (const event of events) {
    if (previewed.includes(event.type)) for (const piece of previewFrames(event)) yield Buffer.from(piece);
    yield Buffer.from(frame(event));
  }
}

/** The event as it comes to be, before it comes whole; only for those who asked. */
function previewFrames(event: SessionEvent): string[] {
  const blocks = Array.isArray(event.content) ? event.content : [];
  const deltas = blocks.flatMap((block: unknown, index) => {
    return pieces(String(property(block, 'text'))).map((text) => {
      const delta = { type: 'content_delta', index, content: { type: 'text', text } };
      return frame({ type: 'event_delta', event_id: event.id, delta });
    });
  });
  return [frame({ type: 'event_start', event: { id: event.id, type: event.type } }), ...deltas];
}

function pieces(text: string): string[] {
  const characters = [...text];
  const count = Math.ceil(characters.length / PIECE_CHARACTERS);
  return Array.from({ length: count }, (_, i) => {
    return characters.slice(i * PIECE_CHARACTERS, (i + 1) * PIECE_CHARACTERS).join('');
  });
}
