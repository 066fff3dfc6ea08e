import { SkilltapeError } from '../errors.ts';
import type { Delivery } from '../index/port.ts';
import type { ErasedPersons } from '../retention/erasures.ts';
import type { PersonName } from '../retention/parts.ts';
import type { Transcript } from '../transcript/transcript.ts';
import type { Recorded } from './recorded.ts';
import type { Taken, TranscriptSink } from './shipper.ts';

export type ErasedParts = Pick<ErasedPersons, 'refresh' | 'has'> & {
  /** Destroys the private halves of the keys that the person has. */
  eraseKeys(person: PersonName): Promise<unknown>;
};

/**
 * What a person had said before they were erased goes nowhere from the journal (inv. 9): neither into the archive, under
 * a key that the erasure did not reach, nor into the index. It leaves the journal with its age.
 */
export function withoutErased(sink: TranscriptSink, erased: ErasedParts): TranscriptSink {
  return {
    async deliver(transcripts, recorded) {
      const refused = await refreshed(erased, transcripts);
      if (refused !== null) return refused;
      const isLeft = transcripts.map((transcript) => !isOfErased(erased, transcript));
      const deliveries = await deliverLeft(sink, transcripts, recorded, isLeft);
      return (await refreshed(erased, transcripts)) ?? (await withKeysErased(erased, transcripts, isLeft, deliveries));
    },
  };
}

async function deliverLeft(
  sink: TranscriptSink,
  transcripts: readonly Transcript[],
  recorded: readonly Recorded[],
  isLeft: readonly boolean[],
): Promise<readonly Taken[]> {
  // The same list again: what was prepared for one that the index did not take is remembered by it.
  if (isLeft.every((left) => left)) return sink.deliver(transcripts, recorded);
  const only = <T>(list: readonly T[]): T[] => list.filter((_, at) => isLeft[at]);
  const left = only(transcripts);
  const deliveries = left.length === 0 ? [] : [...(await sink.deliver(left, only(recorded)))];
  return isLeft.map((isDelivered) => (isDelivered ? (deliveries.shift() ?? noOutcome) : { kind: 'erased' }));
}

/**
 * Whoever was erased while these were delivered may have been given a new key for them: it goes too. What came into the
 * index is found when the erasure ends.
 */
async function withKeysErased(
  erased: ErasedParts,
  transcripts: readonly Transcript[],
  isLeft: readonly boolean[],
  deliveries: readonly Taken[],
): Promise<readonly Taken[]> {
  const meanwhile = transcripts.filter((transcript, at) => isLeft[at] && isOfErased(erased, transcript));
  for (const { started } of meanwhile) if (started.identity !== null) await erased.eraseKeys(started.identity);
  return deliveries;
}

/** Null, or that all is to be delivered again, since nobody can say who was erased. */
async function refreshed(erased: ErasedParts, transcripts: readonly Transcript[]): Promise<Delivery[] | null> {
  try {
    await erased.refresh();
    return null;
  } catch (thrown) {
    const { message, remedy } = SkilltapeError.from(thrown);
    const reason = remedy === undefined ? message : `${message}. ${remedy}`;
    return transcripts.map(() => ({ kind: 'retry', reason }));
  }
}

function isOfErased(erased: ErasedParts, { started, startedMs }: Transcript): boolean {
  return erased.has(started.identity, startedMs);
}

const noOutcome: Delivery = { kind: 'retry', reason: 'there is no outcome' };
