import { isJsonObject } from '../claude/json.ts';
import { flatText } from '../claude/text.ts';
import type { FindingCount } from '../masking/finding.ts';
import type { Masked } from '../masking/masked.ts';
import { deriveMasked } from '../masking/masked.ts';
import type { ExchangeDocument, JsonValue } from './document.ts';

/** What this step needs of the masker. */
export type DocumentMasker = {
  json<T extends JsonValue>(
    value: T,
    options: { scope: string; exempt: (path: readonly (string | number)[], value: string) => boolean },
  ): { value: Masked<T>; findings: FindingCount[] };
};

/**
 * The one way from a draft to what a sink may take: every string is masked, then the flat texts are derived and long
 * ones capped (masked first: a cut through a secret would leave a half that nothing recognises).
 */
export function maskDocument(
  draft: ExchangeDocument,
  masker: DocumentMasker,
  textMaxChars: number,
): Masked<ExchangeDocument> {
  const scope = draft.gen_ai.conversation.id;
  const { value, findings } = masker.json(draft as unknown as { [key: string]: JsonValue }, { scope, exempt: isOurs });
  return deriveMasked(value, (masked) => finished(masked as unknown as ExchangeDocument, findings, textMaxChars));
}

/** The same document without anything a caller wrote: what is kept when masking failed. */
export function metadataOnly(draft: ExchangeDocument): ExchangeDocument {
  return {
    ...draft,
    user_agent: { original: '' },
    url: { path: '' },
    gen_ai: {
      ...draft.gen_ai,
      request: { ...draft.gen_ai.request, model: '' },
      response: { id: '', model: '', finish_reasons: [] },
      tool: { name: [] },
    },
    skilltape: {
      ...draft.skilltape,
      outcome_detail: '',
      verdict: { ...draft.skilltape.verdict, reasons: [] },
      keep: 'metadata',
      masking: { status: 'failed', findings: [] },
      system: null,
      new_messages: [],
      answer: null,
      error: null,
    },
  };
}

/** Written by us, by Envoy or by the identity provider, not by the caller: who, when, which. */
const ourFields = new Set([
  '@timestamp',
  'event',
  'user',
  'source',
  'http',
  'gen_ai.provider',
  'gen_ai.operation',
  'gen_ai.conversation',
  'skilltape.outcome',
  'skilltape.connection',
  'skilltape.session',
  'skilltape.verdict.decision',
  'skilltape.verdict.policy_revision',
  'skilltape.keep',
  'skilltape.masking',
  'skilltape.history',
  'skilltape.request_hash',
]);

/** Opaque values that the vendor signs or encrypts; only in answers, since a caller can write anything in a request. */
const opaqueAnswerKeys = new Set(['signature', 'data', 'encrypted_content', 'encrypted_stdout', 'encrypted_index']);
const base64 = /^[A-Za-z0-9+/_=-]*$/;

function isOurs(path: readonly (string | number)[], value: string): boolean {
  for (let length = 1; length <= 3; length += 1) {
    if (ourFields.has(path.slice(0, length).join('.'))) return true;
  }
  const key = path.at(-1);
  return (
    path[0] === 'skilltape' &&
    path[1] === 'answer' &&
    path[2] === 'content' &&
    path.length === 5 &&
    opaqueAnswerKeys.has(String(key)) &&
    base64.test(value)
  );
}

function finished(document: ExchangeDocument, findings: FindingCount[], textMaxChars: number): ExchangeDocument {
  const cap = { cut: false, maxChars: textMaxChars };
  const { skilltape, gen_ai } = document;
  const input = skilltape.new_messages.map((message) => textOf(message)).join('\n\n');
  const answer = isJsonObject(skilltape.answer) ? (skilltape.answer.content ?? null) : null;
  const error = skilltape.error === null ? '' : flatText(JSON.stringify(skilltape.error));
  const capped = {
    system: capStrings(skilltape.system, cap),
    new_messages: skilltape.new_messages.map((message) => capStrings(message, cap)),
    answer: capStrings(skilltape.answer, cap),
    error: capStrings(skilltape.error, cap),
  };
  const texts = {
    input: { text: capText([systemText(skilltape.system), input].filter((part) => part !== '').join('\n\n'), cap) },
    output: { text: capText([flatText(answer), error].filter((part) => part !== '').join('\n\n'), cap) },
  };
  return {
    ...document,
    gen_ai: { ...gen_ai, ...texts },
    skilltape: { ...skilltape, ...capped, masking: { ...skilltape.masking, findings }, truncated: cap.cut },
  };
}

function systemText(system: JsonValue): string {
  return system === null ? '' : flatText(system);
}

function textOf(message: JsonValue): string {
  return isJsonObject(message) ? flatText(message.content ?? null) : '';
}

type Cap = { cut: boolean; maxChars: number };

/** Head and tail, with what is missing said between them: the end of a prompt is as telling as its beginning. */
function capText(text: string, cap: Cap): string {
  if (text.length <= cap.maxChars) return text;
  cap.cut = true;
  const half = Math.floor(cap.maxChars / 2);
  return `${text.slice(0, half)}\n[... ${text.length - 2 * half} characters ...]\n${text.slice(text.length - half)}`;
}

function capStrings(value: JsonValue, cap: Cap): JsonValue {
  if (typeof value === 'string') return capText(value, cap);
  if (Array.isArray(value)) return value.map((item) => capStrings(item, cap));
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, capStrings(item, cap)]));
}
