/** What retention left of the days of an index: one that is made anew has no more of them (inv. 9). */
import type { Delivery, IndexSink } from '../index/port.ts';
import { type DayOfClass, retentionClassByDefault } from '../index/retention.ts';
import type { ExchangeDocument } from '../transcript/document.ts';
import { reducedDocument } from '../transcript/reduced-document.ts';

/** `metadata`: the days of its content are over. `nothing`: those of its metadata are, too. */
export type Left = 'all' | 'metadata' | 'nothing';
export type LeftOf = (of: DayOfClass) => Left;

type Document = Parameters<IndexSink['deliver']>[0][number];

/**
 * Delivers of each document what is left. Where that is nothing, it counts as delivered and `onExpired` is told: shipping
 * remembers what it brought all the same, or its turns would stand in a later exchange.
 */
export function leavingOut(
  index: Pick<IndexSink, 'deliver'>,
  leftOf: LeftOf,
  onExpired: (documentId: string) => void,
): Pick<IndexSink, 'deliver'> {
  return {
    async deliver(documents) {
      const left = documents.map((document) => leftOf(dayOfDocument(document)));
      const stored = await index.deliver(documents.flatMap((document, at) => partOf(document, left[at] ?? 'nothing')));
      let given = 0;
      return documents.map(({ event }, at): Delivery => {
        if (left[at] === 'nothing') {
          onExpired(event.id);
          return { kind: 'accepted' };
        }
        given += 1;
        return stored[given - 1] ?? { kind: 'retry', reason: 'the index gave no outcome' };
      });
    },
  };
}

function partOf(document: Document, left: Left): Document[] {
  switch (left) {
    case 'all':
      return [document];
    case 'metadata':
      return [reducedDocument(document)];
    case 'nothing':
      return [];
    default:
      return left satisfies never;
  }
}

function dayOfDocument(document: ExchangeDocument): DayOfClass {
  const { retention_class: retentionClass } = document.skilltape;
  return { retentionClass: retentionClass || retentionClassByDefault, day: document['@timestamp'].slice(0, 10) };
}
