import assert from 'node:assert/strict';
import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { allFaults } from '../../extproc/policy/all-faults.ts';
import { readSources } from '../../extproc/policy/sources.ts';
import { policyDirectory } from './directory.ts';
import { opaBinary, policiesDirectory } from './opa.ts';

/** A faulty list: its text, the line that has to be named, and what has to be said. */
const lists: Record<string, { text: string; faults: [line: number, said: RegExp][] }> = {
  deny: { text: '{\n  "subjects": [],\n  "emails": [\n}', faults: [[4, /not JSON/]] },
  endpoints: {
    text: '{\n  "allowed": [\n    "messages.*",\n    "mesages.*"\n  ],\n  "allowed_with_secrets": []\n}',
    faults: [[4, /allowed names no endpoint: "mesages\.\*"/]],
  },
  models: {
    text: '{\n  "names": "claude-opus-5-5",\n  "prefix": []\n}',
    faults: [
      [2, /names: must be a list/],
      [1, /prefixes: is missing/],
      [1, /Unrecognized key: "prefix"/],
    ],
  },
  allowed_models: {
    text: '{\n  "rules": [\n    { "models": ["claude-*-4"] },\n    { "model": ["claude-*"] }\n  ]\n}',
    faults: [
      [3, /rules\.0\.models\.0: must be a whole name/],
      [4, /rules\.1\.models/],
      [4, /Unrecognized key: "model"/],
    ],
  },
  allowed_skills: {
    text: '{\n  "rules": [\n    { "when": { "group": ["x"] }, "skills": ["pdf"] }\n  ]\n}',
    faults: [[3, /rules\.0\.when: Unrecognized key: "group"/]],
  },
  allowed_tools: { text: '{\n  "rules": [\n    { "tools": "Bash" }\n  ]\n}', faults: [[3, /rules\.0\.tools/]] },
  allowed_mcp_servers: {
    text: '{\n  "rules": [\n    { "hosts": ["https://docs.example.com"] }\n  ]\n}',
    faults: [[3, /rules\.0\.hosts\.0: must be a host/]],
  },
  denied_mcp_tools: {
    text: '{\n  "rules": [\n    { "hosts": ["*.Example.com"], "tools": ["*_delete"] },\n    { "tools": [] }\n  ]\n}',
    faults: [
      [3, /rules\.0\.hosts\.0: must be a host/],
      [3, /rules\.0\.tools\.0: must be a whole name/],
      [4, /rules\.1\.tools/],
    ],
  },
  budgets: {
    text: '{\n  "rules": [\n    { "effect": "refuse", "per_day": { "tokens": 1.5 } },\n    { "effect": "deny" },\n    { "effect": "deny", "per_hour": {} }\n  ]\n}',
    faults: [
      [3, /rules\.0\.effect/],
      [3, /rules\.0\.per_day\.tokens/],
      [4, /rules\.1: must have per_day/],
      [5, /Unrecognized key: "per_hour"/],
    ],
  },
  findings: {
    text: '{\n  "rules": [\n    { "effect": "deny", "types": ["SECRETS"] },\n    { "effect": "deny", "types": ["PEM"], "min_count": 0 }\n  ]\n}',
    faults: [
      [3, /rules\.0\.types\.0/],
      [4, /rules\.1\.min_count/],
    ],
  },
  masking: {
    text: '{\n  "rules": [\n    { "off": ["SECRET"] },\n    { "scopes": { "SSN": "all" } }\n  ]\n}',
    faults: [
      [3, /SECRET or PEM is off; say what comes of it/],
      [4, /types with few values are never linked/],
    ],
  },
  observe: {
    text: '{\n  "connections": [],\n  "rules": [\n    "access/identity_required"\n  ]\n}',
    faults: [[4, /access\/identity_required cannot be observed/]],
  },
  recording: {
    text: '{\n  "default": "all",\n  "rules": []\n}',
    faults: [[2, /default/]],
  },
  required_tags: {
    text: '{\n  "rules": [\n    { "tag": "Project" },\n    { "tag": "team", "when": { "skills": ["pdf"] } }\n  ]\n}',
    faults: [
      [3, /rules\.0\.tag: must be a name of small letters/],
      [4, /rules\.1\.when: Unrecognized key: "skills"/],
    ],
  },
  ownership: {
    text: '{\n  "closed": ["file.list"],\n  "open": [\n    { "kinds": ["files"], "owners": ["unknown"] },\n    { "kinds": ["file"], "owners": ["mine"] }\n  ]\n}',
    faults: [
      [2, /closed\.0: must be an endpoint such as files\.list/],
      [4, /open\.0\.kinds\.0/],
      [5, /open\.1\.owners\.0/],
    ],
  },
  retention: {
    text: '{\n  "default": "standard",\n  "classes": ["standard"],\n  "rules": [\n    { "class": "long" }\n  ]\n}',
    faults: [[5, /rules\.0\.class: must be one of classes: standard/]],
  },
  sizes: {
    text: '{\n  "rules": [\n    { "effect": "deny" },\n    { "effect": "deny", "body_bytes": -1 }\n  ],\n  "rules": []\n}',
    faults: [[6, /the key "rules" is written twice/]],
  },
  working_hours: {
    text: '{\n  "rules": [\n    { "time_zone": "Berlin", "days": ["monday"], "from": "8:00", "to": "18:00" },\n    { "time_zone": "UTC", "days": ["mon"], "from": "22:00", "to": "06:00" }\n  ]\n}',
    faults: [
      [3, /rules\.0\.time_zone: must be a time zone/],
      [3, /rules\.0\.days\.0/],
      [3, /rules\.0\.from: must be a time/],
      [4, /rules\.1\.to: must be after from/],
    ],
  },
};

