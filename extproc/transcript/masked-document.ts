import { isJsonObject } from '../claude/json.ts';
import { flatText, refusalText } from '../claude/text.ts';
import { type Cap, capText } from '../masking/cap-text.ts';
import type { FindingCount, FindingPlace } from '../masking/finding.ts';
import type { Masked } from '../masking/masked.ts';
import { deriveMasked } from '../masking/masked.ts';
import type { OwnDetection } from '../masking/own-detection.ts';
import type { OnToken } from '../masking/text-masking.ts';
import type { TimeBudget } from '../masking/time-budget.ts';
import type { Treatment } from '../masking/treatment.ts';
import type { MaskingDecision } from '../policy/masking-decision.ts';
import { capStrings } from './cap.ts';
import type { ExchangeDocument, JsonValue } from './document.ts';
import { placeOf } from './finding-place.ts';
import { isOurs } from './our-fields.ts';
import { readableTypes, treatmentOf } from './treatment.ts';

type Path = readonly (string | number)[];

/** What this step needs of the masker. */
export type DocumentMasker = {
  json<T extends JsonValue>(
    value: T,
    options: {
      scope: string;
      exempt: (path: Path, value: string) => boolean;
      limits: { textMaxChars: number; allMaxChars: number; time?: TimeBudget | undefined };
      treatment: Treatment;
      treatmentAt?: (path: Path) => Treatment | undefined;
      placeOf: (path: Path) => FindingPlace;
      onToken?: OnToken | undefined;
    },
  ): { value: Masked<T>; findings: FindingCount[]; isCut: boolean };
};

/**
 * All texts of one document together, of which the first are kept: twice what the largest context window of Claude takes
 * in English, at four characters a token.
 */
export const documentMaxChars = 8_000_000;

/** Names (a model, a tool, a path, a client) are shorter; an index takes no key word of more than 32 KB. */
const nameMaxChars = 1_024;

/**
 * The one way from a draft to what a sink may take: every string is masked as policy decided, then the flat texts are
 * derived and long ones capped. `time` is that of the exchange, all its documents together; throws `masking_failed`.
 */
export function maskDocument(
  draft: ExchangeDocument,
  masker: DocumentMasker,
  textMaxChars: number,
  masking: MaskingDecision,
  detection: OwnDetection,
  time?: TimeBudget,
  onToken?: OnToken,
): Masked<ExchangeDocument> {
  const scope = draft.gen_ai.conversation.id;
  const limits = { textMaxChars, allMaxChars: documentMaxChars, time };
  const options = {
    ...{ scope, exempt: isOurs, limits, placeOf: (path: Path) => placeOf(draft, path) },
    ...treatmentOf(draft, masking, detection),
    onToken,
  };
  const { value, findings, isCut } = masker.json(draft as unknown as { [key: string]: JsonValue }, options);
  const text: Cap = { cut: isCut, maxChars: textMaxChars };
  const told = toldOf(masking, summed(draft.skilltape.masking.findings, findings), detection);
  return deriveMasked(value, (masked) => finished(masked as unknown as ExchangeDocument, told, text));
}

type Told = Omit<ExchangeDocument['skilltape']['masking'], 'status' | 'reason'>;

/** What a reader has to know of how a document was masked. */
function toldOf(masking: MaskingDecision, findings: Told['findings'], detection: OwnDetection): Told {
  return {
    findings,
    readable: readableTypes(masking, detection),
    whole: masking.whole,
    dropped: masking.drop,
  };
}

/** Tokens that stand in it already, of a document that is masked again, are not found once more. */
function summed(before: Told['findings'], found: readonly FindingCount[]): Told['findings'] {
  const sums = before.map((finding) => ({ ...finding }));
  for (const { type, place = 'other', count } of found) {
    const known = sums.find((sum) => sum.type === type && sum.place === place);
    if (known === undefined) sums.push({ type, place, count });
    else known.count += count;
  }
  return sums;
}

