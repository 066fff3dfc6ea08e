import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { findJava } from '../../../extproc/tools/java.ts';
import { emptyMachine, javaScript, script } from './machine.ts';

test('ES_JAVA_HOME wins over JAVA_HOME, which wins over PATH', async (t) => {
  const machine = emptyMachine(t);
  machine.command('java', javaScript('/opt/path', 17));
  const homes = ['first', 'second'].map((name) => join(machine.root, name));
  for (const home of homes) script(join(home, 'bin', 'java'), javaScript(home, 21));
  const [first, second] = homes;
  const env = { ...machine.env, ES_JAVA_HOME: first, JAVA_HOME: second };
  assert.deepEqual(await findJava(env, 17), { kind: 'java', home: first, version: 21 });
  assert.deepEqual(await findJava({ ...env, ES_JAVA_HOME: '' }, 17), { kind: 'java', home: second, version: 21 });
  assert.deepEqual(await findJava(machine.env, 17), { kind: 'java', home: '/opt/path', version: 17 });
});

test('a Java that is too old, not there or no Java is passed over, and each is named when none is left', async (t) => {
  const machine = emptyMachine(t);
  const old = join(machine.root, 'old');
  script(join(old, 'bin', 'java'), javaScript(old, 11));
  const env = { ...machine.env, ES_JAVA_HOME: old, JAVA_HOME: '/nowhere' };
  machine.command('java', 'echo hello');
  assert.deepEqual(await findJava(env, 17), {
    kind: 'none',
    why: `${old} is Java 11, there is no /nowhere/bin/java, java is no usable Java`,
  });
  machine.command('java', javaScript('/opt/path', 17));
  assert.equal((await findJava(env, 17)).kind, 'java');
});

test('a Java 8, whose version is written in another way, is none of use', async (t) => {
  const machine = emptyMachine(t);
  machine.command('java', `printf '    java.home = /opt/8\\n    java.specification.version = 1.8\\n' >&2`);
  assert.deepEqual(await findJava(machine.env, 17), { kind: 'none', why: 'java is no usable Java' });
});
