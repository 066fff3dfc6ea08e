import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { parse, stringify } from 'yaml';
import { allRules, examine, rules } from '../../../extproc/doctor/examine.ts';
import type { Finding } from '../../../extproc/doctor/rule.ts';
import { parseSource } from '../../../extproc/doctor/source.ts';
import { examples } from './examples.ts';
import { type Part, type Parts, partsOf, put, shipped } from './parts.ts';
import { withRelease } from './release-listener.ts';

function findingsOf(change: (parts: Parts) => void, write: (data: unknown) => string = JSON.stringify): Finding[] {
  const root = shipped();
  change(partsOf(root));
  return examine(parseSource(write(root), 'envoy.yaml'));
}

const idsOf = (findings: readonly Finding[]) => [...new Set(findings.map(({ id }) => id))].sort();

test('the shipped configuration has no trap', () => {
  const file = new URL('../../../envoy/envoy.yaml', import.meta.url);
  assert.deepEqual(examine(parseSource(readFileSync(file, 'utf8'), 'envoy.yaml')), []);
});

test('every trap has an example that has it and a near one that has not', () => {
  assert.deepEqual(Object.keys(examples).sort(), rules.map(({ id }) => id).sort());
});

for (const [id, { bad, good, also = [] }] of Object.entries(examples)) {
  test(`${id} is found, alone, and not beside it`, () => {
    assert.deepEqual(idsOf(findingsOf(bad)), [id, ...also].sort());
    const near = idsOf(findingsOf(good));
    assert.ok(!near.includes(id), `${near}`);
    assert.deepEqual(
      near.filter((other) => !also.includes(other)),
      [],
    );
  });
}

test('a release listener that reports no ends is found, too', () => {
  const silent = (parts: Parts) => withRelease(parts, ({ manager }) => (manager.access_log as Part[]).splice(1));
  const findings = findingsOf(silent);
  assert.deepEqual(idsOf(findings), ['ends-not-reported']);
  assert.equal(findings.length, 1);
});

test('ids are stable words, said once, each with a reason and a remedy', () => {
  const ids = allRules.map(({ id }) => id);
  assert.equal(new Set(ids).size, ids.length);
  assert.ok(ids.length >= 20);
  for (const id of ids) assert.match(id, /^[a-z0-9]+(-[a-z0-9]+)+$/);
});

test('a trap is told with the line it stands on, in YAML as in JSON', () => {
  const file = new URL('../../../envoy/envoy.yaml', import.meta.url);
  const text = readFileSync(file, 'utf8').replace('use_remote_address: true', 'use_remote_address: false');
  const line = text.split('\n').findIndex((one) => one.includes('use_remote_address: false')) + 1;
  const [finding, ...others] = examine(parseSource(text, 'envoy.yaml'));
  assert.deepEqual(others, []);
  assert.deepEqual([finding?.id, finding?.line], ['remote-address-not-used', line]);
  const json = JSON.stringify(parse(text, { merge: false, maxAliasCount: -1 }), undefined, 1);
  const lineOfJson = json.split('\n').findIndex((one) => one.includes('"use_remote_address": false')) + 1;
  assert.deepEqual(
    examine(parseSource(json, 'envoy.json')).map((one) => one.line),
    [lineOfJson],
  );
});

test('a setting that is missing is told at the line of what it is missing in', () => {
  const file = new URL('../../../envoy/envoy.yaml', import.meta.url);
  const text = readFileSync(file, 'utf8').replace(/^ *require_expiration: true\n/m, '');
  const line = text.split('\n').findIndex((one) => /^ *idp:$/.test(one)) + 1;
  assert.deepEqual(
    examine(parseSource(text, 'envoy.yaml')).map((one) => [one.id, one.line]),
    [['jwt-no-expiry', line]],
  );
});

test('the words of a trap that stands behind an alias lead to where it is written', () => {
  const file = new URL('../../../envoy/envoy.yaml', import.meta.url);
  const breakers = /circuit_breakers:\n( +thresholds:\n(?: +(?:- )?max_.*\n)+)/g;
  let clusters = 0;
  const text = readFileSync(file, 'utf8')
    .replace(breakers, (_, written: string) => {
      clusters += 1;
      return clusters === 1 ? `circuit_breakers: &breakers\n${written}` : 'circuit_breakers: *breakers\n';
    })
    .replaceAll('max_requests: 8192', 'max_requests: 100');
  assert.ok(clusters > 1 && text.match(/max_requests: 100/g)?.length === 1);
  const line = text.split('\n').findIndex((one) => one.includes('thresholds:')) + 1;
  const found = examine(parseSource(text, 'envoy.yaml'));
  assert.deepEqual(idsOf(found), ['breakers-low']);
  assert.ok(found.length > 1);
  for (const finding of found) assert.equal(finding.line, line);
});

