import type { Masked } from '../../masking/masked.ts';
import type { ExchangeDocument } from '../../transcript/document.ts';
import { billedOf } from '../billed.ts';
import { type DayOfClass, retentionClassByDefault } from '../retention.ts';
import { folded, searchable } from '../text-form.ts';
import { analyzedMaxChars } from './mapping.ts';

/** One document, ready to be sent. `lines` are the two lines of a bulk request, `bytes` their size. */
export type PreparedDocument = { index: string; lines: string; bytes: number };

/** The limit of Elasticsearch for `_id`. */
const idMaxBytes = 512;

/**
 * Throws an Error that names the fault when the document can never be stored. Elasticsearch would store one without a
 * readable time, and no search would find it again.
 */
export function preparedOf(document: Masked<ExchangeDocument>, prefix: string): PreparedDocument {
  const id = stringAt('event.id', document.event.id);
  const idBytes = Buffer.byteLength(id);
  if (idBytes === 0 || idBytes > idMaxBytes || !id.isWellFormed())
    throw new Error(`event.id must have 1 to ${idMaxBytes} bytes of text`);
  const index = indexNameOf(document, prefix);
  const lines = `${JSON.stringify({ create: { _index: index, _id: id } })}\n${JSON.stringify(storedForm(document))}\n`;
  return { index, lines, bytes: Buffer.byteLength(lines) };
}

/** From the document's own time and class, so that a second delivery meets the first one. */
function indexNameOf(document: ExchangeDocument, prefix: string): string {
  const time = stringAt('@timestamp', document['@timestamp']);
  const retentionClass = document.skilltape.retention_class || retentionClassByDefault;
  if (!/^[a-z][a-z0-9_-]{0,31}$/.test(retentionClass))
    throw new Error('skilltape.retention_class is not the name of a class');
  return indexName(prefix, { retentionClass, day: dayOf(time) });
}

/** Of the index of one class and day. */
export function indexName(prefix: string, { retentionClass, day }: DayOfClass): string {
  return `${prefix}-${retentionClass}-${day.replaceAll('-', '.')}`;
}

const isoTime = /^(\d{4}-\d\d-\d\d)T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/;

function dayOf(time: string): string {
  const [, writtenDay] = isoTime.exec(time) ?? [];
  const at = new Date(time);
  const isTime = writtenDay !== undefined && !Number.isNaN(at.getTime()) && isCalendarDay(writtenDay);
  const [day = ''] = isTime ? at.toISOString().split('T') : [];
  if (!/^\d{4}-\d\d-\d\d$/.test(day)) throw new Error('@timestamp is not a time');
  return day;
}

/** JavaScript reads 30 February as 2 March; Elasticsearch does not read it at all. */
function isCalendarDay(day: string): boolean {
  const at = new Date(`${day}T00:00:00Z`);
  return !Number.isNaN(at.getTime()) && at.toISOString().startsWith(day);
}

/**
 * The document with what Elasticsearch cannot compute while it searches: names to compare whatever their case, and the
 * counts that are billed. `withoutDerived` takes it off again. The flat texts stand in the form that is searched.
 */
function storedForm(document: Masked<ExchangeDocument>): object {
  const { user, gen_ai: genAi, skilltape } = document;
  const billed = billedOf(document);
  return {
    ...document,
    gen_ai: {
      ...genAi,
      input: { text: analyzable(stringAt('gen_ai.input.text', genAi.input.text)) },
      output: { text: analyzable(stringAt('gen_ai.output.text', genAi.output.text)) },
    },
    skilltape: {
      ...skilltape,
      billed: billed && {
        person: billed.person,
        model: billed.model,
        service_tier: billed.serviceTier,
        uncached_input_tokens: billed.uncachedInput,
        cache_read_input_tokens: billed.cacheRead,
        cache_creation_5m_input_tokens: billed.cacheCreation5m,
        cache_creation_1h_input_tokens: billed.cacheCreation1h,
        output_tokens: billed.output,
        web_search_requests: billed.webSearchRequests,
      },
    },
    related: {
      user: user === null ? [] : [user.id, user.email, user.name].map((text) => folded(stringAt('user', text))),
    },
  };
}

/** Normalising makes some characters into three, so a text that was capped before may be too long after it. */
function analyzable(text: string): string {
  return searchable(text).slice(0, analyzedMaxChars);
}

function stringAt(path: string, value: unknown): string {
  if (typeof value !== 'string') throw new Error(`${path} is not a string`);
  return value;
}
