import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { formatFaults } from '../../../extproc/config/fault.ts';
import { parseConfig } from '../../../extproc/config/parse.ts';

const smallest = `
dataDirectory: data
listen: {socket: run/extproc.sock}
connections: {claude: {identityProviders: [staff]}}
identityProviders: {staff: {issuer: 'https://login.example.com'}}
`;

/** A file with 27 faults, each named by its key and a word that its message or remedy must hold. */
const broken = `
dataDirectory: 7
listen:
  socket: /run/a.sock
  tcp:
    address: localhost
    port: 70000
    tls:
      certificateFile: ''
      clientCaFile: ca.pem
connections:
  Claude: {identityProviders: [staff]}
  research: {identityProviders: [nobody]}
  sandbox: {}
  __proto__: {identityProviders: [staff]}
identityProviders:
  staff:
    issuer: http://login.example.com
    claims: {subject: a..b, groups: realm.__proto__.x, nick: n}
limits:
  requestBodyMaxBytes: 64 MiB
  heldBodyMaxBytes: 1000
  openExchangesMax: 0
  heldBodyMaxMb: 4
decisionTimeoutMs: 2s
journal:
  journalMaxBytes: 100000000
  segmentMaxBytes: 67108864
  syncIntervalMs: 5.5
  requestBodyMaxBytes: 1
  segmentMaxBytes: 67108864
index: {kind: lucene}
policies:
drainMaxMs: -1
log: {level: loud}
colour: blue
`;

const seeded: readonly (readonly [key: string, word: string])[] = [
  ['dataDirectory', 'text'],
  ['listen', 'both'],
  ['listen.tcp.address', 'IP address'],
  ['listen.tcp.port', 'at most 65535'],
  ['listen.tcp.tls.certificateFile', 'empty'],
  ['listen.tcp.tls.privateKeyFile', 'missing'],
  ['connections.Claude', 'not a name'],
  ['connections.research.identityProviders', '"nobody"'],
  ['connections.sandbox.identityProviders', 'missing'],
  ['connections.__proto__', 'not a name'],
  ['identityProviders.staff.issuer', 'https'],
  ['identityProviders.staff.claims.subject', 'claim'],
  ['identityProviders.staff.claims.groups', 'claim'],
  ['identityProviders.staff.claims.nick', 'not a known key'],
  ['limits.requestBodyMaxBytes', 'write 67108864'],
  ['limits.openExchangesMax', 'at least 1'],
  ['limits.heldBodyMaxMb', 'did you mean limits.heldBodyMaxBytes?'],
  ['decisionTimeoutMs', 'write 2000'],
  ['journal.journalMaxBytes', '2 times journal.segmentMaxBytes'],
  ['journal.syncIntervalMs', 'whole number of milliseconds'],
  ['journal.requestBodyMaxBytes', 'did you mean limits.requestBodyMaxBytes?'],
  ['journal.segmentMaxBytes', 'written twice'],
  ['index.kind', 'sqlite'],
  ['policies', 'section'],
  ['drainMaxMs', 'at least 0'],
  ['log.level', 'debug'],
  ['colour', 'not a known key'],
];

function faultsOf(text: string): ReturnType<typeof parseConfig> & { ok: false } {
  const reading = parseConfig(text, '/etc/skilltape');
  assert.ok(!reading.ok, 'the text was taken');
  return reading;
}

test('every fault of a file is named in one pass, with its key and what to do', () => {
  const { faults } = faultsOf(broken);
  for (const [key, word] of seeded) {
    const found = faults.some((fault) => fault.key === key && `${fault.message} ${fault.remedy ?? ''}`.includes(word));
    assert.ok(found, `${key}: ${word} is not named in\n${formatFaults(faults)}`);
  }
  assert.equal(faults.length, seeded.length, formatFaults(faults));
});

test('truth values, lists and how many entries they have are told in the words of the file', () => {
  const { faults } = faultsOf(
    `${smallest}policies: {liveEdit: yes}
`.replace('identityProviders: [staff]', 'identityProviders: [], rewriteResultsUrl: "off", lists: [filtered]'),
  );
  const told = faults.map(({ key, message, remedy }) => `${key} ${message}; ${remedy}`);
  assert.deepEqual(told, [
    'connections.claude.identityProviders must have at least 1 entry; undefined',
    'connections.claude.rewriteResultsUrl must be true or false, but is "off"; write false',
    'connections.claude.lists must be denied or filtered, but is a list; undefined',
    'policies.liveEdit must be true or false, but is "yes"; write true',
  ]);
  const { faults: texts } = faultsOf(smallest.replace('[staff]', 'staff'));
  assert.equal(texts[0]?.message, 'must be a list, but is "staff"');
});

test('faults stand in the order of the file, with their lines', () => {
  const { faults } = faultsOf(broken);
  const lines = faults.map((fault) => fault.line ?? 0);
  assert.deepEqual(
    lines,
    lines.toSorted((a, b) => a - b),
  );
  const colour = faults.find((fault) => fault.key === 'colour');
  assert.equal(colour?.line, broken.split('\n').indexOf('colour: blue') + 1);
});