function finished(document: ExchangeDocument, told: Told, text: Cap): ExchangeDocument {
  const name: Cap = { cut: false, maxChars: nameMaxChars };
  const { skilltape } = document;
  const named = <T>(value: T): T => capNames(value, name);
  const shortened = {
    outcome_detail: capText(skilltape.outcome_detail, name),
    system: capStrings(skilltape.system, text),
    tools: capStrings(skilltape.tools, text),
    new_messages: skilltape.new_messages.map((message) => capStrings(message, text)),
    answer: capStrings(skilltape.answer, text),
    error: capStrings(skilltape.error, text),
  };
  const { method } = document.http.request;
  return {
    ...document,
    user_agent: { original: capText(document.user_agent.original, name) },
    url: { path: capText(document.url.path, name) },
    http: { ...document.http, request: { ...document.http.request, method: capText(method, name) } },
    gen_ai: { ...finishedGenAi(document.gen_ai, name), ...flatTexts(skilltape, text) },
    skilltape: {
      ...skilltape,
      ...shortened,
      agent: named(skilltape.agent),
      skill: named(skilltape.skill),
      skill_offered: named(skilltape.skill_offered),
      file: named(skilltape.file),
      batch: named(skilltape.batch),
      usage: finishedUsage(skilltape.usage, name),
      masking: { ...skilltape.masking, ...told },
      truncated: skilltape.truncated || text.cut || name.cut,
    },
  };
}

function finishedGenAi(genAi: ExchangeDocument['gen_ai'], name: Cap): ExchangeDocument['gen_ai'] {
  const { request, response, usage, tool } = genAi;
  return {
    ...genAi,
    request: { ...request, model: capText(request.model, name), max_tokens: numberOrNull(request.max_tokens) },
    response: {
      id: capText(response.id, name),
      model: capText(response.model, name),
      finish_reasons: response.finish_reasons.map((reason) => capText(reason, name)),
    },
    usage: {
      input_tokens: numberOrNull(usage.input_tokens),
      output_tokens: numberOrNull(usage.output_tokens),
      cache_read: { input_tokens: numberOrNull(usage.cache_read.input_tokens) },
      cache_creation: { input_tokens: numberOrNull(usage.cache_creation.input_tokens) },
      reasoning: { output_tokens: numberOrNull(usage.reasoning.output_tokens) },
    },
    agent: capNames(genAi.agent, name),
    tool: { name: tool.name.map((toolName) => capText(toolName, name)) },
  };
}

function finishedUsage(
  usage: ExchangeDocument['skilltape']['usage'],
  name: Cap,
): ExchangeDocument['skilltape']['usage'] {
  return {
    uncached_input_tokens: numberOrNull(usage.uncached_input_tokens),
    cache_creation_5m_input_tokens: numberOrNull(usage.cache_creation_5m_input_tokens),
    cache_creation_1h_input_tokens: numberOrNull(usage.cache_creation_1h_input_tokens),
    web_search_requests: numberOrNull(usage.web_search_requests),
    web_fetch_requests: numberOrNull(usage.web_fetch_requests),
    service_tier: capText(usage.service_tier, name),
  };
}

/** Capping strings changes no other part of a value. */
function capNames<T>(value: T, name: Cap): T {
  return capStrings(value as JsonValue, name) as T;
}

/** A count that was masked (a card number, say) is a string now, and an index that expects numbers would refuse it. */
function numberOrNull(value: unknown): number | null {
  return typeof value === 'number' ? value : null;
}

function flatTexts(
  skilltape: ExchangeDocument['skilltape'],
  cap: Cap,
): Pick<ExchangeDocument['gen_ai'], 'input' | 'output'> {
  const { system, new_messages: messages, answer, error } = skilltape;
  const input = [system === null ? '' : flatText(system), messages.map(textOf).join('\n\n')];
  const content = isJsonObject(answer) ? (answer.content ?? null) : null;
  const refusal = isJsonObject(answer) ? refusalText(answer) : '';
  const output = [flatText(content), refusal, error === null ? '' : JSON.stringify(error)];
  return { input: { text: capText(joined(input), cap) }, output: { text: capText(joined(output), cap) } };
}

function joined(parts: readonly string[]): string {
  return parts.filter((part) => part !== '').join('\n\n');
}

function textOf(message: JsonValue): string {
  return isJsonObject(message) ? flatText(message.content ?? null) : '';
}
