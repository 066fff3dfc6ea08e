import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatFaults } from '../../../extproc/config/fault.ts';
import { parseConfig } from '../../../extproc/config/parse.ts';

const seeded = `
dataDirectory: data
listen: { socket: a.sock }
connections:
  claude:
    identityProviders: [staff, nobody]
    upstream: { host: "API.example.com", port: 0, servername: x }
    routePrefix: /v1/
    dialect: 2024-01-01
    recording: none
    workspaceId: "%REQ(x-evil)%"
    userProfileId: "two words"
    limits: { requestBodyMaxBytes: 99999999999, openExchangesMax: 3 }
    policyData: [a]
  research:
    identityProviders: []
    upstream: { host: "evil.example\\nx" }
    routePrefix: /same
    rewriteResultsUrl: true
    policyData: { __proto__: { a: 1 } }
  other:
    identityProviders: staff
    routePrefix: /same
    streamHolds: true
    policyData: { text: ${'x'.repeat(5000)} }
identityProviders:
  staff:
    issuer: https://login.example.com
    jwksUri: http://login.example.com/keys
    kind: robot
    audiences: []
    jwksCacheMs: 1
  builds:
    issuer: https://login.example.com
envoy:
  listen: { address: everywhere, port: 70000 }
  sdsDirectory: ""
  processor: { host: a }
refusals:
  recordsPerMinute: 100
  recordsPerMinuteAllSources: 50
  sourcesMax: 0
`;

const expected: [key: string, says: string][] = [
  ['connections.claude.identityProviders', '"nobody"'],
  ['connections.claude.upstream.host', 'host name'],
  ['connections.claude.upstream.port', 'at least 1'],
  ['connections.claude.upstream.servername', 'did you mean connections.claude.upstream.serverName'],
  ['connections.claude.routePrefix', 'must be /'],
  ['connections.claude.dialect', '2026-10-21'],
  ['connections.claude.recording', 'full or metadata'],
  ['connections.claude.workspaceId', 'printable'],
  ['connections.claude.userProfileId', 'printable'],
  ['connections.claude.limits.requestBodyMaxBytes', 'more than limits.requestBodyMaxBytes'],
  ['connections.claude.limits.openExchangesMax', 'not a known key'],
  ['connections.claude.policyData', 'list'],
  ['connections.research.identityProviders', 'at least 1'],
  ['connections.research.upstream.host', 'host name'],
  ['connections.research.rewriteResultsUrl', 'publicUrl'],
  ['connections.research.policyData', '__proto__'],
  ['connections.other.identityProviders', 'must be'],
  ['connections.other.upstream', 'missing'],
  ['connections.other.routePrefix', 'as connections.research.routePrefix'],
  ['connections.other.streamHolds', 'approvals.streamed.releaseSocket is not set'],
  ['connections.other.policyData', '4096 bytes'],
  ['identityProviders.staff.jwksUri', 'https'],
  ['identityProviders.staff.kind', 'person or workload'],
  ['identityProviders.staff.audiences', 'at least 1'],
  ['identityProviders.staff.jwksCacheMs', 'at least 1000'],
  ['identityProviders.builds.issuer', 'as identityProviders.staff.issuer'],
  ['identityProviders.builds.jwksUri', 'missing'],
  ['envoy.listen.address', 'IP address'],
  ['envoy.listen.port', 'at most 65535'],
  ['envoy.sdsDirectory', 'empty'],
  ['envoy.processor', 'no listen.tcp'],
  ['refusals.recordsPerMinuteAllSources', 'at least refusals.recordsPerMinute'],
  ['refusals.sourcesMax', 'at least 1'],
];

test('every seeded fault of connections, providers and Envoy is named in one pass', () => {
  const reading = parseConfig(seeded, '/etc/skilltape');
  assert.ok(!reading.ok);
  for (const [key, says] of expected) {
    const named = reading.faults.some(
      (fault) => fault.key === key && `${fault.message} ${fault.remedy ?? ''}`.includes(says),
    );
    assert.ok(named, `${key}: ${says} is not named in\n${formatFaults(reading.faults)}`);
  }
});

const smallest = `
dataDirectory: data
listen: { socket: a.sock }
connections: { claude: { identityProviders: [staff] } }
identityProviders: { staff: { issuer: https://login.example.com } }
`;

test('without an envoy section a connection needs no upstream, and a provider no keys', () => {
  assert.ok(parseConfig(smallest, '/').ok);
  const reading = parseConfig(`${smallest}envoy: {}\n`, '/');
  assert.ok(!reading.ok);
  assert.deepEqual(
    reading.faults.map(({ key }) => key),
    ['connections.claude.upstream', 'identityProviders.staff.jwksUri'],
  );
});

test('a prefix that is a default is told apart from one that is written', () => {
  const two = smallest.replace(
    '{ claude: { identityProviders: [staff] } }',
    `{ a: { identityProviders: [staff], upstream: { host: h } }, b: { identityProviders: [staff], upstream: { host: h }, routePrefix: /a } }`,
  );
  const reading = parseConfig(`${two}envoy: {}\n`, '/');
  assert.ok(!reading.ok);
  assert.ok(reading.faults.some(({ key }) => key === 'connections.b.routePrefix'));
});

test('over TCP Envoy must be told where the processor is, and how to show who it is', () => {
  const tls = '{ certificateFile: c, privateKeyFile: k, clientCaFile: a }';
  const tcp = smallest.replace('{ socket: a.sock }', `{ tcp: { address: 127.0.0.1, port: 1, tls: ${tls} } }`);
  const reading = parseConfig(`${tcp}envoy: {}\n`, '/');
  assert.ok(!reading.ok);
  assert.ok(reading.faults.some(({ key }) => key === 'envoy.processor'));
});
