import assert from 'node:assert/strict';
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { parseConfig } from '../../../extproc/config/parse.ts';
import { commandWrap } from '../../../extproc/keys/command.ts';
import { nodeKeyFiles } from '../../../extproc/keys/files.ts';
import { masterFromFile } from '../../../extproc/keys/master.ts';
import { openOpener } from '../../../extproc/keys/opener.ts';
import { rotateMaster } from '../../../extproc/keys/rotate.ts';
import { unwrapMaster, withWrappedMaster, wrapMaster } from '../../../extproc/keys/wrapped-master.ts';
import { waitUntil } from '../../environment/wait.ts';
import { alice, bytesOf, keyring } from './keyring.ts';

/** Keeps what it was given in its place under a number; behaves as the file `mood` says. */
const program = `
const { appendFileSync, existsSync, readFileSync, writeFileSync } = require('node:fs');
const { spawn } = require('node:child_process');
const [directory, ...args] = process.argv.slice(2);
const mood = readFileSync(directory + '/mood', 'utf8');
appendFileSync(directory + '/runs', JSON.stringify({ args, env: process.env, pid: process.pid }) + '\\n');
if (mood === 'failing') { console.error('first words\\nthe service is sealed'); process.exit(3); }
if (mood === 'deaf') process.exit(0);
if (mood === 'hanging') {
  // With a child that would hold the pipes open.
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'inherit' });
  writeFileSync(directory + '/child', String(child.pid));
  setInterval(() => {}, 1000);
  process.on('SIGTERM', () => {});
}
if (mood === 'babbling') { for (;;) process.stdout.write('x'.repeat(4096)); }
if (mood === 'muttering') { for (let at = 0; at < 500; at += 1) process.stderr.write('x'.repeat(4096)); process.exit(1); }
if (mood === 'killed') process.kill(process.pid, 'SIGTERM');
if (mood === 'nonsense') { console.log('ciphertext: no json'); process.exit(0); }
if (mood === 'well' || mood === 'lying') {
  const asked = JSON.parse(readFileSync(0, 'utf8'));
  const path = directory + '/kept.json';
  const kept = existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : [];
  if (asked.action === 'wrap') {
    writeFileSync(path, JSON.stringify([...kept, asked.plaintext]));
    console.log(JSON.stringify({ ciphertext: 'number ' + kept.length }));
  } else {
    const plaintext = mood === 'lying' ? Buffer.from('{}').toString('base64') : kept[Number(asked.ciphertext.slice(7))];
    console.log(JSON.stringify({ plaintext }));
  }
}
`;

type Mood = keyof typeof faults | 'well';

const faults = {
  failing: /ended with status 3: the service is sealed/,
  deaf: /answers with something else/,
  hanging: /did not end within 1500 ms/,
  babbling: /answers with more than 65536 bytes/,
  muttering: /ended with status 1: x{300}$/,
  killed: /was ended by SIGTERM/,
  nonsense: /answers with something else/,
  lying: /does not give back what it was given|cut short or damaged/,
};

async function withProgram(t: TestContext) {
  const ring = await keyring(t);
  const { dataDirectory, places } = ring;
  const script = join(dataDirectory, 'program.cjs');
  writeFileSync(script, program);
  const argv = [process.execPath, script, dataDirectory, '--key', 'a $(touch pwned); b'];
  const env = { PATH: process.env.PATH, SKILLTAPE_TEST: 'given' };
  const options = { argv, env, timeoutMs: 60_000 };
  const be = (mood: Mood, timeoutMs = 1_500) => {
    writeFileSync(join(dataDirectory, 'mood'), mood);
    // Short only where it is waited for: a loaded machine is no program that hangs.
    options.timeoutMs = mood === 'hanging' ? timeoutMs : 60_000;
  };
  be('well');
  const service = commandWrap(options);
  const files = withWrappedMaster(nodeKeyFiles, places, service);
  const openerNow = () => openOpener({ dataDirectory, master: masterFromFile(dataDirectory, files) });
  const runs = () =>
    readFileSync(join(dataDirectory, 'runs'), 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { args: string[]; env: Record<string, string>; pid: number });
  return { ...ring, be, service, files, openerNow, runs, wrappedFile: join(places.directory, 'master.wrapped') };
}

