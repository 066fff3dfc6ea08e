import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { messagesBody } from '../builders/messages-body.ts';
import { skilltape } from '../environment/command.ts';
import type { TestGateway } from '../environment/gateway.ts';
import { startTestGateway } from '../environment/gateway.ts';
import { denyList, ownPolicies, policyEdits } from '../environment/policy-edits.ts';
import { waitUntil } from '../environment/wait.ts';
import { saveUnderLoad } from '../torture/live-edit.ts';
import { ownList, ownRule } from '../unit/masking/own-list.ts';

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

/** One of each step that a save can fail at; `test/unit/policy/check.test.ts` has all kinds. */
const mine = 'rules/request/mine/mine.rego';
const rule = `# METADATA\n# schemas:\n#   - input: schema.request.input\npackage skilltape.rules.request.mine\n\n`;
const faults: readonly { name: string; path: string; text: string; says: RegExp }[] = [
  { name: 'a half list', path: denyList, text: '{"subjects": [', says: /lists\/deny\/data\.json:1: not JSON/ },
  { name: 'a half rule', path: mine, text: `${rule}findings contains x if {\n`, says: /mine\/mine\.rego:\d+: / },
  {
    name: 'a test that fails',
    path: 'rules/request/body_parsed/body_parsed_test.rego',
    text: 'package skilltape.rules.request.body_parsed_test\n\ntest_success_never if false\n',
    says: /body_parsed_test\.rego:3: the test test_success_never fails/,
  },
];

test('a save with a fault changes no verdict, says file and line once, and the next good one ends it', async () => {
  const before = readFileSync(gateway.processor.logFile, 'utf8').length;
  for (const { name, path, text, says } of faults) {
    const file = join(edits.directory, path);
    mkdirSync(dirname(file), { recursive: true });
    const old = existsSync(file) ? readFileSync(file, 'utf8') : null;
    assert.equal((await edits.edit(() => writeFileSync(file, text))).result, 'refused', name);
    const condition = await edits.condition();
    assert.equal(condition?.state, 'degraded', name);
    assert.match(condition?.reason ?? '', says, name);
    assert.equal((await edits.ready()).status, 200, name);
    assert.equal((await ask()).status, 200, name);
    const mended = await edits.edit(() => (old === null ? unlinkSync(file) : writeFileSync(file, old)));
    assert.equal(mended.result, 'unchanged', name);
    assert.equal((await edits.condition())?.state, 'ok', name);
  }
  const since = readFileSync(gateway.processor.logFile, 'utf8').slice(before);
  const told = since.split('the policy files have a fault: the policy before stays in force').length - 1;
  assert.equal(told, faults.length);
});

test('a start with faulty files goes on with the last policy in force, and says so', async () => {
  const denying = edits.denying({ models: { names: ['claude-opus-5-5'], prefixes: [] } });
  assert.equal((await edits.save(denyList, denying)).result, 'in_force');
  assert.equal((await ask()).status, 403);
  assert.equal((await edits.save(denyList, '{')).result, 'refused');
  const starts = () => readFileSync(gateway.processor.logFile, 'utf8').split('"msg":"recording"').length;
  const before = starts();
  await gateway.restartProcessor();
  await waitUntil('the start', () => starts() > before);
  await waitUntil('what the start says', async () => (await edits.condition())?.state === 'degraded');
  await waitUntil('Envoy to find it', async () => (await ask()).status === 403);

  assert.equal((await edits.save(denyList, shippedList)).result, 'in_force');
  assert.equal((await ask()).status, 200);
  const { stdout } = await skilltape(['policy', 'log', '--json', '--config', gateway.configFile]);
  const causes = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
    .filter(({ kind }) => kind === 'policies')
    .map(({ cause }) => cause);
  assert.deepEqual(causes, ['edit', 'edit', 'edit', 'edit', 'start']);
});

