import type { AnswerIds } from '../claude/answer-ids.ts';
import { idsBrought, type OwnedId, type OwnedKind } from '../claude/owned-ids.ts';
import { HeldBody } from './held-body.ts';
import { claimAll } from './ownership.ts';
import type { Budget, Owners, SessionLinks } from './ports.ts';
import type { Reader } from './reader.ts';
import type { LinkScope } from './session-links.ts';
import { sessionLinkKey } from './session-links.ts';

/**
 * A larger answer brings nothing at once: a later request that names its ids has another session, and what it made is
 * nobody's until it was shipped.
 */
export const learntAnswerMaxBytes = 2 * 1024 * 1024;
const decodedMaxBytes = 2 * learntAnswerMaxBytes;
/** Copies of answers take at most this share of the memory for held bodies, so that requests are not refused for them. */
const heldShare = 0.5;

export type LearningOptions = {
  links: SessionLinks;
  owners: Owners;
  scope: LinkScope;
  session: string;
  endpoint: string;
  /** What the request named is not what its answer made. */
  named: readonly OwnedId[];
  /** By what the next request names the message of this answer. */
  messageKinds: readonly OwnedKind[];
  budget: Budget;
  reader: Reader;
  heldBodyMaxBytes: number;
};

/** Keeps a copy of one answer, and remembers to which session the ids in it belong, and whose they are. */
export class AnswerLearning {
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
    const taken = this.#copy.add(chunk, { requestBodyMaxBytes: learntAnswerMaxBytes, heldBodyMaxBytes });
    if (taken !== 'taken') this.forget();
  }

  /** To be called before the end of the answer is let through: the caller's next request may come at once. */
  async learn(answer: { status: number; contentType: string; contentEncoding: string }): Promise<void> {
    if (this.#over) return;
    this.#over = true;
    const { links, owners, scope, session, messageKinds, named } = this.#options;
    const ids = await this.#idsIn(answer);
    this.forget();
    if (ids === null) return;
    const { messageId, containerId, managedSessionId, made } = ids;
    const keys: string[] = [];
    if (containerId !== null) keys.push(sessionLinkKey(scope, 'container', containerId));
    if (managedSessionId !== null) keys.push(sessionLinkKey(scope, 'managed_session', managedSessionId));
    if (messageKinds.includes('message') && messageId !== null) keys.push(sessionLinkKey(scope, 'message', messageId));
    const answered = messageId === null ? [] : messageKinds.map((kind): OwnedId => ({ kind, id: messageId }));
    const brought = idsBrought([...made, ...answered], named);
    await Promise.all([...keys.map((key) => links.remember(key, session)), claimAll(brought, scope, owners)]);
  }

  /** Null also when it cannot be read: without its ids the answer is as whole as with them. */
  async #idsIn(answer: { status: number; contentType: string; contentEncoding: string }): Promise<AnswerIds | null> {
    const { reader, endpoint } = this.#options;
    try {
      return await reader.read('answerIds', { ...answer, endpoint, decodedMaxBytes }, this.#copy);
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
