import assert from 'node:assert/strict';
import { cpSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { skilltape } from '../environment/command.ts';
import type { TestGateway } from '../environment/gateway.ts';
import { startTestGateway } from '../environment/gateway.ts';
import { operationsOf } from '../environment/operations-call.ts';
import { waitUntil } from '../environment/wait.ts';
import { valueIn } from '../unit/operations/exposition.ts';

const shipped = fileURLToPath(new URL('../../policies', import.meta.url));
const mail = 'grace@navy.example.org';
const address = '203.0.113.77';
const key = `ghp_${'a1B2c3D4e5F6'.repeat(3)}`;

/** Of the connection `sandbox`, addresses of hosts are readable, tools are not kept, and mail is linked for a person. */
const rules = [
  { when: { connections: ['sandbox'] }, off: ['IP'], drop: ['tools'], scopes: { EMAIL: 'identity' } },
  { when: { groups: ['nobody has this one'] }, off: ['EMAIL'] },
];

/** People in the group `support` may not send secrets. */
const refused = [{ when: { groups: ['support'] }, effect: 'deny', types: ['SECRET'], places: ['messages', 'system'] }];

let gateway: TestGateway;
before(async () => {
  gateway = await startTestGateway({
    settings: { policies: { directory: 'policies' } },
    prepare(directory) {
      cpSync(shipped, join(directory, 'policies'), { recursive: true });
      writeFileSync(join(directory, 'policies/lists/masking/data.json'), JSON.stringify({ rules }));
      writeFileSync(join(directory, 'policies/lists/findings/data.json'), JSON.stringify({ rules: refused }));
    },
  });
});
after(() => gateway.stop());

async function ask(path: string, marker: string) {
  const body = {
    ...{ model: 'claude-opus-5-5', max_tokens: 64 },
    tools: [{ name: 'find', description: `a tool of ${mail}`, input_schema: { type: 'object' } }],
    messages: [{ role: 'user', content: `${marker} ${mail} ${address} ${key}` }],
  };
  const headers = { authorization: `Bearer ${await gateway.token()}` };
  const { status, exchangeId } = await gateway.post(JSON.stringify(body), headers, path);
  assert.equal(status, 200);
  return gateway.document(exchangeId);
}

test('policy decides by connection what is masked, and what was found is told', async () => {
  const usual = await ask('/v1/messages', 'first');
  assert.match(usual.gen_ai.input.text, /^first \[EMAIL:.{16}\] \[IP:.{16}\] \[SECRET:.{16}\]$/);
  assert.ok(JSON.stringify(usual.skilltape.tools).includes('a tool of [EMAIL:'));

  const other = await ask('/sandbox/v1/messages', 'second');
  assert.match(other.gen_ai.input.text, /^second \[EMAIL:.{16}\] 203\.0\.113\.77 \[SECRET:.{16}\]$/);
  assert.equal(other.skilltape.tools, null);
  const { readable, dropped, findings } = other.skilltape.masking;
  assert.deepEqual([readable, dropped], [['IP'], ['tools']]);
  assert.ok(findings.some(({ type, place }) => type === 'SECRET' && place === 'messages'));
  assert.ok(!findings.some(({ type }) => type === 'IP'));

  const again = await ask('/sandbox/v1/messages', 'third');
  const tokenOf = ({ gen_ai: { input } }: typeof other) => input.text.split(' ')[1];
  assert.notEqual(again.skilltape.session.id, other.skilltape.session.id);
  assert.equal(tokenOf(again), tokenOf(other));
  assert.notEqual(tokenOf(usual), tokenOf(other));

  const run = (...args: string[]) => skilltape(['--config', gateway.configFile, ...args]);
  const found = await run('search', '--masked', 'ip', '--json');
  assert.ok(found.stdout.includes(usual.event.id) && !found.stdout.includes(other.event.id), found.stderr);
  const shown = await run('show', other.event.id);
  assert.match(shown.stdout, /^not masked {2}IP\nnot kept {4}tools$/m);

  const series = await waitUntil('the findings in the figures', async () => {
    const now = await operationsOf(gateway).series();
    return valueIn(now, 'skilltape_shipped_exchanges_total') === 3 && now;
  });
  const secrets = [usual, other, again]
    .flatMap(({ skilltape: { masking } }) => masking.findings.filter(({ type }) => type === 'SECRET'))
    .reduce((sum, { count }) => sum + count, 0);
  assert.ok(secrets >= 3);
  assert.equal(valueIn(series, 'skilltape_masking_findings_total', { type: 'SECRET' }), secrets);
  assert.equal(valueIn(series, 'skilltape_masking_findings_total', { type: 'CARD' }), 0);
});

test('policy refuses a request for what was found in it, small or large, and says the type and not the value', async () => {
  const send = async (subject: string, content: string) => {
    const body = { model: 'claude-opus-5-5', max_tokens: 64, messages: [{ role: 'user', content }] };
    const headers = { authorization: `Bearer ${await gateway.token(subject)}` };
    return gateway.post(JSON.stringify(body), headers);
  };
  const long = 'a long story. '.repeat(20_000);
  for (const content of [key, `${long} ${key}`]) {
    const { status, body, exchangeId } = await send('bob', content);
    assert.equal(status, 403);
    const said = body.toString();
    assert.match(said, /The request holds what may not be sent through this gateway: SECRET\./);
    assert.ok(!said.includes(key));
    const { skilltape: recorded } = await gateway.document(exchangeId);
    assert.deepEqual(
      recorded.verdict.reasons.map(({ rule }) => rule),
      ['request/findings_listed'],
    );
    assert.equal((await send('alice', content)).status, 200);
  }
  assert.equal((await send('bob', `${long} ${mail}`)).status, 200);
  assert.equal((await send('bob', 'x y '.repeat(300_000))).status, 403, 'too long to be searched whole');
});
