import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { skilltape } from '../environment/command.ts';

/** What the command line does with mistakes; nothing has to run for that. */
let directory: string;
before(() => {
  directory = mkdtempSync(join(tmpdir(), 'skilltape-cli-'));
});
after(() => rmSync(directory, { recursive: true, force: true }));

function configFile(text: string): string {
  const file = join(directory, 'skilltape.yaml');
  writeFileSync(file, text);
  return file;
}

const faulty = `
dataDirectory: ""
listen: {}
connections:
  claude: { identityProviders: [nobody] }
  Research: { identityProviders: [idp] }
identityProviders:
  idp: { issuer: "ftp://idp.example.com", claims: { groups: "a.__proto__" } }
limits: { requestBodyMaxBytes: 0, openExchangesMax: many }
decisionTimeoutMs: -1
journal: { syncIntervalMs: 5000 }
log: { level: loud }
`;
const faults = [
  'dataDirectory',
  'listen',
  'connections.claude.identityProviders',
  'connections.Research',
  'identityProviders.idp.issuer',
  'identityProviders.idp.claims.groups',
  'limits.requestBodyMaxBytes',
  'limits.openExchangesMax',
  'decisionTimeoutMs',
  'journal.syncIntervalMs',
  'log.level',
];

for (const command of ['serve', 'search', 'dump']) {
  test(`${command} with a configuration of many faults names every one of them and ends with 2`, async () => {
    const { status, stdout, stderr } = await skilltape(['--config', configFile(faulty), command]);
    assert.deepEqual([status, stdout], [2, '']);
    const named = stderr.split('\n').flatMap((line) => /^ {2}(\S+) \(line \d+\): \S/.exec(line)?.[1] ?? []);
    assert.deepEqual(named.toSorted(), faults.toSorted(), stderr);
  });
}

test('a key that does not exist is refused, with the one that was meant', async () => {
  const text = `
dataDirectory: data
listen: { socket: s.sock }
connections: { claude: { identityProviders: [idp] } }
identityProviders: { idp: { issuer: "https://idp.example.com" } }
decisionTimoutMs: 100
limits: { maxBytes: 1 }
`;
  const { status, stderr } = await skilltape(['--config', configFile(text), 'serve']);
  assert.equal(status, 2);
  assert.match(stderr, /decisionTimoutMs.*decisionTimeoutMs/);
  assert.match(stderr, /limits\.maxBytes/);
});

test('a configuration file that is not there is named with the remedy', async () => {
  const { status, stderr } = await skilltape(['--config', join(directory, 'absent.yaml'), 'serve']);
  assert.equal(status, 2);
  assert.match(stderr, /absent\.yaml cannot be read.*deploy\/skilltape\.yaml/s);
});

test('a variable SKILLTAPE_… that is not known is refused', async () => {
  const { status, stderr } = await skilltape(['--config', configFile(faulty), 'serve'], { SKILLTAPE_CONFG: 'x' });
  assert.equal(status, 2);
  assert.match(stderr, /SKILLTAPE_CONFG: is not a variable that skilltape reads/);
});

const mistyped: string[][] = [
  ['frobnicate'],
  ['--frobnicate'],
  ['serve', '--frobnicate'],
  ['search', '--frobnicate'],
  ['show'],
  ['show', 'a', 'b'],
  ['looks', '--limit', '0'],
  ['looks', '--limit'],
  ['search', '--limit', 'ten'],
  ['search', '--outcome', 'fine'],
  ['search', '--from', '2026-02-30'],
  ['search', '--from', '2026-02-02', '--to', '2026-02-01'],
  ['token', '--user'],
];

for (const args of mistyped) {
  test(`skilltape ${args.join(' ')} is told what is wrong and ends with 2`, async () => {
    const valid = `
dataDirectory: data
listen: { socket: s.sock }
connections: { claude: { identityProviders: [idp] } }
identityProviders: { idp: { issuer: "https://idp.example.com" } }
`;
    const { status, stdout, stderr } = await skilltape(['--config', configFile(valid), ...args]);
    assert.deepEqual([status, stdout], [2, ''], stderr);
    assert.notEqual(stderr.trim(), '');
    assert.doesNotMatch(stderr, /\n +at /, 'no stack is shown');
  });
}

test('help and version end with 0 and need no configuration', async () => {
  for (const args of [
    ['--help'],
    ['--version'],
    ...['serve', 'search', 'show', 'dump', 'looks', 'up', 'token'].map((name) => [name, '--help']),
  ]) {
    const { status, stdout } = await skilltape(['--config', join(directory, 'absent.yaml'), ...args]);
    assert.equal(status, 0, args.join(' '));
    assert.notEqual(stdout.trim(), '', args.join(' '));
  }
});

test('a search before anything was recorded says what is missing, without a stack', async () => {
  const valid = `
dataDirectory: empty
listen: { socket: s.sock }
connections: { claude: { identityProviders: [idp] } }
identityProviders: { idp: { issuer: "https://idp.example.com" } }
`;
  const { status, stdout, stderr } = await skilltape(['--config', configFile(valid), 'search', 'x']);
  assert.deepEqual([status, stdout], [1, '']);
  assert.notEqual(stderr.trim(), '');
  assert.doesNotMatch(stderr, /\n +at /);
});
