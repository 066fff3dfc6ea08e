/**
 * Input documents that a policy has to cope with before it is put in force: made from the schemas, so that a new field
 * is in them by itself.
 */
import { z } from 'zod';
import { type Stage, stages } from './bundle.ts';
import { consoleInput } from './console.ts';
import { accessInput, recordInput, requestInput } from './input.ts';
import { inputMaxBytes } from './input-bounds.ts';
import { longestEnum, plainText, type SchemaNode, sample } from './sample.ts';

/**
 * `decision`: any that can be read. `denial`: whatever the rules say, this must not pass. `in_time`: within the limit of
 * time alone; what then gives no decision is denied. `name` is for people.
 */
export type SmokeExpectation = 'decision' | 'denial' | 'in_time';
export type SmokeCase = { stage: Stage; name: string; input: unknown; expected: SmokeExpectation };

const schemas: Record<Stage, SchemaNode> = {
  access: z.toJSONSchema(accessInput, { target: 'draft-7' }),
  request: z.toJSONSchema(requestInput, { target: 'draft-7' }),
  record: z.toJSONSchema(recordInput, { target: 'draft-7' }),
  console: z.toJSONSchema(consoleInput, { target: 'draft-7' }),
};

const issuer = 'https://idp.example';
const model = 'claude-opus-5-5';

/** A chat of an identified person, as exchanges are recorded. */
const usual: Readonly<Record<string, unknown>> = {
  ...{ 'connection.name': 'claude', 'connection.issuer': issuer, 'connection.issuers': [issuer] },
  ...{ 'identity.issuer': issuer, 'identity.subject': 'u-1', 'identity.email': 'ada@example.org' },
  ...{ 'identity.groups': ['staff'], 'authentication.failure': null, 'authentication.detail': '' },
  ...{ 'request.method': 'POST', 'request.path': '/v1/messages', 'request.endpoint': 'messages.create' },
  ...{ 'request.endpoint_kind': 'messages', 'request.endpoint_treatment': 'prompt', 'request.body_form': 'messages' },
  ...{ 'request.content_type': 'application/json', 'request.content_encoding': '', 'request.content_length': 120 },
  ...{ 'source.address': '192.0.2.7', time: '2026-01-02T03:04:05.678Z', 'request.tags': {} },
  clock: { UTC: { date: '2026-01-02', weekday: 'fri', hour: 3, minute: 4, minute_of_day: 184 } },
  ...{ 'body.status': 'parsed', 'body.fault': '', 'body.bytes': 120, 'body.decoded_bytes': 120, 'body.codings': [] },
  ...{ 'claude.model': model, 'claude.models': [model], batch: null, agent: null, events: null, upload: null },
  ...{
    'excerpt.text': 'hello',
    'excerpt.complete': true,
    findings: [],
    findings_complete: true,
    'answer.status': 200,
    'answer.outcome': 'complete',
  },
};

/** Always in the same order, so that a number names one. */
export function allCases(): SmokeCase[] {
  return [...smokeCases(), ...largestCases()];
}

/** Cases that must give a decision, and those of them that must be denied. */
function smokeCases(): SmokeCase[] {
  const cases: SmokeCase[] = [];
  for (const stage of stages) {
    const add = (name: string, turn: number, values?: Readonly<Record<string, unknown>>, isEmpty = false): void => {
      const input = sample(schemas[stage], { turn, isEmpty, usual: values });
      cases.push({ stage, name, input, expected: 'decision' });
    };
    add('a usual exchange', 0, usual);
    add('empty fields', 0, undefined, true);
    for (let turn = 0; turn < longestEnum(schemas[stage]); turn += 1) add('every field', turn);
  }
  return [...cases, ...deniedCases()];
}

/** Who nobody vouches for comes in nowhere, and what cannot be read is not let through (inv. 2). */
function deniedCases(): SmokeCase[] {
  const denied = (stage: Stage, name: string, turn: number, change: Readonly<Record<string, unknown>>): SmokeCase => {
    const input = sample(schemas[stage], { turn, isEmpty: false, usual: { ...usual, ...change } });
    return { stage, name, input, expected: 'denial' };
  };
  const turns = Array.from({ length: longestEnum(schemas.access) }, (_, turn) => turn);
  return [
    denied('access', 'no identity and no failure', 0, { identity: null }),
    ...turns.map((turn) => {
      const change = { identity: null, 'authentication.failure': undefined, 'request.endpoint': undefined };
      return denied('access', 'no identity', turn, change);
    }),
    ...turns.map((turn) => {
      return denied('access', 'a failure beside an identity', turn, { 'authentication.failure': undefined });
    }),
    denied('request', 'a body that cannot be read', 0, {
      ...{ 'body.status': 'unread', 'body.fault': 'not JSON', claude: null },
    }),
  ];
}

/**
 * For each list and each text a document of the largest size that is judged, nearly all of it in that one place. Lists,
 * over which rules loop, are tried at each stage, texts at the first that has them: together that is what takes time.
 */
function largestCases(): SmokeCase[] {
  const textsTried = new Set<string>();
  return stages.flatMap((stage) => {
    const whole = () => sample(schemas[stage], { turn: 0, isEmpty: false, usual: undefined });
    return [...placesIn(whole(), [])].flatMap((path): SmokeCase[] => {
      const large = whole();
      const place = path.join('.');
      const isText = typeof path.reduce<unknown>(fieldOf, large) === 'string';
      if ((isText && textsTried.has(place)) || !fill(large, path)) return [];
      if (isText) textsTried.add(place);
      return [{ stage, name: `a large ${place}`, input: large, expected: 'in_time' }];
    });
  });
}

type Steps = readonly (string | number)[];

/** Where texts and lists are. */
function* placesIn(value: unknown, path: Steps): Generator<Steps> {
  if (typeof value === 'string' || Array.isArray(value)) yield path;
  if (typeof value !== 'object' || value === null) return;
  for (const [name, inner] of Object.entries(value)) {
    yield* placesIn(inner, [...path, Array.isArray(value) ? Number(name) : name]);
  }
}

/** Makes the document as large as one may be by what stands in one place; false when there is nothing to repeat. */
function fill(document: unknown, path: Steps): boolean {
  const owner = path.slice(0, -1).reduce<unknown>(fieldOf, document);
  const last = path.at(-1);
  const value = fieldOf(owner, last ?? '');
  if (last === undefined || typeof owner !== 'object' || owner === null) return false;
  const room = inputMaxBytes - Buffer.byteLength(JSON.stringify(document));
  const place = owner as Record<string | number, unknown>;
  if (value === plainText) {
    place[last] = value + plainText.repeat(Math.max(0, room));
    return true;
  }
  if (!Array.isArray(value) || value.length === 0) return false;
  const [element] = value;
  const one = Buffer.byteLength(JSON.stringify(element)) + numberDigits;
  place[last] = Array.from({ length: Math.max(1, Math.floor(room / one)) }, (_, at) =>
    element === plainText ? `${plainText}${at}` : element,
  );
  return true;
}

/** A comma, and the number behind a text. */
const numberDigits = 6;

function fieldOf(value: unknown, name: string | number): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string | number, unknown>)[name] : undefined;
}
