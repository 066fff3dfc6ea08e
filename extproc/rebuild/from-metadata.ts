/** Fills an index with what the archive keeps of exchanges whose content is gone, masked anew. */
import { classOfChain } from '../archive/chain-name.ts';
import type { Delivery } from '../index/port.ts';
import { maskMetadata } from '../remask/mask-metadata.ts';
import { reasonOf } from '../ship/reason.ts';
import type { FillingParts } from './filling.ts';
import { leavingOut } from './left.ts';
import type { Archived } from './order.ts';
import type { Progress } from './progress.ts';

export type OfMetadata = Extract<Archived, { kind: 'metadata' }>;

export class FromMetadata {
  readonly #parts: FillingParts;
  readonly #progress: Progress;
  readonly #index: FillingParts['index'];
  readonly #expired = new Set<string>();

  constructor(parts: FillingParts, progress: Progress) {
    this.#parts = parts;
    this.#progress = progress;
    this.#index = leavingOut(parts.index, parts.leftOf, (documentId) => this.#expired.add(documentId));
  }

  /** Null, or why the index cannot go on now. */
  async deliver(batch: readonly OfMetadata[]): Promise<string | null> {
    if (batch.length === 0) return null;
    const masked: OfMetadata[] = [];
    const failed: { one: OfMetadata; reason: string }[] = [];
    for (const one of batch) {
      const again = await maskMetadata(one.record.documents, this.#parts);
      if (again.kind === 'away') return again.reason;
      if (again.kind === 'failed') failed.push({ one, reason: again.reason });
      else masked.push({ ...one, record: { ...one.record, documents: again.documents } });
    }
    for (const { record } of batch) this.#parts.onReached(record.endedMs);
    // First, as shipping did it: what comes behind finds these turns as said before.
    this.#remember(batch);
    for (const { one, reason } of failed) {
      this.#parts.memory.forget(one.record.documents.map(({ event }) => event.id));
      this.#rejected(one.exchangeId, reason);
    }
    return masked.length === 0 ? null : this.#intoIndex(masked);
  }

  #remember(batch: readonly OfMetadata[]): void {
    const classes = new Map(batch.map(({ exchangeId, at }) => [exchangeId, classOfChain(at.retentionClass)]));
    const brought = batch.map(({ record }) => record.brought);
    this.#parts.memory.remember(
      brought.flatMap(({ turns }) => turns),
      brought.flatMap(({ links }) => links),
      classes,
      brought.flatMap(({ counted }) => counted ?? []),
      brought.flatMap(({ owned }) => owned),
    );
  }

  async #intoIndex(batch: readonly OfMetadata[]): Promise<string | null> {
    let deliveries: readonly Delivery[];
    try {
      deliveries = await this.#index.deliver(batch.flatMap(({ record }) => record.documents));
    } catch (thrown) {
      const [only, ...others] = batch;
      if (only !== undefined && others.length === 0) return this.#rejected(only.exchangeId, reasonOf(thrown));
      for (const one of batch) {
        const waiting = await this.#intoIndex([one]);
        if (waiting !== null) return waiting;
      }
      return null;
    }
    for (const delivery of deliveries) if (delivery.kind === 'retry') return delivery.reason;
    this.#count(batch, deliveries);
    this.#expired.clear();
    return null;
  }

  #count(batch: readonly OfMetadata[], deliveries: readonly Delivery[]): void {
    const { counts } = this.#progress;
    let first = 0;
    for (const { exchangeId, record } of batch) {
      const own = deliveries[first];
      const rejected = record.documents.filter((_, at) => deliveries[first + at]?.kind === 'rejected');
      this.#parts.memory.forget(rejected.map(({ event }) => event.id));
      first += record.documents.length;
      if (own?.kind === 'rejected') this.#rejected(exchangeId, own.reason);
      else counts[this.#expired.has(exchangeId) ? 'expired' : 'metadata'] += 1;
    }
  }

  #rejected(exchangeId: string, reason: string): null {
    this.#progress.counts.rejected += 1;
    this.#parts.onFailed(exchangeId, reason);
    return null;
  }
}
