import assert from 'node:assert/strict';
import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import type { SkilltapeError } from '../../../extproc/errors.ts';
import { checkPolicies } from '../../../extproc/policy/check.ts';
import { Rehearsals } from '../../../extproc/policy/rehearsal.ts';
import { testedLists } from '../../../extproc/policy/tested-lists.ts';
import { policyDirectory } from '../../policy/directory.ts';
import { opaBinary, policiesDirectory } from '../../policy/opa.ts';

function check(directory: string, evaluationMaxMs = 1_000) {
  return checkPolicies({ opaBinary: opaBinary(), directory, evaluationMaxMs });
}

const mine = 'rules/request/mine/mine.rego';
/** A rule with its METADATA; the given lines begin at line 6. */
function rule(...lines: string[]): string {
  const head = [
    '# METADATA',
    '# schemas:',
    '#   - input: schema.request.input',
    'package skilltape.rules.request.mine',
    '',
  ];
  return `${[...head, ...lines].join('\n')}\n`;
}

type Fault = { path: string; text: string | null; says: RegExp };

const body = 'rules/request/body_parsed/body_parsed';

/** Each is one save of one file; null removes it. */
const faults: Record<string, Fault> = {
  'no JSON': { path: 'lists/deny/data.json', text: '{"subjects": [', says: /deny\/data\.json:1: not JSON/ },
  'an empty list': { path: 'lists/deny/data.json', text: '', says: /deny\/data\.json:1: not JSON/ },
  'a list that is an array': { path: 'lists/deny/data.json', text: '[]', says: /data\.json:1: data must be an object/ },
  'a list that is gone': {
    path: 'lists/deny/data.json',
    text: null,
    says: /deny_list\.rego:\d+: there is no list data\.lists\.deny/,
  },
  'a list without an entry that a rule reads': {
    path: 'lists/deny/data.json',
    text: '{}',
    says: /there is no list data\.lists\.deny/,
  },
  'an endpoint that there is not': {
    path: 'lists/endpoints/data.json',
    text: '{"allowed":["mesages.*"],"allowed_with_secrets":[]}',
    says: /endpoints\/data\.json:1: .*mesages/,
  },
  'a type of finding that there is not': {
    path: 'lists/findings/data.json',
    text: '{"rules":[{"effect":"deny","types":["SECERT"]}]}',
    says: /findings\/data\.json:1: /,
  },
  'a list under another name': { path: 'lists/deny/list.json', text: '{}', says: /list\.json would not be read/ },
  'bytes that are no text': { path: mine, text: '\u0000\u0001', says: /mine\.rego/ },
  'a syntax error': {
    path: mine,
    text: rule('findings contains x if {'),
    says: /mine\.rego:\d+: rego_parse_error|mine\.rego:\d+: unexpected/,
  },
  'a variable without a value': {
    path: mine,
    text: rule('findings contains x if x > 1'),
    says: /mine\.rego:6: .*unsafe/,
  },
  'a field of the input that there is not': {
    path: mine,
    text: rule('findings contains {"effect": "deny", "message": "m"} if input.claude.modle == "x"'),
    says: /mine\.rego:6: .*modle/,
  },
  'a builtin that the evaluator lacks': {
    path: mine,
    text: rule('findings contains {"effect": "deny", "message": "m"} if time.now_ns() > 0'),
    says: /mine\.rego:6: .*time\.now_ns/,
  },
  'a function that there is not': {
    path: mine,
    text: rule('findings contains {"effect": "deny", "message": "m"} if foo(1)'),
    says: /mine\.rego:6: .*foo/,
  },
  'a recursion': {
    path: mine,
    text: rule('findings contains {"effect": "deny", "message": "m"} if findings'),
    says: /mine\.rego:6: .*recursive/,
  },
  'a package of another folder': {
    path: mine,
    text: rule().replace('.mine', '.yours'),
    says: /mine\.rego:4: the package of this folder is/,
  },
  'a rule in no folder of its own': {
    path: 'rules/request/mine.rego',
    text: rule(),
    says: /rules\/request\/mine\.rego:1: a rule stands in/,
  },
  'a rule without a schema': {
    path: mine,
    text: 'package skilltape.rules.request.mine\n',
    says: /mine\.rego:1: the METADATA/,
  },
  'two packages of one name': {
    path: 'rules/request/mine/other.rego',
    text: 'package skilltape.request\n',
    says: /other\.rego:\d+: /,
  },
  'an entrypoint that is gone': { path: 'record/record.rego', text: null, says: /record|entrypoint/ },
  'a test that fails': {
    path: `${body}_test.rego`,
    text: 'package skilltape.rules.request.body_parsed_test\n\ntest_success_never if false\n',
    says: /body_parsed_test\.rego:3: the test test_success_never fails/,
  },
  'a test that cannot be read': {
    path: `${body}_test.rego`,
    text: 'package skilltape.rules.request.body_parsed_test\n\ntest_half if {\n',
    says: /body_parsed_test\.rego:\d+: /,
  },
  'a rule that its test does not let change': {
    path: `${body}.rego`,
    text: null,
    says: /body_parsed_test\.rego:\d+: /,
  },
};

test('each kind of fault in a save is refused, with its file, line and reason', async (t) => {
  const directory = policyDirectory(t, {});
  for (const [name, { path, text, says }] of Object.entries(faults)) {
    rmSync(directory, { recursive: true, force: true });
    cpSync(policiesDirectory, directory, { recursive: true });
    const file = join(directory, path);
    mkdirSync(dirname(file), { recursive: true });
    if (text === null) rmSync(file);
    else writeFileSync(file, text);
    await assert.rejects(check(directory), (error: SkilltapeError) => {
      assert.equal(error.code, 'policy_invalid', name);
      assert.match(error.message, says, name);
      return true;
    });
  }
  assert.ok(Object.keys(faults).length >= 20);
});

