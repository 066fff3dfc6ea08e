import type { SkilltapeError } from '../errors.ts';
import type { UnwrittenRecord } from './group.ts';

/** What is written together, in this order, and is answered together: one promise, however many records. */
export class Batch {
  readonly records: UnwrittenRecord[] = [];
  /** Of frames, as if each record had one of its own. */
  bytes = 0;
  /** Whether it begins a segment. */
  readonly rotates: boolean;
  readonly written: Promise<void>;
  readonly resolve: () => void;
  readonly reject: (error: SkilltapeError) => void;

  constructor(rotates: boolean) {
    this.rotates = rotates;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.written = promise;
    this.resolve = resolve;
    this.reject = reject;
    // Who appends hears of it; a rotation alone has nobody who does.
    promise.catch(() => {});
  }
}
