import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { readPlan } from '../../extproc/policy/bundle.ts';
import { findLook } from '../../extproc/policy/find-looks.ts';
import { type Look, seeingBy } from '../../extproc/policy/look.ts';
import { runOpa, writeTree } from '../../extproc/policy/opa.ts';
import { seededRandom } from '../bench/statistics.ts';
import { accessDocument } from './documents.ts';
import { evaluate, opaBinary } from './opa.ts';

/** Where the rules of a shape look at the value, by its path; in what is not named they see no more than types. */
type Shape = { rego: string; wholly: readonly string[] };

const whole = [''];
const shapes: Readonly<Record<string, Shape>> = {
  plain: { rego: 'decision := input.request.path', wholly: ['request.path'] },
  none: { rego: 'decision := 1', wholly: [] },
  alias: { rego: 'decision := r.path if r := input.request', wholly: ['request.path'] },
  alias_of_input: { rego: 'decision if {\n\tx := input\n\tx.time > "2026-01-03"\n}', wholly: ['time'] },
  imported: { rego: 'import input.request as r\n\ndecision := r.method', wholly: ['request.method'] },
  handed_on: { rego: 'decision := _of(input.request)\n\n_of(r) := r.path', wholly: ['request.path'] },
  handed_on_input: { rego: 'decision := _of(input)\n\n_of(i) := i.identity.email', wholly: ['identity.email'] },
  returned: { rego: 'decision := _request.path\n\n_request := input.request', wholly: ['request.path'] },
  whole_request: { rego: 'decision := input.request', wholly: ['request'] },
  whole_input: { rego: 'decision := input', wholly: whole },
  compared_input: { rego: 'decision if input == {"version": 1}', wholly: whole },
  reckoned_key: { rego: 'decision := input.request[concat("_", ["content", "length"])]', wholly: ['request[]'] },
  key_of_input: {
    rego: 'decision := input.request[input.authentication.detail]',
    wholly: ['authentication.detail', 'request[]'],
  },
  iterated_keys: { rego: 'decision := {k | some k, _ in input.request.tags}', wholly: [] },
  iterated_values: { rego: 'decision if {\n\tsome k\n\tinput.request[k] == "POST"\n}', wholly: ['request[]'] },
  counted: { rego: 'decision := count(input.request.betas)', wholly: ['request.betas'] },
  comprehension: { rego: 'decision := [g | some g in input.identity.groups]', wholly: ['identity.groups[]'] },
  every: { rego: 'decision if every g in input.identity.groups { startswith(g, "s") }', wholly: ['identity.groups[]'] },
  type_alone: { rego: 'decision if is_string(input.time)', wholly: [] },
  sign_alone: { rego: 'decision if input.request.content_length > 0', wholly: [] },
  no_sign: { rego: 'decision if input.request.content_length > 100', wholly: ['request.content_length'] },
  truth_alone: { rego: 'decision if input.request.list_filtered', wholly: [] },
  negated: { rego: 'decision if not input.request.list_filtered', wholly: [] },
  is_null_alone: { rego: 'decision if input.identity == null', wholly: [] },
  among_landmarks: { rego: 'decision if input.request.content_length in {0, null}', wholly: [] },
  get: { rego: 'decision := object.get(input, "time", "none")', wholly: ['time'] },
  get_path: { rego: 'decision := object.get(input, ["request", "path"], "none")', wholly: whole },
  get_default: { rego: 'decision := object.get({}, "time", input.time)', wholly: ['time'] },
  get_reckoned: {
    rego: 'decision := object.get(input.request, input.time, input.source.address)',
    wholly: ['time', 'request', 'source.address'],
  },
  defaulted: {
    rego: 'default decision := 1\n\ndecision := 2 if input.source.address == "192.0.2.7"',
    wholly: ['source.address'],
  },
  otherwise: {
    rego: 'decision := 1 if {\n\tinput.request.method == "GET"\n} else := 2 if {\n\tinput.request.path == "/x"\n} else := input.time',
    wholly: ['request.method', 'request.path', 'time'],
  },
  walked: { rego: 'decision if {\n\twalk(input, [p, v])\n\tp == ["time"]\n\tv == "x"\n}', wholly: whole },
  mocked_input: {
    rego: 'decision := path if path := _path with input as object.union(input, {"time": "x"})\n\n_path := input.request.path',
    wholly: whole,
  },
  mocked_part: {
    rego: 'decision := both if both := _both with input.time as "x"\n\n_both := [input.time, input.request.path]',
    wholly: whole,
  },
  mocked_data: {
    rego: 'decision := found if found := _found with data.lists.empty as [input.time]\n\n_found := [x | some x in data.lists.empty]',
    wholly: ['time'],
  },
  set_of_objects: {
    rego: 'decision := count({x | some x in [input.request, input.source]})',
    wholly: ['request', 'source'],
  },
  object_made: { rego: 'decision := _made.a\n\n_made := {"a": input.time, "b": input.request.path}', wholly: ['time'] },
  object_made_whole: { rego: 'decision := _made\n\n_made := {"a": input.time}', wholly: ['time'] },
  list_made: { rego: 'decision := [input.time, input.request.path][1]', wholly: ['time', 'request.path'] },
  merged: { rego: 'decision := object.union(input.source, {"x": 1}).address', wholly: ['source'] },
  partial_object: { rego: 'decision := _by.time\n\n_by[k] := v if some k, v in input', wholly: ['[]'] },
  template: { rego: 'decision := $"at {input.time}"', wholly: ['time'] },
  json: { rego: 'decision := json.marshal(input.connection)', wholly: ['connection'] },
  destructured: {
    rego: 'decision := b if [_, b] := input.request.betas',
    wholly: ['request.betas'],
  },
  other_rules: {
    rego: 'decision := data.parts[input.request.method].value',
    wholly: ['request.method', 'time', 'source.address'],
  },
  gated: { rego: 'decision if {\n\tsome x in data.lists.empty\n\tinput.time == x\n}', wholly: [] },
  gated_by_member: { rego: 'decision if input.time in data.lists.empty', wholly: [] },
  gated_by_count: { rego: 'decision if {\n\tcount(data.lists.empty) > 0\n\tinput.time == "x"\n}', wholly: [] },
  gated_by_function: {
    rego: 'decision if {\n\tsome x in _met(data.lists.empty)\n\tinput.time == x\n}\n\n_met(list) := [x | some x in list; x != ""]\n\n_other := _met(data.lists.full)',
    wholly: [],
  },
  not_gated: { rego: 'decision if {\n\tsome x in data.lists.full\n\tinput.time == x\n}', wholly: ['time'] },
  conflict_of_elements: {
    rego: 'decision if is_string(_one)\n\n_one := v if some v in input.request.betas',
    wholly: ['request.betas[]'],
  },
  conflict_of_rules: {
    rego: 'decision if is_string(_one)\n\n_one := input.time\n\n_one := input.request.path',
    wholly: ['request.path', 'time'],
  },
  no_conflict: {
    rego: 'decision if is_string(_one)\n\n_one := input.time if {\n\tinput.request.list_filtered\n} else := input.request.path',
    wholly: [],
  },
  carried: {
    rego: 'decision := [z | some x in input.identity.groups; some y in input.request.betas; z := [x, y]]',
    wholly: ['identity.groups[]', 'request.betas[]'],
  },
};

