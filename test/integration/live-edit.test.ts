import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { messagesBody } from '../builders/messages-body.ts';
import type { TestGateway } from '../environment/gateway.ts';
import { startTestGateway } from '../environment/gateway.ts';
import { denyList, ownPolicies, policyEdits } from '../environment/policy-edits.ts';

let gateway: TestGateway;
let edits: ReturnType<typeof policyEdits>;
let shippedList: string;

before(async () => {
  gateway = await startTestGateway(ownPolicies);
  edits = policyEdits(gateway);
  shippedList = edits.read(denyList);
});
after(() => gateway.stop());

async function ask(text = 'hello') {
  const headers = { authorization: `Bearer ${await gateway.token()}` };
  return gateway.post(messagesBody(text), headers);
}

test('a list that is saved judges the next request, and the record names the revision', async (t) => {
  const allowed = await ask();
  assert.equal(allowed.status, 200);

  const saved = await edits.save(
    denyList,
    edits.denying({ groups: ['suspended', 'research', 'staff'], subjects: ['alice'] }),
  );
  t.diagnostic(`in force ${Math.round(saved.tookMs)} ms after the save`);
  assert.equal(saved.result, 'in_force');
  const denied = await ask();
  assert.equal(denied.status, 403);
  const documents = await Promise.all([allowed, denied].map(({ exchangeId }) => gateway.document(exchangeId)));
  const [first, second] = documents.map(({ skilltape }) => skilltape.verdict);
  assert.ok(first !== undefined && second !== undefined);
  assert.notEqual(first.policy_revision, second.policy_revision);
  for (const verdict of [first, second]) assert.equal(verdict.record_policy_revision, verdict.policy_revision);

  assert.equal((await edits.replace(denyList, shippedList)).result, 'in_force');
  assert.equal((await ask()).status, 200);
});

/** Each is one save; `says` is what readiness has to tell of it. */
const faults: readonly { name: string; path: string; text: string; says: RegExp }[] = [
  { name: 'no JSON', path: denyList, text: '{"subjects": [', says: /lists\/deny\/data\.json:1: not JSON/ },
  { name: 'an empty file', path: denyList, text: '', says: /lists\/deny\/data\.json:1: not JSON/ },
  {
    name: 'a list of the wrong type',
    path: 'lists/endpoints/data.json',
    text: '{"allowed":["mesages.*"]}',
    says: /mesages/,
  },
  {
    name: 'a syntax error',
    path: 'rules/request/mine/mine.rego',
    text: `# METADATA\n# schemas:\n#   - input: schema.request.input\npackage skilltape.rules.request.mine\n\nfindings contains x if {\n`,
    says: /rules\/request\/mine\/mine\.rego:\d+: /,
  },
  {
    name: 'a field of the input that there is not',
    path: 'rules/request/mine/mine.rego',
    text: `# METADATA\n# schemas:\n#   - input: schema.request.input\npackage skilltape.rules.request.mine\n\nfindings contains {"effect": "deny", "message": "m"} if input.claude.modle == "x"\n`,
    says: /mine\.rego:6: /,
  },
  {
    name: 'a builtin that the evaluator lacks',
    path: 'rules/request/mine/mine.rego',
    text: `# METADATA\n# schemas:\n#   - input: schema.request.input\npackage skilltape.rules.request.mine\n\nfindings contains {"effect": "deny", "message": "m"} if time.now_ns() > 0\n`,
    says: /mine\.rego:6: .*time\.now_ns/,
  },
  {
    name: 'a rule in the wrong package',
    path: 'rules/request/mine/mine.rego',
    text: `# METADATA\n# schemas:\n#   - input: schema.request.input\npackage skilltape.rules.request.yours\n`,
    says: /mine\.rego:4: the package of this folder is/,
  },
  {
    name: 'a test that fails',
    path: 'rules/request/body_parsed/body_parsed_test.rego',
    text: 'package skilltape.rules.request.body_parsed_test\n\ntest_success_never if false\n',
    says: /body_parsed_test\.rego:3: the test test_success_never fails/,
  },
  {
    name: 'a test that cannot be read',
    path: 'rules/request/body_parsed/body_parsed_test.rego',
    text: 'package skilltape.rules.request.body_parsed_test\n\ntest_success_half if {\n',
    says: /body_parsed_test\.rego:\d+: /,
  },
  {
    name: 'a rule that lets everybody in',
    path: 'access/access.rego',
    text: 'package skilltape.access\n\ndecision := {"verdict": "allow", "reasons": []}\n',
    says: /access_test\.rego:\d+: |is not denied, and has to be/,
  },
  {
    name: 'a rule that loops for a time that nobody waits',
    path: 'rules/request/mine/mine.rego',
    text: `# METADATA\n# schemas:\n#   - input: schema.request.input\npackage skilltape.rules.request.mine\n\nfindings contains {"effect": "deny", "message": "m"} if {\n\tsome a in input.claude.tool_names\n\tsome b in input.claude.tool_names\n\tsome c in input.claude.tool_names\n\tconcat("", [a, b, c]) == "never"\n}\n`,
    says: /took \d+ ms of processor time|gave no decision within/,
  },
];

test('a save with a fault changes no verdict, says file and line once, and the next good one ends it', async () => {
  const text = readFileSync(gateway.processor.logFile, 'utf8');
  for (const { name, path, text: broken, says } of faults) {
    const file = join(edits.directory, path);
    mkdirSync(dirname(file), { recursive: true });
    const existed = readdirSync(dirname(file)).includes(path.split('/').at(-1) ?? '');
    const before = existed ? readFileSync(file, 'utf8') : null;
    assert.equal((await edits.edit(() => writeFileSync(file, broken))).result, 'refused', name);
    const condition = await edits.condition();
    assert.equal(condition?.state, 'degraded', name);
    assert.match(condition?.reason ?? '', says, name);
    assert.equal((await edits.ready()).status, 200, name);
    assert.equal((await ask(name)).status, 200, name);
    const mended = await edits.edit(() => (before === null ? unlinkSync(file) : writeFileSync(file, before)));
    assert.equal(mended.result, 'unchanged', name);
    assert.equal((await edits.condition())?.state, 'ok', name);
    if (before === null) rmSync(dirname(file), { recursive: true });
  }
  const since = readFileSync(gateway.processor.logFile, 'utf8').slice(text.length);
  const told = since.split('the policy files have a fault: the policy before stays in force').length - 1;
  assert.equal(told, faults.length);
});

test('a start with faulty files goes on with the last policy in force, and says so', async () => {
  assert.equal(
    (await edits.save(denyList, edits.denying({ models: { names: ['claude-opus-5-5'], prefixes: [] } }))).result,
    'in_force',
  );
  assert.equal((await ask()).status, 403);
  await edits.save(denyList, '{');
  await gateway.restartProcessor();
  assert.equal((await edits.condition())?.state, 'degraded');
  assert.equal((await ask()).status, 403);

  assert.equal((await edits.save(denyList, shippedList)).result, 'in_force');
  assert.equal((await ask()).status, 200);
});
