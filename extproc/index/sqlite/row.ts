import type { Masked } from '../../masking/masked.ts';
import type { ExchangeDocument } from '../../transcript/document.ts';
import { type Billed, billedOf } from '../billed.ts';
import { maskedTypes } from '../findings.ts';
import { skillNames } from '../hit.ts';
import { folded, searchable } from '../text-form.ts';

/** What the tables hold of one document. */
export type ExchangeRow = {
  id: string;
  timeMs: number;
  session: string;
  connection: string;
  outcome: string;
  user: { id: string; email: string; name: string } | null;
  noise: string | null;
  requestModel: string;
  responseModel: string;
  /** Each name, and each type of what was masked, once. */
  skills: string[];
  masked: string[];
  billed: Billed | null;
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
  const { skilltape, gen_ai: genAi } = document;
  return {
    id,
    timeMs,
    session: stringAt('skilltape.session.id', skilltape.session.id),
    connection: stringAt('skilltape.connection', skilltape.connection),
    outcome: stringAt('skilltape.outcome', skilltape.outcome),
    user: userOf(document),
    noise: skilltape.noise === null ? null : stringAt('skilltape.noise', skilltape.noise),
    requestModel: stringAt('gen_ai.request.model', genAi.request.model),
    responseModel: stringAt('gen_ai.response.model', genAi.response.model),
    skills: skillNames(document).map((name) => stringAt('skilltape.skill.name', name)),
    masked: maskedTypes(document).map((type) => stringAt('skilltape.masking.findings.type', type)),
    billed: billedOf(document),
    input: searchable(stringAt('gen_ai.input.text', genAi.input.text)),
    output: searchable(stringAt('gen_ai.output.text', genAi.output.text)),
    json: JSON.stringify(document),
  };
}

function userOf({ user }: ExchangeDocument): ExchangeRow['user'] {
  if (user === null) return null;
  return {
    id: folded(stringAt('user.id', user.id)),
    email: folded(stringAt('user.email', user.email)),
    name: folded(stringAt('user.name', user.name)),
  };
}

function stringAt(path: string, value: unknown): string {
  if (typeof value !== 'string') throw new Error(`${path} is not a string`);
  return value;
}
