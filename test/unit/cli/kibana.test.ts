import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { kibanaCommand } from '../../../extproc/cli/kibana.ts';
import { SkilltapeError } from '../../../extproc/errors.ts';
import { temporaryDirectory } from '../../builders/directory.ts';
import { skilltape } from '../../environment/command.ts';

async function run(...args: string[]): Promise<{ out: string; err: string }> {
  const said = { out: '', err: '' };
  const command = kibanaCommand({
    write: (text) => {
      said.out += text;
    },
    writeError: (text) => {
      said.err += text;
    },
  });
  await command.parseAsync(args, { from: 'user' });
  return said;
}

test('the export is NDJSON on standard output, and says beside it when ids are no links', async () => {
  const plain = await run('export');
  assert.equal(plain.out.trimEnd().split('\n').length, 9);
  assert.ok(plain.out.endsWith('\n'));
  assert.match(plain.err, /--console-url/);
  const linked = await run('export', '--console-url', 'https://skilltape.example.com', '--prefix', 'tape');
  assert.equal(linked.err, '');
  assert.ok(linked.out.includes('https://skilltape.example.com/exchanges/'));
  assert.ok(!linked.out.includes('skilltape-*'));
});

test('the export goes into a file when one is named', async (t) => {
  const file = join(temporaryDirectory(t), 'kibana.ndjson');
  const { out } = await run('export', '--out', file);
  assert.equal(out, '');
  assert.equal(readFileSync(file, 'utf8'), (await run('export')).out);
});

test('what is given wrongly is told with a remedy, before anything is sent', async (t) => {
  const key = join(temporaryDirectory(t), 'key');
  writeFileSync(key, 'a2V5', { mode: 0o600 });
  const mistakes: [string[], RegExp][] = [
    [['export', '--out', '/nowhere/at/all/x.ndjson'], /--out/],
    [['import', '--url', 'http://kibana.example.com', '--api-key-file', key], /--url/],
    [['import', '--url', 'https://u:p@kibana.example.com', '--api-key-file', key], /--url/],
    [['import', '--url', 'https://kibana.example.com'], /credential/],
    [['import', '--url', 'https://kibana.example.com', '--username-file', key], /credential/],
    [['import', '--url', 'https://kibana.example.com', '--api-key-file', key, '--space', 'a/b'], /--space/],
    [['import', '--url', 'https://kibana.example.com', '--api-key-file', key, '--wait', 'long'], /--wait/],
  ];
  for (const [args, about] of mistakes) {
    await assert.rejects(run(...args), (error) => {
      assert.ok(error instanceof SkilltapeError, String(error));
      assert.equal(error.code, 'usage');
      assert.match(error.message, about);
      assert.notEqual(error.remedy ?? '', '');
      return true;
    });
  }
});

test('a mistake on the command line ends with status 2', async () => {
  for (const args of [
    ['export', '--prefix', 'A'],
    ['import', '--nothing'],
  ]) {
    const { status, stdout, stderr } = await skilltape(['kibana', ...args]);
    assert.equal(status, 2, args.join(' '));
    assert.equal(stdout, '');
    assert.notEqual(stderr, '');
  }
});
