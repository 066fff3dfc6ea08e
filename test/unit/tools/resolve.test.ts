import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { SkilltapeError } from '../../../extproc/errors.ts';
import { resolveTool } from '../../../extproc/tools/resolve.ts';
import type { ToolName } from '../../../extproc/tools/versions.ts';
import { emptyMachine, type Machine, script, versionScripts } from './machine.ts';

const envoy = versionScripts.envoy('1.40.0');
const opa = versionScripts.opa('1.22.2');

type Resolving = { message: string; lines: string[] };

async function refusal(tool: ToolName, machine: Machine, env: Record<string, string> = {}): Promise<Resolving> {
  const lines: string[] = [];
  const options = { env: { ...machine.env, ...env }, progress: (line: string) => void lines.push(line) };
  const error = await resolveTool(tool, options).then(
    () => null,
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof SkilltapeError && error.code === 'tool_missing', String(error));
  assert.match(error.message, /^(Envoy|OPA) [\d.]+ is missing, which skilltape needs to .+: .+; .+\.$/);
  assert.ok(!error.message.includes('\n'));
  return { message: error.message, lines };
}

test('the variable wins over PATH and cache', async (t) => {
  const machine = emptyMachine(t);
  machine.command('envoy', envoy);
  const named = script(join(machine.root, 'mine'), envoy);
  const found = await resolveTool('envoy', { env: { ...machine.env, ENVOY_BIN: named } });
  assert.deepEqual(found, { path: named, source: 'env', version: '1.40.0' });
});

test('a variable that names nothing, no program or another version is refused, even where PATH has the tool', async (t) => {
  const machine = emptyMachine(t);
  machine.command('envoy', envoy);
  const plain = join(machine.root, 'plain');
  writeFileSync(plain, 'x');
  const old = script(join(machine.root, 'old'), versionScripts.envoy('1.39.0'));
  const strange = script(join(machine.root, 'strange'), 'echo hello; exit 0');
  const cases: [string, RegExp][] = [
    ['/nowhere/envoy', /ENVOY_BIN names \/nowhere\/envoy, which does not exist/],
    [machine.root, /it is not a file/],
    [plain, /it is not executable/],
    [old, /which is version 1\.39\.0; set ENVOY_BIN to a copy of Envoy 1\.40\.0, or unset it/],
    [strange, /asked for its version, it said: hello/],
  ];
  for (const [path, expected] of cases) {
    const { message, lines } = await refusal('envoy', machine, { ENVOY_BIN: path });
    assert.match(message, expected);
    assert.deepEqual(lines, []);
  }
});

test('an empty variable is no variable', async (t) => {
  const machine = emptyMachine(t);
  const path = machine.command('opa', opa);
  assert.equal((await resolveTool('opa', { env: { ...machine.env, OPA_BIN: '' } })).path, path);
});

test('PATH is taken only in the pinned version, and never by a relative entry', async (t) => {
  const machine = emptyMachine(t);
  machine.command('opa', versionScripts.opa('0.70.0'));
  const second = script(join(machine.root, 'second', 'opa'), opa);
  const env = { ...machine.env, PATH: `.:bin::${machine.bin}:${join(machine.root, 'second')}` };
  assert.deepEqual(await resolveTool('opa', { env }), { path: second, source: 'path', version: '1.22.2' });
});

test('a version that was passed over on PATH is named when nothing else is found', async (t) => {
  const machine = emptyMachine(t);
  machine.command('opa', versionScripts.opa('0.70.0'));
  const { message } = await refusal('opa', machine);
  assert.match(message, /there is no go; \S+\/bin\/opa is version 0\.70\.0/);
  assert.match(message, /set OPA_BIN to a copy of it, put it on PATH, or provide Go/);
});

test('the cache is used without a word', async (t) => {
  const machine = emptyMachine(t);
  const cached = script(join(machine.cache, 'opa-1.22.2', 'opa'), opa);
  const lines: string[] = [];
  const found = await resolveTool('opa', { env: machine.env, progress: (line) => void lines.push(line) });
  assert.deepEqual(found, { path: cached, source: 'cache', version: '1.22.2' });
  assert.deepEqual(lines, []);
});

test('without XDG_CACHE_HOME the cache is under the home', async (t) => {
  const machine = emptyMachine(t);
  const home = machine.env.HOME ?? '';
  const cached = script(join(home, '.cache', 'skilltape', 'opa-1.22.2', 'opa'), opa);
  assert.equal((await resolveTool('opa', { env: { PATH: machine.bin, HOME: home } })).path, cached);
  const relative = { PATH: machine.bin, HOME: home, XDG_CACHE_HOME: 'relative' };
  assert.equal((await resolveTool('opa', { env: relative })).path, cached);
});

test('a broken file in the cache is replaced', async (t) => {
  const machine = emptyMachine(t);
  const cached = script(join(machine.cache, 'opa-1.22.2', 'opa'), 'exit 1');
  machine.command('go', `cat > "$GOBIN/opa" <<'EOF'\n#!/bin/sh\n${opa}\nEOF\nchmod 755 "$GOBIN/opa"`);
  for (const name of ['cat', 'chmod']) machine.borrow(name);
  const found = await resolveTool('opa', { env: machine.env, progress: () => {} });
  assert.deepEqual(found, { path: cached, source: 'fetched', version: '1.22.2' });
});

test('a cache that cannot be written is said in the sentence', async (t) => {
  const machine = emptyMachine(t);
  writeFileSync(join(machine.root, 'cache'), 'a file where a folder should be');
  const { message } = await refusal('opa', machine);
  assert.match(message, /the tool cache cannot be written: ENOTDIR/);
});

test('folders that a killed fetch left a day ago are removed, younger ones are left alone', async (t) => {
  const machine = emptyMachine(t);
  const old = join(machine.cache, '.fetch-old');
  const young = join(machine.cache, '.fetch-young');
  for (const folder of [old, young]) mkdirSync(folder, { recursive: true });
  utimesSync(old, 0, 0);
  await refusal('opa', machine);
  assert.deepEqual(readdirSync(machine.cache), ['.fetch-young']);
  assert.ok(existsSync(young));
});

test('two processes that fetch at once both end with a whole tool', async (t) => {
  const machine = emptyMachine(t);
  machine.command('go', `cat > "$GOBIN/opa" <<'EOF'\n#!/bin/sh\n${opa}\nEOF\nchmod 755 "$GOBIN/opa"`);
  for (const name of ['cat', 'chmod']) machine.borrow(name);
  const options = { env: machine.env, progress: () => {} };
  const [first, second] = await Promise.all([resolveTool('opa', options), resolveTool('opa', options)]);
  assert.equal(first.path, second.path);
  assert.match(readFileSync(first.path, 'utf8'), /1\.22\.2/);
  assert.deepEqual(readdirSync(machine.cache), ['opa-1.22.2']);
});

test('a tool for another kind of machine is said to be unusable', async (t) => {
  const machine = emptyMachine(t);
  const foreign = join(machine.root, 'foreign');
  writeFileSync(foreign, Buffer.from('7f454c46ffff', 'hex'));
  chmodSync(foreign, 0o755);
  const { message } = await refusal('opa', machine, { OPA_BIN: foreign });
  assert.match(message, /cannot be used \(/);
});
