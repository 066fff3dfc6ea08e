import type { Config } from './config/config.ts';
import type { UsageTotals } from './exchange/ports.ts';
import { type CountedExchange, type StoredTotals, Totals } from './exchange/totals.ts';
import type { StoredUse } from './index/counted.ts';
import { openCountedForReading } from './index/sqlite/counted.ts';
import { memoryFile } from './index/sqlite/memory.ts';
import { keyedHashWith } from './keyed-hash.ts';
import { personKey } from './link-key.ts';
import { pricesOf } from './usage/price-table.ts';
import { spendOf } from './usage/spend.ts';
import type { SharedFact } from './workers/protocol.ts';

/** What callers used, for budgets: from the record as it was shipped, and from this worker and the others since. */
export type CountedUse = {
  readonly totals: UsageTotals;
  /** Another worker counted it. */
  note(exchange: CountedExchange): void;
  close(): void;
};

/** Throws SkilltapeError `config_invalid` for a price table that cannot be read. */
export function countedUse(parts: {
  config: Config;
  hashKey: Uint8Array;
  share?: (fact: SharedFact) => Promise<void>;
}): CountedUse {
  const { config, hashKey, share } = parts;
  const stored = openCountedForReading(memoryFile(config.dataDirectory, config.index.kind));
  const prices = pricesOf(config);
  const sums = new Totals(storedFor(stored, hashKey), prices !== null);
  return {
    totals: {
      factsFor: (exchange, nowMs) => sums.factsFor(exchange, nowMs),
      note(exchange) {
        sums.note(exchange);
        // Nobody waits for it: a budget may be passed by what is under way.
        void share?.({ kind: 'usage', exchange });
      },
      priceOf: ({ billed }) => spendOf(billed, prices),
    },
    note: (exchange) => sums.note(exchange),
    close: () => stored.close(),
  };
}

/** People are stored by a keyed hash. What cannot be read is thrown: nobody's budget may begin at nothing for it (inv. 2). */
function storedFor(stored: StoredUse, hashKey: Uint8Array): StoredTotals {
  const keyedHash = keyedHashWith(hashKey);
  return {
    ofPerson(person, fromMs, beforeId) {
      const [issuer = '', subject = ''] = JSON.parse(person) as string[];
      return stored.ofPerson(personKey(keyedHash, { issuer, subject }), fromMs, beforeId);
    },
    ofSession: (session, beforeId) => stored.ofSession(session, beforeId),
  };
}
