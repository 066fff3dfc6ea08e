import { deriveMasked, type Masked } from '../masking/masked.ts';
import type { ExchangeDocument } from './document.ts';
import { noContent } from './draft.ts';

/** What is left of a document when the days of its content are over: the same as policy `keep: metadata` leaves. */
export function reducedDocument(document: Masked<ExchangeDocument>): Masked<ExchangeDocument> {
  return deriveMasked(document, (whole) => ({
    ...whole,
    gen_ai: { ...whole.gen_ai, input: { text: '' }, output: { text: '' } },
    skilltape: { ...whole.skilltape, ...noContent, keep: 'metadata' as const },
  }));
}