test('detectors and lists that are saved find what is sent next, in a small body and a large one', async () => {
  const lists = ['detectors', 'findings'].map((name) => `lists/${name}/data.json`);
  const before = lists.map(edits.read);
  const save = (badge: string) =>
    edits.edit(() => {
      const detectors = ownList({
        rules: [ownRule({ id: 'badge', type: 'BADGE', pattern: `${badge}-[0-9]{4}`, positive: [`${badge}-1234`] })],
      });
      const findings = { rules: [{ effect: 'deny', types: ['BADGE'] }] };
      for (const [at, list] of [detectors, findings].entries()) {
        writeFileSync(join(edits.directory, lists[at] ?? ''), JSON.stringify(list));
      }
    });
  // Bodies are searched in a thread of their own, which goes on when policies change.
  const statuses = async (badge: string) => {
    const long = 'a long line of a document that somebody pasted. '.repeat(15_000);
    return [(await ask(`my badge is ${badge}-1234`)).status, (await ask(`${long} ${badge}-1234`)).status];
  };
  assert.deepEqual(await statuses('QXA'), [200, 200]);
  assert.equal((await save('QXA')).result, 'in_force');
  assert.deepEqual(await statuses('QXA'), [403, 403]);
  assert.deepEqual(await statuses('QXB'), [200, 200]);
  assert.equal((await save('QXB')).result, 'in_force');
  assert.deepEqual(await statuses('QXA'), [200, 200]);
  assert.deepEqual(await statuses('QXB'), [403, 403]);
  const restored = await edits.edit(() => {
    for (const [at, text] of before.entries()) writeFileSync(join(edits.directory, lists[at] ?? ''), text);
  });
  assert.equal(restored.result, 'in_force');
  assert.deepEqual(await statuses('QXB'), [200, 200]);
});

/** What was planted may stand in the prompt that was recorded, and nowhere else. */
test('a rule that repeats what it reads of a prompt tells neither caller nor log nor record of it', async () => {
  const folder = 'rules/request/talkative';
  const text = [
    ...[
      '# METADATA',
      '# schemas:',
      '#   - input: schema.request.input',
      'package skilltape.rules.request.talkative',
      '',
    ],
    'findings contains {"effect": "deny", "message": $"You said: {input.excerpt.text}"} if contains(input.excerpt.text, "zz")',
    '',
  ];
  mkdirSync(join(edits.directory, folder), { recursive: true });
  const file = join(edits.directory, folder, 'talkative.rego');
  assert.equal((await edits.edit(() => writeFileSync(file, text.join('\n')))).result, 'in_force');
  const planted = 'zzplanted';
  const answer = await ask(`the word is ${planted}`);
  assert.equal(answer.status, 403);
  assert.equal((await ask('another word')).status, 200);
  const { skilltape } = await gateway.document(answer.exchangeId);
  assert.deepEqual(
    skilltape.verdict.reasons.map(({ rule, message }) => [rule, message]),
    [['request/talkative', 'A rule of the policy applies.']],
  );
  for (const told of [
    String(answer.body),
    JSON.stringify(skilltape.verdict),
    readFileSync(gateway.processor.logFile, 'utf8'),
  ])
    assert.ok(!told.includes(planted));
  assert.equal((await edits.edit(() => rmSync(join(edits.directory, folder), { recursive: true }))).result, 'in_force');
});

test('saves under load fail no exchange, with two workers, and each verdict is that of one of the policies', async (t) => {
  const seed = Math.floor(Math.random() * 2 ** 32);
  t.diagnostic(`seed ${seed}`);
  const pair = await startTestGateway({ ...ownPolicies, workers: 2 });
  t.after(() => pair.stop());
  const { counts, violations } = await saveUnderLoad(pair, { seed, rounds: 4, progress: () => {} });
  t.diagnostic(JSON.stringify(counts));
  assert.deepEqual(violations, []);
  assert.ok((counts.exchanges ?? 0) > 10);
});
