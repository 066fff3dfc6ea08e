import { backoffMs } from './backoff.ts';
import type { Delivery, Outbox } from './outbox.ts';
import type { Sent, Target } from './target.ts';

export type CourierParts = {
  outbox: Outbox;
  targets: readonly Target[];
  giveUpMs: number;
  send(notice: Delivery['notice'], target: Target): Promise<Sent>;
  nowMs(): number;
  /** 0 to 1. */
  random(): number;
  onDelivered(delivery: Delivery): void;
  /** Not for the first time in a row: said once, before it is given up. */
  onFailing(delivery: Delivery, why: string): void;
  onFailed(delivery: Delivery, why: string): void;
  onGivenUp(delivery: Delivery, why: string): void;
};

/** Failures in a row after which a ticket says that a target was not told, while it is still tried. */
export const failuresTold = 3;

/**
 * Delivers what is due: to each target one message at a time, so that one that hangs holds up no other, and one that
 * wants to be left alone is left alone by all.
 */
export class Courier {
  readonly #parts: CourierParts;
  readonly #underWay = new Set<string>();
  readonly #restUntilMs = new Map<string, number>();
  readonly #failing = new Map<string, string>();

  constructor(parts: CourierParts) {
    this.#parts = parts;
  }

  /** Targets whose last attempt failed, with why. */
  get failing(): ReadonlyMap<string, string> {
    return this.#failing;
  }

  /** Begins what is due and not under way; resolves when what it began is over. */
  async run(): Promise<void> {
    const { targets } = this.#parts;
    await Promise.all(targets.filter(({ name }) => !this.#underWay.has(name)).map((target) => this.#serve(target)));
  }

  async #serve(target: Target): Promise<void> {
    const { outbox, nowMs } = this.#parts;
    this.#underWay.add(target.name);
    try {
      while ((this.#restUntilMs.get(target.name) ?? 0) <= nowMs()) {
        const delivery = outbox.next(target.name, nowMs());
        if (delivery === null || !(await this.#deliver(delivery, target))) return;
      }
    } finally {
      this.#underWay.delete(target.name);
    }
  }

  /** False when the target is to be left alone for now. */
  async #deliver(delivery: Delivery, target: Target): Promise<boolean> {
    const { outbox, send, nowMs, giveUpMs, random } = this.#parts;
    const sent = await send(delivery.notice, target);
    if (sent.kind === 'delivered') {
      outbox.done(delivery, 'delivered');
      this.#failing.delete(target.name);
      this.#parts.onDelivered(delivery);
      return true;
    }
    const attempts = delivery.attempts + 1;
    const waitMs = backoffMs(attempts, random(), sent.retryAfterMs);
    this.#failing.set(target.name, sent.why);
    this.#parts.onFailed(delivery, sent.why);
    if (sent.isFinal || nowMs() + waitMs - delivery.firstMs > giveUpMs) {
      outbox.done(delivery, 'given_up');
      this.#parts.onGivenUp(delivery, sent.why);
    } else {
      outbox.again(delivery, nowMs() + waitMs);
      if (attempts === failuresTold) this.#parts.onFailing(delivery, sent.why);
    }
    if (sent.retryAfterMs !== null) this.#restUntilMs.set(target.name, nowMs() + sent.retryAfterMs);
    return sent.isFinal;
  }
}
