import type { Action, LocalReply } from './frame.ts';
import type { Ledger } from './ledger.ts';
import type { Outcome } from './outcome.ts';
import type { ExchangeContext } from './ports.ts';
import { type RefusalReason, refusalReply } from './refusal.ts';
import { accessLogOf } from './release.ts';
import { type Session, sessionHeaders } from './session.ts';

/** An answer of ours in place of the upstream's, and its record. */
export class OwnReply {
  readonly #ledger: Ledger;
  readonly #connection: string;
  readonly #exchangeId: string;
  readonly #onUnrecorded: ExchangeContext['onUnrecorded'];
  #given: Action | undefined;

  constructor(ledger: Ledger, connection: string, exchangeId: string, onUnrecorded: ExchangeContext['onUnrecorded']) {
    this.#ledger = ledger;
    this.#connection = connection;
    this.#exchangeId = exchangeId;
    this.#onUnrecorded = onUnrecorded;
  }

  /** Once its record is written. */
  get given(): Action | undefined {
    return this.#given;
  }

  /** The caller hears of a refusal when its record is on disk. */
  async recorded(outcome: Outcome, detail: string, reply: LocalReply, session: Session | undefined): Promise<Action> {
    await this.#ledger.finish({ outcome, detail, status: reply.status, localReply: reply.body });
    const headers = { ...reply.headers, ...sessionHeaders(session) };
    const accessLog = accessLogOf(this.#exchangeId, this.#connection, outcome);
    this.#given = { kind: 'local_reply', reply: { ...reply, headers }, accessLog };
    await this.#ledger.sync();
    return this.#given;
  }

  /** A refusal when the journal cannot take it, or takes too long: it must not wait for the disk again. */
  unrecorded(reason: RefusalReason): Action {
    const reply = refusalReply(reason, '', this.#exchangeId);
    const end = { outcome: 'refused', detail: reason, status: reply.status, localReply: reply.body } as const;
    if (!this.#ledger.begun) this.#onUnrecorded(reason);
    this.#ledger.finish(end).catch(() => {});
    return { kind: 'local_reply', reply, accessLog: accessLogOf(this.#exchangeId, this.#connection, 'refused') };
  }
}
