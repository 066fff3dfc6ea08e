import { SkilltapeError } from '../../errors.ts';
import type { Masked } from '../../masking/masked.ts';
import { notCoded } from '../../transcript/coded-body.ts';
import type { ExchangeDocument } from '../../transcript/document.ts';
import { fillMasking, fillVerdict } from '../findings.ts';
import { isObject } from './json.ts';

/**
 * Only masked documents are ever written to these indices, so what is read back is masked.
 * Throws SkilltapeError `index_failed` for a document that somebody else put there: it must not pass as a record.
 */
export function restored(source: unknown): Masked<ExchangeDocument> {
  if (!isObject(source) || !isObject(source.skilltape) || !isObject(source.gen_ai) || !isObject(source.event))
    throw new SkilltapeError('index_failed', 'there is a document in the index that skilltape did not write', {
      remedy: 'find it by documents without skilltape.connection, and see who may write to these indices',
    });
  // What the writer added for searching stands outside of a document's own fields.
  const { related: _related, ...document } = source;
  const { billed: _billed, ...skilltape } = source.skilltape;
  // The first documents were written without these.
  const added = 'body' in skilltape ? {} : { decoded_detail: '', body: { request: notCoded, answer: notCoded } };
  fillMasking(skilltape.masking);
  fillVerdict(skilltape.verdict);
  return { ...document, skilltape: { ...skilltape, ...added } } as unknown as Masked<ExchangeDocument>;
}

/** Of a document that was asked for in part: what a hit shows. `sourceFields` are the fields to ask for. */
export function restoredPart(source: unknown): Masked<ExchangeDocument> {
  const document = restored(source);
  const { gen_ai: genAi, skilltape } = document;
  return {
    ...document,
    gen_ai: { ...genAi, input: genAi.input ?? { text: '' }, output: genAi.output ?? { text: '' } },
    skilltape: { ...skilltape, new_messages: skilltape.new_messages ?? [] },
  };
}

/** Without the texts, which may be large. */
export const sourceFields = [
  '@timestamp',
  'event.id',
  'user',
  'gen_ai.request.model',
  'gen_ai.response.model',
  'gen_ai.usage',
  'skilltape.connection',
  'skilltape.verdict.decision',
  'skilltape.outcome',
  'skilltape.session.id',
  'skilltape.noise',
  'skilltape.skill',
] as const;

/** More, for a hit that is shown by the beginning of its text. */
export const headlineFields = ['gen_ai.input.text', 'gen_ai.output.text', 'skilltape.new_messages'] as const;
