import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { temporaryDirectory } from '../../builders/directory.ts';
import { skilltape } from '../../environment/command.ts';

const shippedFile = fileURLToPath(new URL('../../../envoy/envoy.yaml', import.meta.url));

function fileWith(t: TestContext, change: (text: string) => string): string {
  const file = join(temporaryDirectory(t), 'envoy.yaml');
  writeFileSync(file, change(readFileSync(shippedFile, 'utf8')));
  return file;
}

test('doctor ends with 0 on the shipped configuration and says what was looked for', async (t) => {
  const { status, stdout } = await skilltape(['doctor', fileWith(t, (text) => text)]);
  assert.equal(status, 0);
  assert.match(stdout, /^No trap in .*envoy\.yaml; \d{2,} were looked for\. No skilltape\.yaml was compared/);
});

test('doctor ends with 1 on a trap, and says place, reason and the line to change', async (t) => {
  const file = fileWith(t, (text) => text.replace('failure_mode_allow: false', 'failure_mode_allow: true'));
  const { status, stdout } = await skilltape(['doctor', file]);
  assert.equal(status, 1);
  assert.match(stdout, /envoy\.yaml:\d+ critical ext-proc-fails-open: /);
  for (const word of ['found ', 'at ', 'why ', 'change ']) assert.match(stdout, new RegExp(`^ {2}${word}`, 'm'));
  assert.match(stdout, /^1 trap in /m);
});

test('doctor --json prints one document', async (t) => {
  const file = fileWith(t, (text) => text.replace('failure_mode_allow: false', 'failure_mode_allow: true'));
  const { status, stdout } = await skilltape(['doctor', '--json', file]);
  const document = JSON.parse(stdout) as { files: string[]; traps: Record<string, unknown>[]; live: unknown };
  assert.deepEqual([status, document.files, document.live], [1, [file], null]);
  const [trap] = document.traps;
  const keys = ['id', 'severity', 'invariants', 'title', 'file', 'line', 'path', 'found', 'why', 'change'];
  assert.deepEqual(Object.keys(trap ?? {}).sort(), keys.sort());
});

test('doctor ends with 2 when the file cannot be read, and when skilltape.yaml beside it is faulty', async (t) => {
  const absent = await skilltape(['doctor', join(temporaryDirectory(t), 'none.yaml')]);
  assert.deepEqual([absent.status, absent.stdout], [2, '']);
  assert.match(absent.stderr, /none\.yaml cannot be read/);
  const file = fileWith(t, (text) => text);
  writeFileSync(join(file, '..', 'skilltape.yaml'), 'workers: many');
  const faulty = await skilltape(['doctor', file]);
  assert.deepEqual([faulty.status, faulty.stdout], [2, '']);
  assert.match(faulty.stderr, /workers/);
  assert.equal((await skilltape(['doctor'])).status, 2);
});

test('what stands in a file does not reach the terminal as it is', async (t) => {
  const file = fileWith(t, (text) => text.replace('cluster: upstream_claude\n', 'cluster: "bad\\e[2J"\n'));
  const { status, stdout } = await skilltape(['doctor', file]);
  assert.equal(status, 1);
  assert.ok(!stdout.includes('\u001b'));
  assert.match(stdout, /<U\+001B>/);
});