/** The shipped policies without the tests that would find a change of them. */
function untested(t: Parameters<typeof policyDirectory>[0], files: Record<string, string>): string {
  const directory = policyDirectory(t, {});
  cpSync(policiesDirectory, directory, { recursive: true, filter: (path) => !path.endsWith('_test.rego') });
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    writeFileSync(join(directory, path), text);
  }
  return directory;
}

test('a policy that lets nobody vouched for in, or a body that cannot be read, is refused whatever its tests say', async (t) => {
  const open = untested(t, {
    'access/access.rego': 'package skilltape.access\n\ndecision := {"verdict": "allow", "reasons": []}\n',
  });
  await assert.rejects(check(open), { code: 'policy_invalid', message: /^access, no identity.*: is not denied/ });
  const blind = untested(t, {
    'request/request.rego': 'package skilltape.request\n\ndecision := {"verdict": "allow", "reasons": []}\n',
  });
  await assert.rejects(check(blind), { message: 'request, a body that cannot be read: is not denied, and has to be' });
});

test('a policy that gives no decision on some form of exchange is refused', async (t) => {
  const rego =
    'package skilltape.record\n\ndecision := {"keep": "full", "retention_class": "standard", "reasons": []} if input.claude.model == "x"\n';
  await assert.rejects(check(untested(t, { 'record/record.rego': rego })), { message: /^record, .*: no decision/ });
});

test('a rule that takes long, or all memory, on the largest input is refused before it judges anybody', async (t) => {
  const pairs = [
    'findings contains {"effect": "deny", "message": "m"} if {',
    '\tsome a in input.claude.tool_names',
    '\tsome b in input.claude.tool_names',
  ];
  const slow = rule(...pairs, '\ta == b', '\ta == "never"', '}');
  await assert.rejects(check(untested(t, { [mine]: slow }), 400), {
    message: /a large claude\.tool_names: (took|gave no)/,
  });
  const hungry = rule(...pairs, '\tsome c in input.claude.tool_names', '\tconcat("", [a, b, c]) == "never"', '}');
  await assert.rejects(check(untested(t, { [mine]: hungry }), 400), {
    message: /a large claude\.tool_names: (ends|took|gave no)/,
  });
});

test('tests that fail are named together, wherever they stand and whatever their package', async (t) => {
  const directory = policyDirectory(t, {});
  cpSync(policiesDirectory, directory, { recursive: true });
  const places = [
    { path: 'rules/request/oversize/more_test.rego', pkg: 'skilltape.rules.request.oversize_test' },
    { path: 'request/more_test.rego', pkg: 'skilltape.request_test' },
    { path: 'lib/facts/more_test.rego', pkg: 'skilltape.rules.elsewhere_test' },
    { path: 'rules/access/deny_list/more_test.rego', pkg: 'skilltape.lib.elsewhere_test' },
  ];
  for (const { path, pkg } of places) {
    writeFileSync(join(directory, path), `package ${pkg}\n\ntest_fail_always if false\n`);
  }
  await assert.rejects(check(directory), (thrown: SkilltapeError) => {
    const lines = thrown.message.split('\n').sort();
    const expected = places.map(({ path }) => `${join(directory, path)}:3: the test test_fail_always fails`);
    assert.deepEqual(lines, expected.sort());
    return true;
  });
});

test('a policy is tried after one that failed and one that passed, in the same thread or another', async (t) => {
  const rehearsals = new Rehearsals();
  t.after(() => rehearsals.close());
  const failing = untested(t, { 'record/record.rego': 'package skilltape.record\n\ndecision := {"keep": "none"}\n' });
  const options = { opaBinary: opaBinary(), evaluationMaxMs: 1_000, rehearsals };
  for (const directory of [policiesDirectory, failing, policiesDirectory, policiesDirectory]) {
    const checked = checkPolicies({ ...options, directory });
    if (directory === policiesDirectory) assert.ok((await checked).rehearsed.cases > 500);
    else await assert.rejects(checked, { code: 'policy_invalid' });
  }
});

test('whatever operators write into the shipped lists, the tests of the rules pass', async (t) => {
  const directory = policyDirectory(t, {});
  cpSync(policiesDirectory, directory, { recursive: true });
  const deny = {
    ...{ subjects: ['u-1'], emails: ['ada@example.org'], groups: ['staff'] },
    models: { names: ['claude-opus-5-5'], prefixes: ['claude-'] },
    tools: { names: ['bash'], type_prefixes: ['c'] },
    ...{ skills: { ids: ['pdf'], types: ['custom'] }, uploads: { extensions: ['md'] } },
  };
  writeFileSync(join(directory, 'lists/deny/data.json'), JSON.stringify(deny));
  writeFileSync(
    join(directory, 'lists/endpoints/data.json'),
    JSON.stringify({ allowed: [], allowed_with_secrets: [] }),
  );
  writeFileSync(join(directory, 'lists/models/data.json'), JSON.stringify({ names: [], prefixes: [] }));
  const { rehearsed } = await check(directory);
  assert.ok(rehearsed.cases > 500);
});

test('the lists that the tests are run with are the shipped ones', async () => {
  const { readFileSync } = await import('node:fs');
  const lists = testedLists(policiesDirectory);
  assert.ok(lists.length > 5);
  for (const { list, copy } of lists) {
    const [shipped, tested] = [list, copy].map((path) => readFileSync(join(policiesDirectory, path), 'utf8'));
    assert.equal(tested, shipped, `${copy}: node extproc/policy/tested-lists.ts makes it anew`);
  }
});