test('two credentials have to be marked in two headers and in one', () => {
  const without = (policy: string) =>
    findingsOf(({ mark }) => put(mark, { shadow_rules: { policies: { [policy]: undefined } } }));
  for (const policy of ['two_credentials', 'two_credentials_in_one_header'])
    assert.deepEqual(idsOf(without(policy)), ['two-credentials-unseen'], policy);
});

test('all traps of a file are named in one pass', () => {
  const found = findingsOf((parts) => {
    for (const id of ['ext-proc-fails-open', 'jwt-no-audience', 'merge', 'admin-on-network', 'route-timeout-short'])
      examples[id]?.bad(parts);
  });
  assert.deepEqual(idsOf(found), ['admin-on-network', 'ext-proc-fails-open', 'jwt-no-audience', 'route-timeout-short']);
});

test('names as protobuf writes them in JSON, and the truths of YAML 1.1, hide no trap', () => {
  const camel = findingsOf(({ processor, provider }) => {
    put(processor, { failure_mode_allow: undefined, failureModeAllow: 'yes' });
    put(provider, {
      forward: undefined,
      Forward: undefined,
      payload_in_metadata: undefined,
      payloadInMetadata: 'payload_idp',
    });
    put(provider, { require_expiration: undefined, requireExpiration: 'on' });
  });
  assert.deepEqual(idsOf(camel), ['ext-proc-fails-open']);
});

test('a key that stands twice is a trap, as readers differ in which counts', () => {
  const file = new URL('../../../envoy/envoy.yaml', import.meta.url);
  const text = readFileSync(file, 'utf8').replace(
    'failure_mode_allow: false',
    'failure_mode_allow: true\n                      failure_mode_allow: false',
  );
  assert.deepEqual(idsOf(examine(parseSource(text, 'envoy.yaml'))), ['key-written-twice']);
});

test('fields and filters of other versions are passed over', () => {
  const found = findingsOf(({ manager, processor, root, filters }) => {
    for (const part of [manager, processor, root]) part.a_field_of_the_future = { with: [1, 2] };
    filters.unshift({
      name: 'new',
      typed_config: { '@type': 'type.googleapis.com/envoy.extensions.filters.http.new.v9.New' },
    });
  }, stringify);
  assert.deepEqual(found, []);
});

test('a config dump is read as the file it came from, dynamic parts too', () => {
  const root = shipped();
  const { manager, route } = partsOf(root);
  const table = manager.route_config as Part;
  put(manager, { route_config: undefined, rds: { route_config_name: 'gateway' } });
  assert.deepEqual(examine(parseSource(JSON.stringify(dumpOf(root, table)), 'dump.json')), []);
  put(route, { route: { timeout: '15s' } });
  const [finding] = examine(parseSource(JSON.stringify(dumpOf(root, table)), 'dump.json'));
  assert.equal(finding?.id, 'route-timeout-short');
  assert.match(finding?.path ?? '', /^configs\[3\]\.dynamic_route_configs\[0\]\.route_config\./);
});

test('a dump that was cut down is not vouched for', () => {
  const dump = dumpOf(shipped(), {});
  const found = examine(parseSource(JSON.stringify({ configs: (dump.configs as Part[]).slice(0, 1) }), 'dump.json'));
  assert.deepEqual(idsOf(found), ['not-in-this-file']);
});

function dumpOf(root: Part, routeTable: Part): Part {
  const { listeners, clusters } = root.static_resources as { listeners: Part[]; clusters: Part[] };
  const section = (name: string, content: Part) => ({
    '@type': `type.googleapis.com/envoy.admin.v3.${name}`,
    ...content,
  });
  return {
    configs: [
      section('BootstrapConfigDump', { bootstrap: root, last_updated: '2026-11-29T00:00:00Z' }),
      section('ClustersConfigDump', {
        static_clusters: clusters.slice(0, 1).map((cluster) => ({ cluster })),
        dynamic_active_clusters: clusters.slice(1).map((cluster) => ({ version_info: '1', cluster })),
      }),
      section('ListenersConfigDump', {
        dynamic_listeners: listeners.map((listener) => ({
          name: listener.name,
          active_state: { version_info: '1', listener },
        })),
      }),
      section('RoutesConfigDump', { dynamic_route_configs: [{ version_info: '1', route_config: routeTable }] }),
    ],
  };
}