const lists = { lists: { empty: [], full: ['2026-01-02T03:04:05.678Z', 'x'] } };
const files = new Map([
  ['data.json', JSON.stringify(lists)],
  ['GET.rego', 'package parts.GET\n\nvalue := input.time\n'],
  ['POST.rego', 'package parts.POST\n\nvalue := input.source.address\n'],
  ...Object.entries(shapes).map(([name, { rego }]) => [`${name}.rego`, `package shapes.${name}\n\n${rego}\n`] as const),
]);
const looks = new Map<string, Look>();
let directory = '';

before(async (t) => {
  directory = mkdtempSync(join(tmpdir(), 'skilltape-test-looks-'));
  (t as { after(done: () => void): void }).after(() => rmSync(directory, { recursive: true, force: true }));
  await writeTree(join(directory, 'sources'), files);
  const archive = join(directory, 'plan.tar.gz');
  const entrypoints = Object.keys(shapes).flatMap((name) => ['--entrypoint', `shapes/${name}/decision`]);
  const args = ['build', '--bundle', '--target', 'plan', ...entrypoints, '--output', archive, '.'];
  const built = await runOpa(opaBinary(), args, directory);
  if (!built.ok) throw new Error(built.output);
  const plan = await readPlan(archive);
  for (const name of Object.keys(shapes)) looks.set(name, findLook(plan, `shapes/${name}/decision`, lists));
});

