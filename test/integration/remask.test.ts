import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { messagesBody } from '../builders/messages-body.ts';
import { tablesOf } from '../environment/byte-scan.ts';
import { type CommandResult, skilltape } from '../environment/command.ts';
import type { TestGateway } from '../environment/gateway.ts';
import { startTestGateway } from '../environment/gateway.ts';
import { operationsOf } from '../environment/operations-call.ts';
import { waitUntil } from '../environment/wait.ts';
import { valueIn } from '../unit/operations/exposition.ts';

/** A gateway whose masking has so little time that a long prompt fails; `skilltape` is given more. */
let gateway: TestGateway;
let roomyConfig: string;
let headers: { authorization: string };
before(async () => {
  gateway = await startTestGateway({ settings: { masking: { exchangeBudgetMs: 1 } } });
  headers = { authorization: `Bearer ${await gateway.token()}` };
  roomyConfig = join(gateway.directory, 'roomy.yaml');
  const written = readFileSync(gateway.configFile, 'utf8');
  const roomy = written.replace(/("?exchangeBudgetMs"?: )1\b/, '$160000');
  assert.notEqual(roomy, written);
  writeFileSync(roomyConfig, roomy);
});
after(() => gateway.stop());

const word = 'Zwiebelkuchen';
const mail = 'grace@navy.example.org';
const long = `${word} `.repeat(30_000) + mail;

function run(...args: string[]): Promise<CommandResult> {
  return skilltape(['--config', roomyConfig, ...args]);
}

test('an exchange whose masking takes too long is metadata in the index, says why, and is masked again on demand', async () => {
  const failed = await gateway.post(messagesBody(long), headers);
  const masked = await gateway.post(messagesBody('a short prompt'), headers);
  assert.deepEqual([failed.status, masked.status], [200, 200]);
  const document = await gateway.document(failed.exchangeId);
  const { masking, keep } = document.skilltape;
  assert.deepEqual([masking.status, keep, document.user?.id], ['failed', 'metadata', 'alice']);
  assert.match(masking.reason, /^masking took longer than masking\.exchangeBudgetMs allows \(1 ms\)$/);
  assert.equal((await gateway.document(masked.exchangeId)).skilltape.masking.status, 'masked');
  const tables = [...tablesOf(join(gateway.dataDirectory, 'index.sqlite')).values()];
  assert.ok(tables.every((values) => !values.includes(word)));

  const found = await run('search', '--masking-failed');
  assert.ok(found.stdout.includes(failed.exchangeId) && !found.stdout.includes(masked.exchangeId));
  assert.match(
    (await run('show', failed.exchangeId)).stdout.replaceAll(/\s+/g, ' '),
    /masking failed.*masking\.exchangeBudgetMs/,
  );
  await waitUntil('the failure in the figures', async () => {
    const series = await operationsOf(gateway).series();
    return valueIn(series, 'skilltape_masking_failures_total') === 1;
  });

  const counted = await run('mask', '--recorded', '--json');
  assert.equal(counted.status, 0, counted.stderr);
  const { byRule, ...counts } = JSON.parse(counted.stdout) as Record<string, object[]>;
  assert.ok(
    byRule?.some((rule) => JSON.stringify(rule).includes('"rule":"email","place":"messages"')),
    counted.stdout,
  );
  assert.deepEqual({ ...counts, byPlace: [] }, { exchanges: 2, notIndexed: 0, failed: {}, changed: 1, byPlace: [] });
  assert.ok(!counted.stdout.includes(mail));
  assert.equal((await gateway.document(failed.exchangeId)).skilltape.masking.status, 'failed');

  assert.equal((await run('remask')).status, 2);
  const again = await run('remask', '--reason', `ticket of ${mail}`, '--json');
  assert.equal(again.status, 0, again.stderr);
  const told = { selected: 1, remasked: 1, unchanged: 0, metadata: 0, failed: 0, gone: 0, absent: 0 };
  const done = { ...told, waiting: null, next: null };
  assert.deepEqual(JSON.parse(again.stdout), done);
  const now = await gateway.document(failed.exchangeId);
  assert.equal(now.skilltape.masking.status, 'masked');
  assert.match(JSON.stringify(now.skilltape.new_messages), /Zwiebelkuchen \[EMAIL:/);
  assert.ok((await run('search', word)).stdout.includes(failed.exchangeId));
  assert.equal((await run('remask', '--reason', 'again')).status, 1);
  const everything = await run('remask', '--all', '--from', '-1d', '--reason', 'again', '--json');
  assert.deepEqual(JSON.parse(everything.stdout), { ...done, selected: 2, remasked: 0, unchanged: 2 });

  const next = await gateway.post(messagesBody('another short prompt'), headers);
  assert.equal((await gateway.document(next.exchangeId)).gen_ai.input.text, 'another short prompt');
  const looks = (await run('looks', '--json')).stdout;
  assert.match(looks, /"what":"remask","subject":"noise: true\\nmaskingFailed: true","why":"ticket of \[EMAIL:/);
  assert.match(looks, /"what":"mask","subject":"recorded exchanges"/);
});

test('raw bytes that are nowhere any more are told, and what the index has of them stays', async () => {
  const failed = await gateway.post(messagesBody(long), headers);
  await gateway.document(failed.exchangeId);
  const unknown = failed.exchangeId.replace(/.$/, (digit) => (digit === '0' ? '1' : '0'));
  const { status, stdout } = await run('remask', unknown, '--reason', 'x');
  assert.equal(status, 3);
  assert.match(stdout, /^1 selected: 0 masked anew, 0 unchanged, 0 failed, 1 without raw bytes\n$/);
  assert.equal((await gateway.document(failed.exchangeId)).skilltape.masking.status, 'failed');
});
