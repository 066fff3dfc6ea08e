import type { TicketFeed } from '../approvals/feed.ts';
import { TicketFigures } from '../approvals/figures.ts';
import type { Ending } from '../index/sqlite/event-feed.ts';
import { collect, collectExpiring } from './collect.ts';
import { Courier } from './courier.ts';
import type { Delivery, Outbox } from './outbox.ts';
import type { FromWatch, WatchStart } from './protocol.ts';
import type { NoticeSource, SourceName } from './source.ts';
import type { Sent, Target } from './target.ts';

const eventsAtOnceMax = 500;
/** The times of tickets are looked at so often; new events at once. */
const timesIntervalMs = 2_000;
const pruneIntervalMs = 3_600_000;

export type WatchParts = Pick<WatchStart, 'targets' | 'expiringMs' | 'giveUpMs'> & {
  feed: TicketFeed;
  /** Of what people are told. */
  sources: readonly NoticeSource[];
  /** Null where nobody is to be told. */
  outbox: Outbox | null;
  send(notice: Delivery['notice'], target: Target): Promise<Sent>;
  tell(message: FromWatch): void;
  nowMs(): number;
  random(): number;
};

/** Follows the tickets of a data directory: writes down what expired, counts, and tells people of them and of what is asked for. */
export class TicketWatch {
  readonly #parts: WatchParts;
  readonly #figures: TicketFigures;
  readonly #courier: Courier | null;
  #version = '';
  #timesAtMs = 0;
  readonly #expiring = new Map<SourceName, Ending | null>();
  #prunedAtMs = 0;
  #failing = '';
  #live = '';

  constructor(parts: WatchParts) {
    this.#parts = parts;
    this.#figures = new TicketFigures(parts.feed, parts.nowMs());
    const { outbox } = parts;
    this.#courier = outbox === null ? null : new Courier({ ...parts, outbox, ...this.#results() });
    if (outbox !== null) this.#giveUpOrphans(outbox);
  }

  /** To be called often: costs next to nothing while nothing happened. Resolves when the deliveries it began are over. */
  async look(): Promise<void> {
    const { feed, sources, outbox } = this.#parts;
    const nowMs = this.#parts.nowMs();
    const isTime = nowMs - this.#timesAtMs >= timesIntervalMs;
    if (isTime) {
      this.#timesAtMs = nowMs;
      feed.sweep(nowMs);
      this.#collectExpiring(nowMs);
    }
    // Our own writes do not change it: what a sweep wrote is read with the time.
    const version = [feed, ...sources].map((one) => one.version).join(' ');
    if (version !== this.#version || isTime) {
      this.#version = version;
      this.#follow(nowMs);
      if (outbox !== null) for (const source of sources) while (collect(source, outbox, this.#parts, nowMs));
      this.#tellLive();
    }
    if (outbox !== null && nowMs - this.#prunedAtMs >= pruneIntervalMs) {
      this.#prunedAtMs = nowMs;
      outbox.prune(nowMs);
    }
    await this.#courier?.run();
    this.#tellFailing();
  }

  #collectExpiring(nowMs: number): void {
    const { sources, outbox } = this.#parts;
    if (outbox === null) return;
    for (const source of sources) {
      const after = this.#expiring.get(source.name) ?? null;
      this.#expiring.set(source.name, collectExpiring(source, outbox, this.#parts, { after, nowMs }));
    }
  }

  #follow(nowMs: number): void {
    for (;;) {
      const { counted, isMore } = this.#figures.follow(eventsAtOnceMax, nowMs);
      if (counted.length > 0) this.#parts.tell({ kind: 'counted', counted });
      if (!isMore) return;
    }
  }

  #tellLive(): void {
    const message = {
      kind: 'live' as const,
      live: this.#figures.live(),
      waiting: this.#parts.outbox?.undelivered ?? 0,
    };
    const text = JSON.stringify(message);
    if (text === this.#live) return;
    this.#live = text;
    this.#parts.tell(message);
  }

  #tellFailing(): void {
    const targets = [...(this.#courier?.failing.keys() ?? [])];
    const text = targets.join(' ');
    if (text === this.#failing) return;
    this.#failing = text;
    this.#parts.tell({ kind: 'failing', targets });
  }

  #sourceOf({ about }: Delivery['notice']): NoticeSource | undefined {
    const name: SourceName = about === 'approval' ? 'approvals' : 'grants';
    return this.#parts.sources.find((source) => source.name === name);
  }

  /** Each result is known to the operator and stands with what it is about. */
  #results() {
    const { tell, nowMs } = this.#parts;
    const told = ({ notice, target }: Delivery) => ({ target, occasion: notice.occasion, timeMs: nowMs() });
    const attempt = ({ notice, target }: Delivery, result: 'delivered' | 'failed' | 'given_up', why: string | null) =>
      tell({ kind: 'attempt', target, ticket: notice.ticket, result, why });
    const notTold = (delivery: Delivery, why: string) =>
      this.#sourceOf(delivery.notice)?.noteFailure(delivery.notice.ticket, {
        ...{ kind: 'not_notified', ...told(delivery), why },
      });
    return {
      onDelivered: (delivery: Delivery) => {
        attempt(delivery, 'delivered', null);
        this.#sourceOf(delivery.notice)?.note(delivery.notice.ticket, { kind: 'notified', ...told(delivery) });
      },
      onFailed: (delivery: Delivery, why: string) => attempt(delivery, 'failed', why),
      onFailing: (delivery: Delivery, why: string) => notTold(delivery, `${why}; it is tried again`),
      onGivenUp(delivery: Delivery, why: string) {
        attempt(delivery, 'given_up', why);
        notTold(delivery, why);
      },
    };
  }

  #giveUpOrphans(outbox: Outbox): void {
    const results = this.#results();
    for (const delivery of outbox.orphans(this.#parts.targets.map(({ name }) => name))) {
      outbox.done(delivery, 'given_up');
      results.onGivenUp(delivery, 'this target is not configured any more');
    }
  }
}