function whollyIn(look: Look, path = ''): string[] {
  if (look === 'whole') return [path];
  const at = (name: string) => (path === '' ? name : `${path}.${name}`);
  const named = [...look.fields].flatMap(([name, inner]) => whollyIn(inner, at(name)));
  return [...named, ...(look.each === null ? [] : whollyIn(look.each, `${path}[]`))];
}

for (const [name, { wholly }] of Object.entries(shapes)) {
  test(`what a rule can look at is found: ${name}`, () => {
    const found = whollyIn(looks.get(name) ?? 'whole');
    assert.deepEqual(found.sort(), [...wholly].sort());
  });
}

type Steps = readonly (string | number)[];

function* places(value: unknown, path: Steps = []): Generator<Steps> {
  yield path;
  if (typeof value !== 'object' || value === null) return;
  for (const [name, inner] of Object.entries(value))
    yield* places(inner, [...path, Array.isArray(value) ? Number(name) : name]);
}

/** The document with something else in one place, or nothing. */
function changed(document: unknown, path: Steps, value: unknown): unknown {
  const [step, ...rest] = path;
  if (step === undefined) return value;
  if (typeof document !== 'object' || document === null) return document;
  const copy = (Array.isArray(document) ? [...document] : { ...document }) as Record<string | number, unknown>;
  copy[step] = changed(copy[step], rest, value);
  return copy;
}

const values = [
  undefined,
  null,
  true,
  false,
  0,
  7,
  -3,
  '',
  'x',
  'GET',
  '2026-01-09',
  [],
  ['x'],
  {},
  { path: 'x', time: 1 },
];

test('OPA decides of what is looked at as it decides of the whole document, in every shape of rule', async (t) => {
  const seed = randomInt(2 ** 32);
  t.diagnostic(`seed ${seed}`);
  const random = seededRandom(seed);
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
  const document = accessDocument({ request: { ...accessDocument().request, tags: { project: 'apollo' } } });
  const all = [...places(document)];
  const documents: unknown[] = [
    document,
    ...all.flatMap((path) => [changed(document, path, pick(values)), changed(document, path, pick(values))]),
  ];
  for (let at = 0; at < 100; at += 1)
    documents.push(changed(changed(document, pick(all), pick(values)), pick(all), pick(values)));
  const decided = (given: (look: Look, input: unknown) => unknown) =>
    Promise.all(
      // OPA ends the whole query where rules conflict.
      [...looks]
        .filter(([name]) => !name.startsWith('conflict'))
        .map(async ([name, look]) => {
          const query = `[d | some document in input; d := [x | x := data.shapes.${name}.decision with input as document]]`;
          return [
            name,
            await evaluate(
              query,
              documents.map((input) => given(look, input) ?? null),
              join(directory, 'sources'),
            ),
          ];
        }),
    );
  assert.deepEqual(
    await decided((look, input) => JSON.parse(seeingBy(look)(input ?? null))),
    await decided((_, input) => input),
  );
});
