/**
 * What the archive keeps of an exchange until the days of its metadata are over: the documents as the index has them when
 * their content went, and what shipping remembers of it, so that an index that is made anew answers and goes on as the
 * lost one would have.
 */
import { z } from 'zod';
import { restoredDocument } from '../index/sqlite/stored.ts';
import type { Masked } from '../masking/masked.ts';
import type { ExchangeDocument } from '../transcript/document.ts';
import { reducedDocument } from '../transcript/reduced-document.ts';
import type { Brought } from './recollection.ts';

/** `documents`: the exchange's own, then those of its batch. `endedMs`: milliseconds since the epoch. */
export type MetadataRecord = {
  version: 1;
  endedMs: number;
  documents: readonly Masked<ExchangeDocument>[];
  brought: Brought;
};

/** Null where nothing could be made of the exchange. */
export function metadataRecord(
  endedMs: number,
  documents: readonly Masked<ExchangeDocument>[],
  brought: Brought,
): MetadataRecord | null {
  return documents.length === 0 ? null : { version: 1, endedMs, documents: documents.map(reducedDocument), brought };
}

const text = z.string();
const amount = z.number();
const stored = z.object({
  version: z.literal(1),
  endedMs: amount,
  documents: z
    .array(
      z.looseObject({
        '@timestamp': text,
        event: z.looseObject({ id: text }),
        skilltape: z.looseObject({ retention_class: text }),
      }),
    )
    .min(1),
  brought: z.object({
    turns: z.array(z.object({ scope: text, hashes: z.array(text), exchangeId: text })),
    links: z.array(z.object({ key: text, eventId: text, session: text })),
    counted: z
      .object({
        ...{ exchangeId: text, person: text, session: text, inputTokens: amount, outputTokens: amount },
        spend: amount.nullable(),
      })
      .nullable(),
    owned: z.array(z.object({ key: text, owner: text, exchangeId: text })),
  }),
});

/** As it was archived; null for what is no such record. */
export function storedMetadata(json: unknown): MetadataRecord | null {
  const { success, data } = stored.safeParse(json);
  if (!success) return null;
  // As they are: what parses them puts their fields into another order, and the index has them as they came.
  const { documents } = json as { documents: unknown[] };
  return { ...data, documents: documents.map(restoredDocument) };
}
