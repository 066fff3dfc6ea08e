import { SkilltapeError } from '../errors.ts';
import type { Delivery } from '../index/port.ts';
import type { ErasedPersons } from '../retention/erasures.ts';
import type { TranscriptSink } from './shipper.ts';

/**
 * What a person had said before they were erased goes nowhere from the journal (inv. 9): neither into the archive, under
 * a key that the erasure did not reach, nor into the index. It leaves the journal with its age.
 */
export function withoutErased(sink: TranscriptSink, erased: Pick<ErasedPersons, 'refresh' | 'has'>): TranscriptSink {
  return {
    async deliver(transcripts, recorded) {
      try {
        await erased.refresh();
      } catch (thrown) {
        const { message: reason } = SkilltapeError.from(thrown);
        return transcripts.map(() => ({ kind: 'retry', reason }));
      }
      const isLeft = transcripts.map(({ started, startedMs }) => !erased.has(started.identity, startedMs));
      if (isLeft.every((left) => left)) return sink.deliver(transcripts, recorded);
      const only = <T>(list: readonly T[]): T[] => list.filter((_, at) => isLeft[at]);
      const left = only(transcripts);
      const deliveries = left.length === 0 ? [] : [...(await sink.deliver(left, only(recorded)))];
      return isLeft.map((isDelivered) => (isDelivered ? (deliveries.shift() ?? noOutcome) : { kind: 'erased' }));
    },
  };
}

const noOutcome: Delivery = { kind: 'retry', reason: 'there is no outcome' };