test('the smallest file is taken, with defaults and absolute paths, and cannot be changed', () => {
  const reading = parseConfig(smallest, '/etc/skilltape');
  assert.ok(reading.ok);
  const { config } = reading;
  assert.equal(config.dataDirectory, '/etc/skilltape/data');
  assert.deepEqual(config.listen, { socket: '/etc/skilltape/run/extproc.sock' });
  assert.equal(config.journal.keyFile, '/etc/skilltape/data/keys/journal.key');
  assert.equal(config.policies.directory, '/etc/skilltape/policies');
  assert.equal(config.limits.heldBodyMaxBytes, 16777216);
  assert.equal(config.identityProviders.staff?.claims.groups, 'groups');
  assert.throws(() => Object.assign(config.limits, { heldBodyMaxBytes: 1 }), TypeError);
  assert.throws(() => Object.assign(config.connections, { other: {} }), TypeError);
});

test('a name that every object has is no connection', () => {
  const reading = parseConfig(smallest, '/');
  assert.ok(reading.ok);
  assert.equal(reading.config.connections.constructor, undefined);
  assert.equal(reading.config.identityProviders.toString, undefined);
});

test('a TCP listener without TLS is refused', () => {
  const { faults } = faultsOf(
    smallest.replace('{socket: run/extproc.sock}', '{tcp: {address: 127.0.0.1, port: 5000}}'),
  );
  assert.deepEqual(
    faults.map((fault) => fault.key),
    ['listen.tcp.tls'],
  );
});

test('an issuer is https, or http on this machine alone', () => {
  const withIssuer = (issuer: string): boolean =>
    parseConfig(smallest.replace('https://login.example.com', issuer), '/').ok;
  for (const issuer of ['http://localhost:8080/a', 'http://127.0.0.1', 'http://[::1]:9', 'https://a.example/b']) {
    assert.ok(withIssuer(issuer), issuer);
  }
  const strangers = ['http://localhost.evil.example', 'http://127.0.0.1.evil.example', 'http://10.0.0.1', 'ftp://a'];
  for (const issuer of [...strangers, 'https://u:p@a.example', 'https://a.example/?q', 'https://a.example/#f', '']) {
    assert.ok(!withIssuer(issuer), issuer);
  }
});

test('one file cannot be both the journal key and the socket', () => {
  const { faults } = faultsOf(`${smallest}journal: {keyFile: ./run/extproc.sock}\n`);
  assert.deepEqual(
    faults.map((fault) => [fault.key, fault.message]),
    [['journal.keyFile', 'names the same file as listen.socket']],
  );
});

test('a socket path that the system would cut off is refused', () => {
  const { faults } = faultsOf(smallest.replace('run/extproc.sock', `/run/${'a'.repeat(110)}`));
  assert.equal(faults[0]?.key, 'listen.socket');
});

test('a text that is no YAML is refused with its line', () => {
  const { faults } = faultsOf('dataDirectory: data\nlisten: {socket: a\nlog: x\n');
  assert.ok((faults[0]?.line ?? 0) >= 2, formatFaults(faults));
  assert.match(faults[0]?.message ?? '', /not valid YAML/);
});

test('an empty file names the keys that are required', () => {
  assert.deepEqual(
    faultsOf('').faults.map((fault) => fault.key),
    ['dataDirectory', 'listen', 'connections', 'identityProviders'],
  );
});

test('deep nesting, alias bombs and huge files end in a fault', () => {
  const bomb = `a: &a [x, x, x, x, x, x, x, x, x, x]\n${'bcdefghij'
    .split('')
    .map((name, n) => `${name}: &${name} [${Array(10).fill(`*${'abcdefghij'[n]}`).join(', ')}]\n`)
    .join('')}`;
  for (const text of [
    '['.repeat(50_000),
    `a: ${'{a: '.repeat(60)}1${'}'.repeat(60)}`,
    bomb,
    `#${'x'.repeat(300_000)}`,
  ]) {
    assert.ok(faultsOf(text).faults.length > 0);
  }
});

test('whatever the text is, reading it ends in a configuration or in faults that can be printed', () => {
  const word = fc.constantFrom(
    'dataDirectory',
    'limits',
    '__proto__',
    'journal',
    'constructor',
    ': ',
    '\n',
    '  ',
    '- ',
    '{',
    '}',
    '&a',
    '*a',
    '"',
    '1',
  );
  const text = fc.array(fc.oneof(word, fc.string({ unit: 'binary', maxLength: 4 })), { maxLength: 40 });
  fc.assert(
    fc.property(text, (parts) => {
      const reading = parseConfig(parts.join(''), '/');
      if (!reading.ok) assert.match(formatFaults(reading.faults), /^\d+ faults? in the configuration:\n/);
    }),
    { numRuns: 300 },
  );
});