test('a master that a program keeps opens what was sealed, is rotated by it, and comes back as a file', async (t) => {
  const { sealer, places, service, files, openerNow, dataDirectory, wrappedFile, runs } = await withProgram(t);
  const { sealed } = await sealer.sealedKeyFor(alice, 'standard', 's');
  const [half = ''] = JSON.parse(readFileSync(places.master, 'utf8')).privateKeys;
  await wrapMaster(nodeKeyFiles, places, service);
  assert.deepEqual([existsSync(places.master), readFileSync(wrappedFile, 'utf8').includes(half)], [false, false]);
  assert.equal((await openerNow().open(sealed, 's')).kind, 'opened');
  assert.equal((await rotateMaster({ dataDirectory, files })).rewrapped, 1);
  assert.equal((await openerNow().open(sealed, 's')).kind, 'opened');
  await unwrapMaster(nodeKeyFiles, places, service);
  assert.deepEqual([existsSync(places.master), existsSync(wrappedFile)], [true, false]);
  const [first] = runs();
  assert.deepEqual(first?.args, ['--key', 'a $(touch pwned); b'], 'no shell reads the arguments');
  assert.deepEqual(
    [first?.env.SKILLTAPE_TEST, first?.env.HOME],
    ['given', undefined],
    'it has the environment it was given',
  );
});

for (const [mood, said] of Object.entries(faults) as [Exclude<Mood, 'well'>, RegExp][]) {
  test(`a program that is ${mood} is given nothing to lose: what is here stays as it was, and that is said`, async (t) => {
    const { sealer, places, service, be, openerNow, dataDirectory, files, wrappedFile } = await withProgram(t);
    const { sealed } = await sealer.sealedKeyFor(alice, 'standard', 's');
    const master = bytesOf(places.master);
    be(mood);
    await assert.rejects(wrapMaster(nodeKeyFiles, places, service), (thrown: Error & { code?: string }) => {
      assert.equal(thrown.code, 'key_invalid');
      assert.match(thrown.message, said);
      return true;
    });
    assert.deepEqual([bytesOf(places.master).equals(master), existsSync(wrappedFile)], [true, false]);
    be('well');
    await wrapMaster(nodeKeyFiles, places, service);
    const wrapped = bytesOf(wrappedFile);
    be(mood);
    await assert.rejects(openerNow().open(sealed, 's'), { code: 'key_invalid' });
    await assert.rejects(rotateMaster({ dataDirectory, files }));
    assert.ok(bytesOf(wrappedFile).equals(wrapped));
    be('well');
    assert.equal((await openerNow().open(sealed, 's')).kind, 'opened');
  });
}

test('what a program that hangs started ends with it', async (t) => {
  const { be, service, dataDirectory, runs } = await withProgram(t);
  const childFile = join(dataDirectory, 'child');
  // Until it came to what it starts before it was killed.
  for (let timeoutMs = 1_500; !existsSync(childFile) && timeoutMs < 60_000; timeoutMs *= 2) {
    be('hanging', timeoutMs);
    await assert.rejects(service.wrap(Buffer.from('master')), /did not end within/);
  }
  const isThere = (pid: number) => {
    // One that nobody has waited for is over too.
    const stat = existsSync(`/proc/${pid}/stat`) ? readFileSync(`/proc/${pid}/stat`, 'utf8') : '';
    return stat !== '' && !/\) [ZX] /.test(stat);
  };
  const pids = [...runs().map(({ pid }) => pid), Number(readFileSync(childFile, 'utf8'))];
  assert.ok(pids.length >= 2);
  await waitUntil('all to end', async () => pids.every((pid) => !isThere(pid)));
});

test('a program that is missing, cannot be started, or that others may change is told with what to do', async (t) => {
  const { dataDirectory } = await withProgram(t);
  const path = join(dataDirectory, 'kms');
  const ask = () => commandWrap({ argv: [path], env: {}, timeoutMs: 1_000 }).wrap(Buffer.from('master'));
  await assert.rejects(ask(), /there is no program/);
  writeFileSync(path, '#!/bin/sh\necho no\n', { mode: 0o600 });
  await assert.rejects(ask(), /cannot be started/);
  chmodSync(path, 0o770);
  await assert.rejects(ask(), /others may change the program/);
  chmodSync(path, 0o700);
  await assert.rejects(ask(), /answers with something else/);
});

test('the configuration takes one service, and a program by its absolute path', () => {
  const faults = (keys: string) => {
    const base = `{dataDirectory: data, listen: {socket: s}, connections: {claude: {identityProviders: [i]}},
      identityProviders: {i: {issuer: 'https://login.example.com'}}, keys: ${keys}}`;
    const reading = parseConfig(base, '/etc/skilltape');
    return reading.ok ? [] : reading.faults.map(({ key, message }) => `${key}: ${message}`);
  };
  assert.deepEqual(faults("{command: {argv: ['/bin/kms', '--key', k]}}"), []);
  assert.match(faults('{command: {argv: [kms]}}').join(), /keys\.command\.argv: must begin with the absolute path/);
  assert.match(faults("{command: {argv: ['/bin/kms'], passEnvironment: ['A=B']}}").join(), /name of a variable/);
  const transit = "transit: {address: 'https://vault.example.com', tokenFile: t}";
  assert.match(
    faults(`{command: {argv: ['/bin/kms']}, ${transit}}`).join(),
    /keys\.command: stands beside keys\.transit/,
  );
});
