import assert from 'node:assert/strict';
import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { readSources, revisionOf, sourceFileMaxBytes } from '../../../extproc/policy/sources.ts';
import { policyDirectory } from '../../policy/directory.ts';

test('rules, lists and capabilities are read; tests, schemas, notes and hidden files are left out', async (t) => {
  const directory = policyDirectory(t, {
    'b/b.rego': 'b',
    'a/a.rego': 'a',
    'a/a_test.rego': 'test',
    'lists/data.json': '{}',
    'schemas/access/input.json': '{}',
    'capabilities.json': '{}',
    'README.md': 'x',
    '.git/x.rego': 'x',
  });
  const sources = await readSources(directory);
  assert.deepEqual([...sources.compiled.keys()], ['a/a.rego', 'b/b.rego', 'lists/data.json']);
  assert.equal(sources.capabilities?.toString(), '{}');
});

test('a list or a rule under another name than its own is refused, since it would match nobody', async (t) => {
  const lists = ['lists/deny.json', 'data.yaml', 'lists/data.yml', 'lists/DATA.JSON'];
  for (const path of [...lists, 'rules/request/a/a.reg', 'a.REGO', 'a.rego.txt']) {
    const directory = policyDirectory(t, { 'a.rego': 'a', [path]: '{}' });
    const where = 'rules are in files named <rule>.rego, data in files named data.json, schemas in schemas/';
    const message = `${join(directory, path)} would not be read: ${where}`;
    await assert.rejects(readSources(directory), { code: 'policy_invalid', message });
  }
});

test('a file over the limit is refused by name', async (t) => {
  const most = policyDirectory(t, { 'a.rego': 'x'.repeat(sourceFileMaxBytes) });
  assert.equal((await readSources(most)).compiled.size, 1);
  const over = policyDirectory(t, { 'a.rego': 'x'.repeat(sourceFileMaxBytes + 1) });
  await assert.rejects(readSources(over), { message: `${join(over, 'a.rego')} is larger than 1048576 bytes` });
});

test('a symbolic link to a folder is refused', async (t) => {
  const directory = policyDirectory(t, { 'a.rego': 'a' });
  symlinkSync('/', join(directory, 'all'));
  await assert.rejects(readSources(directory), { message: `${join(directory, 'all')} is a symbolic link` });
});

test('a directory that is missing, empty or too deep is refused', async (t) => {
  const directory = policyDirectory(t, { 'README.md': 'x', [`${'d/'.repeat(20)}a.rego`]: 'x' });
  await assert.rejects(readSources(join(directory, 'none')), { code: 'policy_invalid', message: /cannot be read$/ });
  await assert.rejects(readSources(policyDirectory(t, { 'README.md': 'x' })), { message: /has no Rego files$/ });
  await assert.rejects(readSources(directory), { message: /is deeper than 16 folders$/ });
});

test('the revision tells two files from one that holds both', async (t) => {
  const revisions = await Promise.all(
    [{ 'a.rego': 'x', 'b.rego': 'y' }, { 'a.rego': 'xb.rego\u00001\u0000y' }, { 'a.rego': 'y', 'b.rego': 'x' }].map(
      async (files) => revisionOf(await readSources(policyDirectory(t, files as Record<string, string>))),
    ),
  );
  assert.equal(new Set(revisions).size, 3);
});
