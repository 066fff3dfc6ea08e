import type { Masked } from '../../masking/masked.ts';
import type { ExchangeDocument } from '../../transcript/document.ts';
import type { SearchHit, Snippet } from '../port.ts';

/** What the tables hold of one document. */
export type ExchangeRow = {
  id: string;
  timeMs: number;
  session: string;
  connection: string;
  outcome: string;
  user: { id: string; email: string; name: string } | null;
  input: string;
  output: string;
  json: string;
};

const idMaxLength = 512;

/** Throws an Error that names the fault when the document can never be stored. */
export function rowOf(document: Masked<ExchangeDocument>): ExchangeRow {
  const timeMs = Date.parse(document['@timestamp']);
  if (Number.isNaN(timeMs)) throw new Error('@timestamp is not a time');
  const id = stringAt('event.id', document.event.id);
  if (id === '' || id.length > idMaxLength) throw new Error(`event.id must have 1 to ${idMaxLength} characters`);
  const { user, skilltape, gen_ai: genAi } = document;
  return {
    id,
    timeMs,
    session: stringAt('skilltape.session.id', skilltape.session.id),
    connection: stringAt('skilltape.connection', skilltape.connection),
    outcome: stringAt('skilltape.outcome', skilltape.outcome),
    user:
      user === null
        ? null
        : {
            id: folded(stringAt('user.id', user.id)),
            email: folded(stringAt('user.email', user.email)),
            name: folded(stringAt('user.name', user.name)),
          },
    input: searchable(stringAt('gen_ai.input.text', genAi.input.text)),
    output: searchable(stringAt('gen_ai.output.text', genAi.output.text)),
    json: JSON.stringify(document),
  };
}

function stringAt(path: string, value: unknown): string {
  if (typeof value !== 'string') throw new Error(`${path} is not a string`);
  return value;
}

/** The form in which users are compared: whole value, case ignored. */
export function folded(text: string): string {
  return text.normalize('NFC').toLowerCase();
}

/** The form in which texts are searched. SQLite's own text functions stop at a NUL. */
export function searchable(text: string): string {
  return text.normalize('NFC').replaceAll('\0', ' ');
}

/**
 * The document for the list of rejects, whatever its fault. What nests too deeply to be written is left out there:
 * its metadata, and with them the id under which the journal and archive hold the whole, are kept.
 */
export function rejectJson(document: Masked<ExchangeDocument>): string {
  try {
    return JSON.stringify(document);
  } catch {
    const { system: _s, new_messages: _n, answer: _a, error: _e, ...skilltape } = document.skilltape ?? {};
    return JSON.stringify({
      ...document,
      skilltape: { ...skilltape, new_messages: [] },
    });
  }
}

/** Only masked documents are ever written to these tables, so what is read back is masked. */
export function restored(json: unknown): Masked<ExchangeDocument> {
  if (typeof json !== 'string') throw new Error('a stored document is not text');
  return JSON.parse(json) as Masked<ExchangeDocument>;
}

/** A hit is a part of a masked document. */
export function hitOf(document: Masked<ExchangeDocument>, snippet: Snippet): Masked<SearchHit> {
  const { user, skilltape, gen_ai: genAi } = document;
  const { input_tokens: input, output_tokens: output } = genAi.usage;
  const hit: SearchHit = {
    id: document.event.id,
    time: document['@timestamp'],
    user: user === null ? null : { id: user.id, name: user.name, email: user.email },
    connection: skilltape.connection,
    model: genAi.request.model,
    verdict: skilltape.verdict.decision,
    outcome: skilltape.outcome,
    session: skilltape.session.id,
    snippet,
    totalTokens: input === null && output === null ? null : (input ?? 0) + (output ?? 0),
  };
  return hit as Masked<SearchHit>;
}
