import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { SkilltapeError } from '../../../extproc/errors.ts';
import { resolveTool } from '../../../extproc/tools/resolve.ts';
import { emptyMachine, findCommand, versionScripts } from './machine.ts';

const makeOpa = `cat > "$GOBIN/opa" <<'EOF'\n#!/bin/sh\n${versionScripts.opa('1.22.2')}\nEOF\nchmod 755 "$GOBIN/opa"`;

test('OPA is built by go install in the pinned version, undisturbed by the settings of the user', async (t) => {
  const machine = emptyMachine(t);
  for (const name of ['cat', 'chmod']) machine.borrow(name);
  const log = join(machine.root, 'log');
  machine.command('go', `echo "$* cgo=$CGO_ENABLED flags=$GOFLAGS os=$GOOS" > ${log}\n${makeOpa}`);
  const env = { ...machine.env, GOFLAGS: '-mod=vendor', GOOS: 'plan9' };
  const found = await resolveTool('opa', { env, progress: () => {} });
  assert.deepEqual(found, {
    path: join(machine.cache, 'opa-1.22.2', 'opa'),
    source: 'fetched',
    version: '1.22.2',
  });
  assert.equal(readFileSync(log, 'utf8'), 'install github.com/open-policy-agent/opa@v1.22.2 cgo=0 flags= os=\n');
  assert.equal((await resolveTool('opa', { env })).source, 'cache');
});

test('a long build says that it goes on', async (t) => {
  const machine = emptyMachine(t);
  for (const name of ['cat', 'chmod']) machine.borrow(name);
  const pipe = join(machine.root, 'pipe');
  execFileSync(findCommand('mkfifo'), [pipe]);
  // The build ends when the second line of progress has come, and not before.
  machine.command('go', `read line < ${pipe}\n${makeOpa}`);
  const lines: string[] = [];
  let beats = 0;
  const progress = (line: string): void => {
    lines.push(line);
    if (!/^building OPA: \d+ s$/.test(line)) return;
    beats += 1;
    if (beats === 2) writeFileSync(pipe, 'go on\n');
  };
  await resolveTool('opa', { env: machine.env, progress, progressIntervalMs: 5 });
  assert.match(lines[0] ?? '', /^building OPA 1\.22\.2 with go install/);
});

test('a failed build leaves nothing behind and repeats the last words of go', async (t) => {
  const machine = emptyMachine(t);
  machine.command('go', 'echo "some noise" >&2; echo "dial tcp: lookup proxy: no such host" >&2; exit 1');
  await assert.rejects(resolveTool('opa', { env: machine.env, progress: () => {} }), (error) => {
    assert.ok(error instanceof SkilltapeError && error.code === 'tool_missing');
    assert.match(error.message, /\(go install failed: dial tcp: lookup proxy: no such host\)/);
    return true;
  });
  assert.deepEqual(readdirSync(machine.cache), []);
});

test('a build that makes another version, or nothing, is refused', async (t) => {
  const machine = emptyMachine(t);
  for (const name of ['cat', 'chmod']) machine.borrow(name);
  machine.command('go', makeOpa.replace('1.22.2', '1.0.0'));
  await assert.rejects(resolveTool('opa', { env: machine.env, progress: () => {} }), /it is version 1\.0\.0/);
  machine.command('go', 'exit 0');
  await assert.rejects(resolveTool('opa', { env: machine.env, progress: () => {} }), /it is not there/);
  assert.ok(!existsSync(join(machine.cache, 'opa-1.22.2', 'opa')));
});