const annotated = '# METADATA\n# title: t\n# scope: package\n# schemas:\n#   - input: schema.request.input\n';

/** A faulty rule: the rest of its file behind its package, and what has to be said on which line of the file. */
const rules: Record<string, { body: string; line: number; said: RegExp }> = {
  syntax: { body: 'findings contains {"effect": "deny" if true', line: 8, said: /unexpected if keyword/ },
  unknown_function: { body: 'x := nosuch(input)', line: 8, said: /undefined function nosuch/ },
  missing_builtin: { body: 'x := time.now_ns()', line: 8, said: /undefined function time\.now_ns/ },
  misspelt_field: { body: 'x := input.claude.modle', line: 8, said: /undefined ref: input\.claude\.modle/ },
  misspelt_list: {
    body: 'x := data.lists.denny.subjects',
    line: 8,
    said: /there is no list data\.lists\.denny\.subjects/,
  },
  unused_import: {
    body: 'import data.skilltape.lib.shown\n\nx := 1',
    line: 8,
    said: /import data\.skilltape\.lib\.shown unused/,
  },
  unsafe_variable: { body: 'x if not y', line: 8, said: /var y is unsafe/ },
  unused_variable: { body: 'x if {\n\ty := 1\n}', line: 9, said: /assigned var y unused/ },
  recursion: { body: 'x if y\n\ny if x', line: 8, said: /recursive/ },
  wrong_argument: { body: 'x := startswith(1, "a")', line: 8, said: /invalid argument/ },
  double_default: { body: 'default x := 1\n\ndefault x := 2', line: 6, said: /multiple default rules/ },
  mixed_kinds: { body: 'x := 1\n\nx contains 2', line: 8, said: /conflicting rules/ },
  wrong_arity: { body: 'f(a) := a\n\nx := f(1, 2)', line: 10, said: /too many arguments|arity/ },
  misspelt_import: {
    body: 'import data.skilltape.lib.fact\n\nx := fact.models',
    line: 8,
    said: /there is no data\.skilltape\.lib\.fact/,
  },
  misspelt_name: {
    body: 'import data.skilltape.lib.facts\n\nx := facts.modles',
    line: 10,
    said: /there is no facts\.modles/,
  },
  broken_pattern: { body: 'x if regex.match("(", input.time)', line: 8, said: /no regular expression/ },
  never_equal: { body: 'x if input.request.endpoint == "messages.creat"', line: 8, said: /is never "messages\.creat"/ },
  other_effect: {
    body: 'findings contains {"effect": "block", "message": "x"} if true',
    line: 8,
    said: /the effect "block"/,
  },
  no_message: { body: 'findings contains {"effect": "deny"} if true', line: 8, said: /the finding has no message/ },
  no_findings: {
    body: 'finding contains {"effect": "deny", "message": "x"} if true',
    line: 6,
    said: /has no findings/,
  },
  shadowing: { body: 'x if {\n\tinput := 1\n\tinput == 1\n}', line: 9, said: /variables must not shadow input/ },
};

