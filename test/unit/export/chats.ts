/** Chats of one session as a client holds them, and the documents that they leave in an index. */
import type { Masked } from '../../../extproc/masking/masked.ts';
import type { ExchangeDocument } from '../../../extproc/transcript/document.ts';
import { documentOf } from '../../builders/document.ts';

export const beganMs = Date.UTC(2026, 0, 15, 10);

/** `chat` says something and is answered, or is not; it lasts so long, and the next one begins so much after this one. */
export type Step = { chat: number; isAnswered: boolean; lastsMs: number; nextAfterMs: number };

/** What stands in the texts is unique: `chat 2 asks 5`. */
export function documentsOf(steps: readonly Step[], session = 'session-1'): Masked<ExchangeDocument>[] {
  const histories = new Map<number, { messages: number; freeMs: number }>();
  let atMs = beganMs;
  return steps.map(({ chat, isAnswered, lastsMs, nextAfterMs }, number) => {
    const history = histories.get(chat) ?? { messages: 0, freeMs: 0 };
    // A client goes on when it has its answer.
    const startedMs = Math.max(atMs, history.freeMs);
    atMs = startedMs + nextAfterMs;
    const sent = history.messages + 1;
    histories.set(chat, { messages: sent + (isAnswered ? 1 : 0), freeMs: startedMs + lastsMs });
    const content = [{ type: 'text', text: `chat ${chat} is answered ${number}` }];
    const document = documentOf({
      ...{ id: `e-${String(number).padStart(4, '0')}`, session, time: new Date(startedMs).toISOString() },
      skilltape: {
        outcome: isAnswered ? 'complete' : 'client_aborted',
        history: { message_count: history.messages, prefix_hash: '' },
        new_messages: [{ role: 'user', content: `chat ${chat} asks ${number}` }],
        answer: isAnswered ? { type: 'message', role: 'assistant', content } : null,
      },
    });
    return { ...document, event: { ...document.event, duration: lastsMs * 1_000_000 } };
  });
}

export function textsOf(messages: readonly { content: unknown }[]): string[] {
  return messages.flatMap(({ content }) => (content as { text: string }[]).map(({ text }) => text));
}
