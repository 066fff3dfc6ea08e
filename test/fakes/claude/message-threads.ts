/** Message threads (beta): the fake keeps the conversation, and the next request sends only its new turn. */
import { ApiError } from './api-error.ts';
import type { Message } from './message.ts';
import { InvalidRequest, property } from './messages-request.ts';
import { BoundedMap } from './storage/bounded-map.ts';

const BETA = 'message-threads-2026-08-12';
const THREADS_MAX = 1_000;
const BYTES_MAX = 64 * 1024 * 1024;

/** What a thread holds up to one of its answers. */
type Held = {
  readonly system: unknown;
  readonly tools: unknown;
  readonly messages: readonly unknown[];
  readonly bytes: number;
  readonly isContinued: boolean;
};

export class MessageThreads {
  /** By the id of the last answer. */
  readonly #held = new BoundedMap<Held>({ countMax: THREADS_MAX, bytesMax: BYTES_MAX, bytesOf: ({ bytes }) => bytes });

  /** The body with the messages, system and tools that the thread holds. A body without `thread` stays as it is. */
  resolve(body: unknown, betas: ReadonlySet<string>): unknown {
    const thread = property(body, 'thread');
    if (thread === undefined || thread === null) return body;
    if (!betas.has(BETA)) throw new InvalidRequest(`thread: needs the header anthropic-beta: ${BETA}`);
    switch (property(thread, 'type')) {
      case 'create':
        return body;
      case 'continue':
        return this.#continued(body, property(thread, 'previous_message_id'));
      default:
        throw new InvalidRequest('thread.type: must be create or continue');
    }
  }

  /** Keeps the conversation of a resolved body with its answer, if the body asked for a thread. */
  hold(body: unknown, { id, content }: Message): void {
    const thread = property(body, 'thread');
    if (thread === undefined || thread === null) return;
    const previous = property(thread, 'previous_message_id');
    const before = typeof previous === 'string' ? this.#held.get(previous) : undefined;
    if (typeof previous === 'string' && before !== undefined)
      this.#held.set(previous, { ...before, isContinued: true });
    const messages = [...messagesOf(body), { role: 'assistant', content }];
    const held = { system: property(body, 'system'), tools: property(body, 'tools'), messages };
    this.#held.set(id, { ...held, bytes: JSON.stringify(held).length, isContinued: false });
  }

  #continued(body: unknown, previousId: unknown): unknown {
    const held = typeof previousId === 'string' ? this.#held.get(previousId) : undefined;
    if (held === undefined) {
      throw new ApiError(404, `no thread ends with ${previousId}`, { error_code: 'thread_not_found' });
    }
    if (held.isContinued) {
      const details = { error_code: 'thread_already_continued' };
      throw new ApiError(400, `the thread goes on after ${previousId} already`, details);
    }
    const { system, tools } = held;
    return { ...Object(body), system, tools, messages: [...held.messages, ...messagesOf(body)] };
  }
}

function messagesOf(body: unknown): readonly unknown[] {
  const messages = property(body, 'messages');
  return Array.isArray(messages) ? messages : [];
}
