import { SkilltapeError } from '../errors.ts';
import type { JournalReader } from '../journal/reader.ts';
import { AttemptLinks } from '../ship/attempt-links.ts';
import { JournalFollower } from '../ship/follower.ts';
import type { Transcript } from '../transcript/transcript.ts';
import type { RecordedExchange, RecordedExchanges, TimeRange } from './recorded-exchanges.ts';

/** How often a journal is begun again because a running gateway freed the segment that was to be read. */
const beginningsMax = 100;
/** Hexadecimal. */
const idTimeDigits = 12;

/** Of a person who was erased after it began: nothing is made of it any more (inv. 9). */
export type IsErased = (transcript: Transcript) => boolean;

/** Recorded exchanges whose bytes the journals still have. */
export class JournalExchanges implements RecordedExchanges {
  readonly #journals: readonly JournalReader[];
  readonly #isErased: IsErased;

  constructor(journals: readonly JournalReader[], isErased: IsErased) {
    this.#journals = journals;
    this.#isErased = isErased;
  }

  async *read(range: TimeRange, isWanted: (exchangeId: string) => boolean): AsyncGenerator<RecordedExchange> {
    const given = new Set<string>();
    const isMissing = (id: string) => !given.has(id) && isWithin(range, id) && isWanted(id);
    for (const journal of this.#journals) {
      for (let beginnings = 1; ; beginnings += 1) {
        try {
          for await (const recorded of exchangesOf(journal, isMissing)) {
            given.add(recorded.exchangeId);
            if (recorded.transcript === null || !this.#isErased(recorded.transcript)) yield recorded;
          }
          break;
        } catch (thrown) {
          // The oldest segment was freed before it could be opened; the next one is the oldest now.
          if (SkilltapeError.from(thrown).code !== 'not_found' || beginnings >= beginningsMax) throw thrown;
        }
      }
    }
  }

  async close(): Promise<void> {
    for (const journal of this.#journals) await journal.close();
  }
}

async function* exchangesOf(
  journal: JournalReader,
  isWanted: (exchangeId: string) => boolean,
): AsyncGenerator<RecordedExchange> {
  const follower = new JournalFollower(journal, null, { keptBytes: 0, attempts: new AttemptLinks(1) });
  try {
    while (!follower.atEnd) {
      await follower.readOn(1);
      for (let ended = follower.takeFirst(); ended !== undefined; ended = follower.takeFirst()) {
        const { exchangeId } = ended;
        if (isWanted(exchangeId)) {
          const transcript = await loaded(follower, exchangeId);
          if (transcript !== 'freed') yield { exchangeId, transcript };
        }
        follower.forget(exchangeId);
      }
    }
  } finally {
    await follower.close();
  }
}

async function loaded(follower: JournalFollower, exchangeId: string) {
  try {
    return await follower.load(exchangeId);
  } catch (thrown) {
    if (SkilltapeError.from(thrown).code === 'not_found') return 'freed';
    throw thrown;
  }
}

function isWithin({ fromMs, toMs }: TimeRange, exchangeId: string): boolean {
  const beganMs = beganMsOf(exchangeId);
  return beganMs >= fromMs && beganMs < toMs;
}

/** The first 48 bits of a UUIDv7 (RFC 9562). */
export function beganMsOf(exchangeId: string): number {
  return Number.parseInt(exchangeId.replaceAll('-', '').slice(0, idTimeDigits), 16);
}
