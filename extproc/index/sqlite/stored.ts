import type { Masked } from '../../masking/masked.ts';
import type { ExchangeDocument } from '../../transcript/document.ts';
import { fillMasking, fillVerdict } from '../findings.ts';

/** Only masked documents are ever written to these tables, so what is read back is masked. */
export function restored(json: unknown): Masked<ExchangeDocument> {
  if (typeof json !== 'string') throw new Error('a stored document is not text');
  return restoredDocument(JSON.parse(json));
}

/** Changes what it is given: a document as it was written to a store of masked documents. */
export function restoredDocument(document: unknown): Masked<ExchangeDocument> {
  fillDefaults(document);
  return document as Masked<ExchangeDocument>;
}

/**
 * An earlier skilltape stored documents without some of the fields; they are there with nothing in them when they are
 * read. A refused document may have any shape, so what is no object is left alone.
 */
function fillDefaults(document: unknown): void {
  if (!isObject(document)) return;
  addMissing(document.gen_ai, { agent: { id: null, name: null } });
  if (isObject(document.gen_ai)) addMissing(document.gen_ai.usage, { reasoning: { output_tokens: null } });
  addMissing(document.skilltape, {
    endpoint: { name: '', treatment: '' },
    noise: null,
    agent: { parent_id: null, prompt_id: null, request_class: null },
    skill: [],
    skill_offered: [],
    file: [],
    link: [],
    batch: null,
    usage: {
      uncached_input_tokens: null,
      cache_creation_5m_input_tokens: null,
      cache_creation_1h_input_tokens: null,
      web_search_requests: null,
      web_fetch_requests: null,
      service_tier: '',
    },
    retention_class: '',
    decoded_detail: '',
    body: { request: { codings: [], decoded_bytes: null }, answer: { codings: [], decoded_bytes: null } },
    tools: null,
  } satisfies Partial<ExchangeDocument['skilltape']>);
  if (!isObject(document.skilltape)) return;
  fillMasking(document.skilltape.masking);
  fillVerdict(document.skilltape.verdict);
}

/** Behind what is there, so that a whole document comes back letter for letter. */
function addMissing(part: unknown, defaults: Record<string, unknown>): void {
  if (!isObject(part)) return;
  for (const [key, value] of Object.entries(defaults)) if (!Object.hasOwn(part, key)) part[key] = value;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * The document for the list of rejects, whatever its fault. What nests too deeply to be written is left out there:
 * its metadata, and with them the id under which the journal and archive hold the whole, are kept.
 */
export function rejectJson(document: Masked<ExchangeDocument>): string {
  try {
    return JSON.stringify(document);
  } catch {
    const { system: _s, tools: _t, new_messages: _n, answer: _a, error: _e, ...skilltape } = document.skilltape ?? {};
    return JSON.stringify({
      ...document,
      skilltape: { ...skilltape, new_messages: [] },
    });
  }
}
