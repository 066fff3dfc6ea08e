import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { maskCommand } from '../../../extproc/cli/mask.ts';
import { temporaryDirectory } from '../../builders/directory.ts';
import { ownList, ownNames, ownRule } from '../masking/own-list.ts';
import { CommandRunner, newRun } from './looking-fixture.ts';

type Span = { s: number; e: number; t: string; score: number; rule?: string; why?: string };
type Line = { id?: unknown; spans: Span[]; text: string };

async function run(lines: readonly string[], args: readonly string[] = []): Promise<Line[]> {
  const input = Readable.from([lines.map((line) => `${line}\n`).join('')]);
  const nothing = () => assert.fail('nothing recorded is looked at');
  const recorded = { openRecorded: nothing, openRemask: nothing };
  const { out, looks } = await new CommandRunner('').run(
    (looking) => maskCommand(looking, { input, recorded }),
    [...args],
    newRun(),
  );
  assert.deepEqual(looks, [], 'what was given is nobody else’s');
  return out
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Line);
}

const given = (text: string): string => JSON.stringify({ id: 'a', text });

test('each line comes back with its id, its spans and its masked text', async () => {
  const text = 'Write to ada@example.com, 😀 then 123-45-6789 and https://example.com/x.';
  const [line, other, ...more] = await run([given(text), '', JSON.stringify({ text: 'nothing here' })]);
  assert.deepEqual(more, []);
  assert.deepEqual(other, { spans: [], text: 'nothing here' });
  assert.equal(line?.id, 'a');
  assert.deepEqual(
    line.spans.map(({ s, e, t }) => [text.slice(s, e), t]),
    [
      ['ada@example.com', 'EMAIL_ADDRESS'],
      ['123-45-6789', 'US_SSN'],
      ['https://example.com/x', 'URL'],
    ],
  );
  assert.match(line.text, /^Write to \[EMAIL:[0-9a-f]{16}\], 😀 then \[SSN\] and \[URL:[0-9a-f]{16}\]\.$/);
});

test('a span in JSON, and in JSON within its strings, is the place of the characters as they are written', async () => {
  const inner = JSON.stringify({ 'to "bob"': 'é ada@example.com', password: 'hunter2' });
  const text = `{"note":${JSON.stringify(inner)},"card": 4111111111111111,"\\u0061da@example.org":1}`;
  const [line] = await run([given(text)]);
  assert.deepEqual(
    line?.spans.map(({ s, e }) => text.slice(s, e)),
    ['ada@example.com', 'hunter2', '4111111111111111', '\\u0061da@example.org'],
  );
});

test('--explain names the rule of each span', async () => {
  const [line] = await run([given('mail ada@example.com')], ['--explain']);
  assert.deepEqual(
    line?.spans.map(({ rule }) => rule),
    ['email'],
  );
});

test('--rules adds the detectors of a file or a policy directory, and --explain says why each counts', async (t) => {
  const folder = temporaryDirectory(t);
  const file = join(folder, 'lists', 'detectors', 'data.json');
  mkdirSync(dirname(file), { recursive: true });
  const rule = ownRule({ context: ['ticket'], positive: ['ticket TCK-12345'] });
  writeFileSync(file, JSON.stringify(ownList({ rules: [rule], names: [ownNames(['Acme Corp'])] })));
  for (const path of [file, folder]) {
    const [line] = await run([given('ticket TCK-12345 of acme corp, ada@example.com')], ['--rules', path, '--explain']);
    assert.match(line?.text ?? '', /^ticket \[TICKET\] of \[CUSTOMER\], \[EMAIL:/);
    assert.deepEqual(
      line?.spans.map(({ t: type, rule: id, why }) => [type, id, why]),
      [
        ['TICKET', 'own/ticket', 'your own: pattern, "ticket"'],
        ['CUSTOMER', 'own/customers', 'your own: listed'],
        ['EMAIL_ADDRESS', 'email', 'an address with a domain'],
      ],
    );
  }
});

test('rules with faults are refused with all of them, and so is a path that has none', async (t) => {
  const file = join(temporaryDirectory(t), 'rules.json');
  writeFileSync(file, JSON.stringify(ownList({ rules: [ownRule({ pattern: 'x+' }), ownRule({ type: 'x' })] })));
  const faults = { code: 'usage', message: /without bound.*\n.*not of the form.*\n.*given twice/s };
  await assert.rejects(run([given('x')], ['--rules', file]), faults);
  await assert.rejects(run([], ['--rules', `${file}.gone`]), { code: 'usage', message: /cannot be read/ });
});

test('--in reads a file', async (t) => {
  const file = join(temporaryDirectory(t), 'in.jsonl');
  writeFileSync(file, given('call +49 851 123456'));
  const [line] = await run([], ['--in', file]);
  assert.equal(line?.text, 'call [PHONE]');
  await assert.rejects(run([], ['--in', `${file}.gone`]), /the input cannot be read/);
});

test('a line that cannot be read is named by its number, and what it should be', async () => {
  await assert.rejects(run([given('x'), '{']), {
    code: 'usage',
    message: 'line 2 is no JSON',
    remedy: /one JSON object/,
  });
  await assert.rejects(run(['{"text":1}']), { code: 'usage', message: 'line 1 has no text' });
});

test('the same value in two documents has two tokens, so that a published run links nothing', async () => {
  const [one, two] = await run([given('ada@example.com'), JSON.stringify({ id: 'b', text: 'ada@example.com' })]);
  assert.notEqual(one?.text, two?.text);
});