test('links are changed only where the connection has a public URL, which is https or of this machine', () => {
  const withConnection = (keys: string) =>
    parseConfig(smallest.replace('{identityProviders: [staff]}', `{identityProviders: [staff], ${keys}}`), '/');
  const good = ['https://gateway.example.com', 'https://gateway.example.com/team/', 'http://127.0.0.1:8443'];
  for (const url of good) {
    const reading = withConnection(`publicUrl: '${url}', rewriteResultsUrl: true`);
    assert.ok(reading.ok, url);
    assert.equal(reading.config.connections.claude?.rewriteResultsUrl, true);
  }
  const off = withConnection(`publicUrl: '${good[0]}'`);
  assert.ok(off.ok);
  assert.equal(off.config.connections.claude?.rewriteResultsUrl, false);
  const bad: [keys: string, fault: string][] = [
    ['rewriteResultsUrl: true', 'connections.claude.rewriteResultsUrl'],
    ['rewriteResultsUrl: yes', 'connections.claude.rewriteResultsUrl'],
    ["publicUrl: 'http://gateway.example.com'", 'connections.claude.publicUrl'],
    ["publicUrl: 'https://gateway.example.com/?a=1'", 'connections.claude.publicUrl'],
    ["publicUrl: 'https://user@gateway.example.com'", 'connections.claude.publicUrl'],
    ['publicUrl: gateway.example.com', 'connections.claude.publicUrl'],
  ];
  for (const [keys, fault] of bad) {
    const reading = withConnection(keys);
    assert.ok(!reading.ok, keys);
    assert.deepEqual([...new Set(reading.faults.map(({ key }) => key))], [fault], keys);
  }
});

function keysOfFaults(more: string): string[] {
  const reading = parseConfig(`${smallest}\n${more}`, '/etc/skilltape');
  return reading.ok ? [] : reading.faults.map(({ key }) => key);
}

test('each worker has a part of the journal that a request and two segments fit into', () => {
  const small = 'limits: {requestBodyMaxBytes: 1000, heldBodyMaxBytes: 1000}';
  const journal = (bytes: number) => `journal: {segmentMaxBytes: 4096, journalMaxBytes: ${bytes}}`;
  assert.deepEqual(keysOfFaults(`${small}\n${journal(2 * 4096)}`), []);
  assert.deepEqual(keysOfFaults(`${small}\n${journal(2 * 4096)}\nworkers: 2`), ['journal.journalMaxBytes']);
  assert.deepEqual(keysOfFaults(`${small}\n${journal(4 * 4096)}\nworkers: 2`), []);
  const large = 'limits: {requestBodyMaxBytes: 100000, heldBodyMaxBytes: 100000}';
  assert.deepEqual(keysOfFaults(`${large}\n${journal(199_999)}\nworkers: 2`), ['journal.journalMaxBytes']);
  assert.deepEqual(keysOfFaults(`${large}\n${journal(200_000)}\nworkers: 2`), []);
});

test('a sweep must be able to bring a volume to where requests are taken again', () => {
  const percents = (refuseAt: number, budget: number) =>
    keysOfFaults(`journal: {volumeRefuseAtPercent: ${refuseAt}}\nretention: {diskBudgetPercent: ${budget}}`);
  assert.deepEqual(percents(90, 87), []);
  for (const budget of [88, 89, 90, 91]) assert.deepEqual(percents(90, budget), ['journal.volumeRefuseAtPercent']);
});

test('the number of a worker must fit into the path of its socket and into the ports', () => {
  const room = 107 - '/run/.sock'.length;
  const socket = (chars: number) => smallest.replace('run/extproc.sock', `/run/${'a'.repeat(chars)}.sock`);
  const faults = (text: string) => {
    const reading = parseConfig(text, '/etc/skilltape');
    return reading.ok ? [] : reading.faults.map(({ key }) => key);
  };
  assert.deepEqual(faults(socket(room)), []);
  assert.deepEqual(faults(`${socket(room)}\nworkers: 2`), ['listen.socket']);
  assert.deepEqual(faults(`${socket(room - 2)}\nworkers: 2`), []);
  assert.deepEqual(faults(`${socket(room - 2)}\nworkers: 10`), ['listen.socket']);
  const tls = 'tls: {certificateFile: c, privateKeyFile: k, clientCaFile: a}';
  const port = (number: number) =>
    smallest.replace('socket: run/extproc.sock', `tcp: {address: 127.0.0.1, port: ${number}, ${tls}}`);
  assert.deepEqual(faults(`${port(65_535)}\nworkers: 1`), []);
  assert.deepEqual(faults(`${port(65_535)}\nworkers: 2`), ['listen.tcp.port']);
  assert.deepEqual(faults(`${port(65_534)}\nworkers: 2`), []);
  assert.deepEqual(faults(`${smallest}\nworkers: 0`), ['workers']);
});