/** Faults of where a rule stands and what it says of itself, by the path of its file. */
const places: Record<string, { text: string; line: number; said: RegExp }> = {
  'rules/requests/far/far.rego': { text: 'package skilltape.rules.requests.far\n', line: 1, said: /a rule stands in/ },
  'rules/request/deep/er/er.rego': {
    text: `${annotated}package skilltape.rules.request.deep.er\n`,
    ...{ line: 1, said: /a rule stands in/ },
  },
  'rules/request/named_test/named.rego': {
    text: `${annotated}package skilltape.rules.request.named_test\n`,
    ...{ line: 1, said: /cannot end in _test/ },
  },
  'rules/request/other/other.rego': {
    text: `${annotated}package skilltape.rules.request.another\n`,
    ...{ line: 6, said: /the package of this folder is skilltape\.rules\.request\.other/ },
  },
  'rules/access/bare/bare.rego': {
    text: 'package skilltape.rules.access.bare\n',
    ...{ line: 1, said: /has no schemas with - input: schema\.access\.input/ },
  },
};

function shipped(t: TestContext): string {
  const directory = policyDirectory(t, {});
  cpSync(policiesDirectory, directory, { recursive: true });
  return directory;
}

function write(directory: string, path: string, text: string): void {
  mkdirSync(dirname(join(directory, path)), { recursive: true });
  writeFileSync(join(directory, path), text);
}

test('the shipped policies have no fault', async () => {
  assert.deepEqual(await allFaults(await readSources(policiesDirectory), opaBinary()), []);
});

test('more than forty faults of lists and rules, of every kind, are named in one pass with file and line', async (t) => {
  const directory = shipped(t);
  const expected: { path: string; line: number; said: RegExp }[] = [];
  for (const [name, { text, faults }] of Object.entries(lists)) {
    write(directory, `lists/${name}/data.json`, text);
    for (const [line, said] of faults) expected.push({ path: `lists/${name}/data.json`, line, said });
  }
  for (const [name, { body, line, said }] of Object.entries(rules)) {
    const path = `rules/request/${name}/${name}.rego`;
    write(directory, path, `${annotated}package skilltape.rules.request.${name}\n\n${body}\n`);
    expected.push({ path, line, said });
  }
  for (const [path, { text, line, said }] of Object.entries(places)) {
    write(directory, path, text);
    expected.push({ path, line, said });
  }
  rmSync(join(directory, 'record/record.rego'));
  expected.push({ path: 'record/record.rego', line: 1, said: /is missing/ });
  const found = await allFaults(await readSources(directory), opaBinary());
  const shown = found.map(({ path, line, reason }) => `${path}:${line}: ${reason}`).join('\n');
  const missed = expected.filter(
    ({ path, line, said }) =>
      !found.some((fault) => fault.path === path && fault.line === line && said.test(fault.reason)),
  );
  assert.ok(expected.length > 40, String(expected.length));
  assert.deepEqual(
    missed.map(({ path, line, said }) => `${path}:${line} ${said}`),
    [],
    shown,
  );
  // Nothing is said of a file without a fault: what is left out for its own faults is nobody else's.
  const faulty = new Set(expected.map(({ path }) => path));
  const missing = [...Object.keys(lists)].map((name) => `data.lists.${name}`);
  const others = found.filter(
    ({ path, reason }) => !faulty.has(path) && !missing.some((list) => reason.includes(list)),
  );
  assert.deepEqual(others, [], shown);
});

test('a fault in what others use is named once, and theirs with it', async (t) => {
  const directory = shipped(t);
  write(directory, 'lib/shown/shown.rego', 'package skilltape.lib.shown\n\nname(text) := text if {\n');
  write(
    directory,
    'rules/request/a/a.rego',
    `${annotated}package skilltape.rules.request.a\n\nfindings contains input.nosuch\n`,
  );
  const found = await allFaults(await readSources(directory), opaBinary());
  assert.deepEqual(
    found.map(({ path }) => path),
    ['lib/shown/shown.rego', 'rules/request/a/a.rego'],
    JSON.stringify(found),
  );
});
