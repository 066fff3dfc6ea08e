import type { Masked } from '../masking/masked.ts';
import type { ExchangeDocument } from '../transcript/document.ts';
import { belongingsOf, withDetail } from './belongings.ts';
import { sanitiseLine } from './sanitise.ts';
import type { Style } from './style.ts';
import { wrap } from './wrap.ts';

const labelColumns = 12;
const nanosecondsPerMillisecond = 1_000_000;

/** Who asked what, when, and what was decided: one labelled line for each, wrapped under its label. */
export function headerLines(document: Masked<ExchangeDocument>, style: Style, width: number): string[] {
  const { skilltape, gen_ai: genAi, event } = document;
  const fields: [string, string][] = [
    ['time', `${document['@timestamp']} (${Math.round(event.duration / nanosecondsPerMillisecond)} ms)`],
    ['user', userOf(document)],
    ['connection', skilltape.connection],
    ['model', modelOf(genAi)],
    ['verdict', skilltape.verdict.decision],
    ...skilltape.verdict.reasons.map(({ rule, message }): [string, string] => ['', `${rule}: ${message}`]),
    ...observedFields(skilltape.verdict),
    ...liftedFields(skilltape.verdict),
    ['outcome', withDetail(skilltape.outcome, skilltape.outcome_detail)],
    ['tokens', tokensOf(genAi.usage)],
    ['session', withDetail(skilltape.session.id, skilltape.session.source)],
    ...belongingsOf(document),
  ];
  fields.push(...maskingFields(skilltape.masking));
  const lines = [style.bold(`exchange ${sanitiseLine(event.id)}`)];
  for (const [label, value] of fields) lines.push(...fieldLines(label, value, style, width));
  return lines;
}

/** What rules would have decided that are not enforced. */
function observedFields({ would, would_reasons: reasons }: ExchangeDocument['skilltape']['verdict']) {
  if (would === null) return [];
  const said = reasons.map(({ rule, message }): [string, string] => ['', `${rule}: ${message}`]);
  return [
    ['would be', would === 'deny' ? 'denied (not enforced)' : 'held (not enforced)'] as [string, string],
    ...said,
  ];
}

/** What a rule would have stopped without a grant. */
function liftedFields(verdict: ExchangeDocument['skilltape']['verdict']): [string, string][] {
  if (verdict.lifted === null) return [];
  const what = verdict.lifted === 'break_glass' ? 'BREAK-GLASS' : 'access';
  // Where the index shows no names, it has none of those who gave it.
  const given = verdict.lifted_by.length === 0 ? '' : `, given by ${verdict.lifted_by.join(', ')}`;
  const by = `${what} ${verdict.lifted_grants.join(', ')}${given}`;
  return [
    ['lifted by', `${by}: ${verdict.lifted_why.join('; ')}`],
    ...verdict.lifted_reasons.map(({ rule, message }): [string, string] => ['', `${rule}: ${message}`]),
  ];
}

/** What was found and where; what policy left as it was, and what it did not keep. */
function maskingFields({ findings, readable, whole, dropped }: ExchangeDocument['skilltape']['masking']) {
  const left = [...readable, ...whole.map((field) => `${field} (but for secrets)`)];
  const lines: [string, string][] = [
    ['masked', findings.map(({ type, place, count }) => `${count} ${withDetail(type, place)}`).join(', ')],
    ['not masked', left.join(', ')],
    ['not kept', dropped.join(', ')],
  ];
  return lines.filter(([, value]) => value !== '');
}

function fieldLines(label: string, value: string, style: Style, width: number): string[] {
  return wrap(sanitiseLine(value), width - labelColumns).map(
    (line, index) => style.dim((index === 0 ? label : '').padEnd(labelColumns)) + line,
  );
}

function userOf({ user, source }: Masked<ExchangeDocument>): string {
  if (user === null) return `unknown, from ${source.ip}`;
  const roles = user.roles.length === 0 ? '' : `, ${user.roles.join(' ')}`;
  const named = user.name === '' && user.email === '' ? '' : `${user.name} <${user.email}> `;
  return `${named}${user.id}${roles}, from ${source.ip}`;
}

function modelOf({ request, response }: ExchangeDocument['gen_ai']): string {
  return response.model === '' || response.model === request.model
    ? request.model
    : `${request.model}, answered by ${response.model}`;
}

function tokensOf(usage: ExchangeDocument['gen_ai']['usage']): string {
  const counts: [number | null, string][] = [
    [usage.input_tokens, 'in'],
    [usage.output_tokens, 'out'],
    [usage.reasoning.output_tokens, 'of it thinking'],
    [usage.cache_read.input_tokens, 'read from cache'],
    [usage.cache_creation.input_tokens, 'written to cache'],
  ];
  const known = counts.filter(([count]) => count !== null).map(([count, name]) => `${count} ${name}`);
  return known.length === 0 ? 'not reported' : known.join(', ');
}
