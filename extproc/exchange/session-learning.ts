import type { AnswerIds } from '../claude/answer-ids.ts';
import { HeldBody } from './held-body.ts';
import type { Budget, SessionLinks } from './ports.ts';
import type { Reader } from './reader.ts';
import type { LinkScope } from './session-links.ts';
import { sessionLinkKey } from './session-links.ts';

/** A larger answer brings no link: a later request that names its ids has another session. */
export const sessionAnswerMaxBytes = 2 * 1024 * 1024;
const decodedMaxBytes = 2 * sessionAnswerMaxBytes;
/** Copies of answers take at most this share of the memory for held bodies, so that requests are not refused for them. */
const heldShare = 0.5;

export type LearningOptions = {
  links: SessionLinks;
  scope: LinkScope;
  session: string;
  /** Whether the request was in a thread, where the next one names the message of this answer. */
  inThread: boolean;
  budget: Budget;
  reader: Reader;
  heldBodyMaxBytes: number;
};

/** Keeps a copy of one answer, and remembers to which session the ids in it belong. */
export class SessionLearning {
  readonly #options: LearningOptions;
  readonly #copy: HeldBody;
  #over = false;

  constructor(options: LearningOptions) {
    this.#options = options;
    this.#copy = new HeldBody(options.budget);
  }

  take(chunk: Uint8Array): void {
    if (this.#over) return;
    const heldBodyMaxBytes = Math.floor(this.#options.heldBodyMaxBytes * heldShare);
    const taken = this.#copy.add(chunk, { requestBodyMaxBytes: sessionAnswerMaxBytes, heldBodyMaxBytes });
    if (taken !== 'taken') this.forget();
  }

  /** To be called before the end of the answer is let through: the caller's next request may come at once. */
  async learn(answer: { status: number; contentType: string; contentEncoding: string }): Promise<void> {
    if (this.#over) return;
    this.#over = true;
    const { links, scope, session, inThread } = this.#options;
    const ids = await this.#idsIn(answer);
    this.forget();
    if (ids === null) return;
    const { messageId, containerId, managedSessionId } = ids;
    const keys: string[] = [];
    if (containerId !== null) keys.push(sessionLinkKey(scope, 'container', containerId));
    if (managedSessionId !== null) keys.push(sessionLinkKey(scope, 'managed_session', managedSessionId));
    if (inThread && messageId !== null) keys.push(sessionLinkKey(scope, 'message', messageId));
    await Promise.all(keys.map((key) => links.remember(key, session)));
  }

  /** Null also when it cannot be read: without its ids the answer is as whole as with them. */
  async #idsIn(answer: { status: number; contentType: string; contentEncoding: string }): Promise<AnswerIds | null> {
    try {
      return await this.#options.reader.read('answerIds', { ...answer, decodedMaxBytes }, this.#copy);
    } catch {
      return null;
    }
  }

  /** Gives the memory back; nothing is learnt after it. */
  forget(): void {
    this.#over = true;
    this.#copy.forget();
  }
}
