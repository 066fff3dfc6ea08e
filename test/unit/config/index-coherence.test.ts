import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseConfig } from '../../../extproc/config/parse.ts';

function read(index: string): ReturnType<typeof parseConfig> {
  return parseConfig(
    `
dataDirectory: data
listen: {socket: run/extproc.sock}
connections: {claude: {identityProviders: [staff]}}
identityProviders: {staff: {issuer: 'https://login.example.com'}}
index: ${index}
`,
    '/etc/skilltape',
  );
}

function faultsOf(index: string): string[] {
  const reading = read(index);
  return reading.ok ? [] : reading.faults.map(({ key, message }) => `${key}: ${message}`);
}

const nodes = "nodes: ['https://es.example.com:9200']";

test('a cluster with a credential is taken, its files become absolute and the rest has defaults', () => {
  const reading = read(`{kind: elasticsearch, elasticsearch: {${nodes}, caFile: ca.pem, apiKeyFile: keys/es}}`);
  assert.ok(reading.ok);
  assert.deepEqual(
    { ...reading.config.index.elasticsearch },
    {
      nodes: ['https://es.example.com:9200'],
      caFile: '/etc/skilltape/ca.pem',
      apiKeyFile: '/etc/skilltape/keys/es',
      prefix: 'skilltape',
      numberOfReplicas: 1,
      refreshIntervalMs: 5_000,
      requestTimeoutMs: 30_000,
    },
  );
});

test('a cluster on this machine may have no users', () => {
  assert.deepEqual(faultsOf("{kind: elasticsearch, elasticsearch: {nodes: ['http://127.0.0.1:9200']}}"), []);
});

const refused: readonly (readonly [index: string, fault: RegExp])[] = [
  ['{kind: elasticsearch}', /^index\.elasticsearch: is missing/],
  [`{elasticsearch: {${nodes}, apiKeyFile: k}}`, /^index\.elasticsearch: is given, but index\.kind is sqlite/],
  [`{kind: elasticsearch, elasticsearch: {${nodes}}}`, /names no credential/],
  [`{kind: elasticsearch, elasticsearch: {${nodes}, readApiKeyFile: k}}`, /names no credential for shipping/],
  [`{kind: elasticsearch, elasticsearch: {${nodes}, usernameFile: u}}`, /usernameFile: is given without passwordFile/],
  [
    `{kind: elasticsearch, elasticsearch: {${nodes}, apiKeyFile: k, readPasswordFile: p}}`,
    /readPasswordFile: is given without readUsernameFile/,
  ],
  [
    `{kind: elasticsearch, elasticsearch: {${nodes}, apiKeyFile: k, usernameFile: u, passwordFile: p}}`,
    /apiKeyFile: is given beside usernameFile/,
  ],
  ["{kind: elasticsearch, elasticsearch: {nodes: ['http://es.example.com:9200'], apiKeyFile: k}}", /must be an https/],
  ["{kind: elasticsearch, elasticsearch: {nodes: ['https://u:p@es.example.com'], apiKeyFile: k}}", /must be an https/],
  ['{kind: elasticsearch, elasticsearch: {nodes: [], apiKeyFile: k}}', /index\.elasticsearch\.nodes/],
  [`{kind: elasticsearch, elasticsearch: {${nodes}, apiKeyFile: k, prefix: a-b}}`, /index\.elasticsearch\.prefix/],
  [
    `{kind: elasticsearch, elasticsearch: {${nodes}, apiKeyFile: k, apiKey: secret}}`,
    /index\.elasticsearch\.apiKey: is not a known/,
  ],
  [
    `{kind: elasticsearch, textMaxChars: 900001, elasticsearch: {${nodes}, apiKeyFile: k}}`,
    /^index\.textMaxChars: is 900001, but Elasticsearch marks matches in at most 900000/,
  ],
];

test('what does not fit together is one fault each, with its key', () => {
  for (const [index, fault] of refused) {
    const faults = faultsOf(index);
    assert.equal(faults.length, 1, `${index}\n${faults.join('\n')}`);
    assert.match(faults[0] ?? '', fault, index);
  }
});

test('the faults of the section come together', () => {
  const faults = faultsOf(
    '{kind: elasticsearch, textMaxChars: 2000000, elasticsearch: {nodes: [es], passwordFile: p, refreshIntervalMs: 5}}',
  );
  assert.deepEqual(faults.map((fault) => fault.split(':')[0]).toSorted(), [
    'index.elasticsearch.nodes.0',
    'index.elasticsearch.passwordFile',
    'index.elasticsearch.refreshIntervalMs',
    'index.textMaxChars',
  ]);
});

test('the largest text that Elasticsearch can mark is taken, and SQLite takes larger ones', () => {
  assert.deepEqual(
    faultsOf(`{kind: elasticsearch, textMaxChars: 900000, elasticsearch: {${nodes}, apiKeyFile: k}}`),
    [],
  );
  assert.deepEqual(faultsOf('{textMaxChars: 5000000}'), []);
});
