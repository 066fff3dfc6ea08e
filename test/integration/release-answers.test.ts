/** What Envoy does by itself on the release listener: the upstream cannot be reached, breaks off, or is silent. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text as textOf } from 'node:stream/consumers';
import { after, before, test } from 'node:test';
import { parseDocument, type YAMLMap, type YAMLSeq } from 'yaml';
import { type HeldStreams, heldQuestion, readAll, startHeldStreams } from '../environment/held-streams.ts';
import { createAuthority } from '../fakes/certificates.ts';

const folder = mkdtempSync(join(tmpdir(), 'skilltape-upstream-'));
let held: HeldStreams;
let upstream: Server;
/** Bodies that came upstream whole. */
const arrived: string[] = [];

before(async () => {
  const authority = await createAuthority('upstream');
  const tls = await authority.issue({ commonName: 'upstream', dnsNames: ['localhost'], ipAddresses: ['127.0.0.1'] });
  writeFileSync(join(folder, 'ca.pem'), authority.certificatePem);
  upstream = createServer({ cert: tls.certificatePem, key: tls.privateKeyPem }, async (incoming, outgoing) => {
    const body = await textOf(incoming);
    arrived.push(body);
    if (body.includes('breaks off')) incoming.socket.destroy();
    if (/begins/.test(body)) outgoing.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders();
    if (/begins (?:and|to)/.test(body)) outgoing.write('event: ping\ndata: {"type":"ping"}\n\n');
    if (body.includes('begins and then resets')) setTimeout(() => incoming.socket.destroy(), 300);
    if (!body.includes('pretends')) return;
    outgoing.writeHead(503, { 'x-skilltape-envoy-answered': 'no_healthy_upstream', 'retry-after': '7' }).end('{}');
  });
  await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve));
  const { port } = upstream.address() as AddressInfo;
  held = await startHeldStreams({ changeEnvoyConfig: (text) => withUpstream(text, port) });
});
after(async () => {
  await held[Symbol.asyncDispose]();
  upstream.closeAllConnections();
  upstream.close();
  rmSync(folder, { recursive: true });
});

/** Claude is the server of this test, and may be silent for two seconds. */
function withUpstream(text: string, port: number): string {
  const config = parseDocument(text);
  const clusters = config.getIn(['static_resources', 'clusters']) as YAMLSeq<YAMLMap>;
  const at = clusters.items.findIndex((cluster) => cluster.get('name') === 'upstream_claude');
  const cluster = ['static_resources', 'clusters', at];
  const address = ['load_assignment', 'endpoints', 0, 'lb_endpoints', 0, 'endpoint', 'address', 'socket_address'];
  const trusted = ['transport_socket', 'typed_config', 'common_tls_context', 'validation_context', 'trusted_ca'];
  config.setIn([...cluster, ...address, 'port_value'], port);
  config.setIn([...cluster, ...trusted, 'filename'], join(folder, 'ca.pem'));
  const manager = ['static_resources', 'listeners', 1, 'filter_chains', 0, 'filters', 0, 'typed_config'];
  const routes = [...manager, 'route_config', 'virtual_hosts', 0, 'routes'];
  for (const [place] of (config.getIn(routes) as YAMLSeq).items.entries()) {
    config.setIn([...routes, place, 'route', 'idle_timeout'], '2s');
  }
  return config.toString({ lineWidth: 0 });
}

type Case = { name: string; outcome: string; detail: RegExp; event: RegExp; arrives: boolean };

const cases: readonly Case[] = [
  {
    ...{ name: 'pretends', outcome: 'upstream_error', detail: /^status 503$/, arrives: true },
    event: /"api_error".*status 503/,
  },
  {
    ...{ name: 'breaks off', outcome: 'upstream_aborted', arrives: true },
    detail: /^release: answered by Envoy: upstream_reset_before_response_started\{connection_termination\}$/,
    event: /"api_error".*may have been answered in part/,
  },
  {
    ...{ name: 'is silent', outcome: 'cut', arrives: true },
    detail: /^release: answered by Envoy: \w+$/,
    event: /"timeout_error".*gave up waiting for Claude; the request may have been answered in part/,
  },
  {
    ...{ name: 'is not there', outcome: 'refused', arrives: false },
    detail: /^release: answered by Envoy: upstream_reset_before_response_started\{.*connection_failure.*\}$/,
    event: /"overloaded_error".*it went nowhere.*its approval counts/,
  },
];

type Broken = { name: string; outcome: string; detail: RegExp; given: RegExp; isWhole: boolean };

const broken: readonly Broken[] = [
  {
    ...{ name: 'begins to answer and goes quiet', outcome: 'cut', given: /event: ping/, isWhole: false },
    detail: /^release: SI stream_idle_timeout$/,
  },
  {
    ...{ name: 'begins and then resets', outcome: 'upstream_aborted', given: /event: ping/, isWhole: false },
    detail: /^release: U\w+ upstream_reset_after_response_started\{/,
  },
  {
    ...{ name: 'begins, and nothing comes', outcome: 'cut', isWhole: true },
    ...{ given: /event: error\ndata: .*gave up waiting for Claude/, detail: /^release: SI stream_idle_timeout$/ },
  },
];

for (const { name, outcome, detail, given, isWhole } of broken) {
  test(`an upstream that ${name}: the record says by Envoy's own report who ended the answer`, async () => {
    const response = await held.begin(heldQuestion(name));
    held.approve(await held.ticketOf(name));
    const told = await readAll(response);
    assert.equal(told.isWhole, isWhole);
    assert.match(told.text, given);
    const { skilltape } = await held.gateway.document(response.headers.get('x-skilltape-exchange'));
    assert.deepEqual(
      [skilltape.outcome, detail.exec(skilltape.outcome_detail ?? '')?.length],
      [outcome, 1],
      detail.source,
    );
  });
}

for (const { name, outcome, detail, event, arrives } of cases) {
  test(`an upstream that ${name}: client and record are told what it was`, async () => {
    if (!arrives) {
      upstream.closeAllConnections();
      upstream.close();
    }
    const response = await held.begin(heldQuestion(name));
    held.approve(await held.ticketOf(name));
    const { text, isWhole } = await readAll(response);
    assert.ok(isWhole);
    const [, data = ''] = /\n\nevent: error\ndata: ([^\n]*)\n\n$/.exec(text) ?? [];
    assert.equal(JSON.parse(data).type, 'error');
    assert.match(data, event);
    const id = response.headers.get('x-skilltape-exchange');
    const { skilltape } = await held.gateway.document(id);
    assert.equal(skilltape.outcome, outcome);
    assert.match(skilltape.outcome_detail ?? '', detail);
    assert.equal(arrived.filter((body) => body.includes(name)).length, arrives ? 1 : 0);
    const [ticket] = held.ticketsOf(name);
    assert.equal(ticket?.state.kind, arrives ? 'used' : 'granted', 'what went nowhere can be sent again');
  });
}
