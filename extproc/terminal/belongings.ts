import type { Masked } from '../masking/masked.ts';
import type { ExchangeDocument } from '../transcript/document.ts';

/** What only some exchanges have, as labels with values; a value under an empty label belongs to the label above. */
export function belongingsOf({ gen_ai: { agent }, skilltape }: Masked<ExchangeDocument>): [string, string][] {
  const { batch, noise } = skilltape;
  const facts: [string, (string | null)[]][] = [
    ['offered', skilltape.skill_offered],
    ['encoding', [codedOf('request', skilltape.body.request), codedOf('answer', skilltape.body.answer)]],
    ['noise', [noise === null ? null : `${noise}, no prompt of a person`]],
    ['agent', agentOf(agent, skilltape.agent)],
    ['batch', batch === null ? [] : [batch.id, named('prompt', batch.custom_id), counted(batch.size, 'prompts')]],
  ];
  const lists: [string, string[]][] = [
    ['skill', skilltape.skill.map(({ name, version, source }) => withDetail(name, listed([version, source])))],
    ['file', skilltape.file.map(fileOf)],
    ['belongs to', skilltape.link.map(({ event_id, via }) => withDetail(event_id, via))],
  ];
  return [
    ...facts.map(([label, values]): [string, string] => [label, listed(values)]).filter(([, value]) => value !== ''),
    ...lists.flatMap(([label, values]) => values.map((value, at): [string, string] => [at === 0 ? label : '', value])),
  ];
}

function agentOf(
  { id, name }: ExchangeDocument['gen_ai']['agent'],
  { parent_id, prompt_id, request_class }: ExchangeDocument['skilltape']['agent'],
): (string | null)[] {
  return [withDetail(id ?? '', name ?? ''), named('of', parent_id), named('for prompt', prompt_id), request_class];
}

function fileOf({ id, role, name, media_type, bytes }: ExchangeDocument['skilltape']['file'][number]): string {
  return [role, id, name, media_type, counted(bytes, 'bytes')].filter(Boolean).join(' ');
}

function codedOf(
  which: 'request' | 'answer',
  { codings, decoded_bytes }: ExchangeDocument['skilltape']['body']['request'],
): string | null {
  if (codings.length === 0) return null;
  return withDetail(`${which} ${codings.join(' then ')}`, counted(decoded_bytes, 'bytes decoded') ?? '');
}

function listed(values: readonly (string | null)[]): string {
  return values.filter((value) => value !== null && value !== '').join(', ');
}

function named(what: string, value: string | null): string | null {
  return value === null || value === '' ? null : `${what} ${value}`;
}

function counted(count: number | null, what: string): string | null {
  return count === null ? null : `${count} ${what}`;
}

/** `text (detail)`, or the one of them that is there. */
export function withDetail(text: string, detail: string): string {
  if (text === '') return detail;
  return detail === '' ? text : `${text} (${detail})`;
}
