import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { stringify } from 'yaml';
import { parseConfig } from '../../../extproc/config/parse.ts';
import { gatewayOf } from '../../../extproc/doctor/model.ts';
import type { Finding } from '../../../extproc/doctor/rule.ts';
import { examineSetup, setupRules } from '../../../extproc/doctor/setup.ts';
import { parseSource } from '../../../extproc/doctor/source.ts';
import { temporaryDirectory } from '../../builders/directory.ts';
import { type Part, type Parts, partsOf, put, shipped } from './parts.ts';
import { releaseSocket, withRelease } from './release-listener.ts';

/** Both files as they would stand beside each other, with a data directory that is really there. */
function findingsOf(
  t: TestContext,
  change: (config: Part, parts: Parts, directory: string, volume: { usedShare: number | null }) => void,
): Finding[] {
  const directory = temporaryDirectory(t);
  const root = shipped();
  const parts = partsOf(root);
  const dataDirectory = join(directory, 'data');
  mkdirSync(join(dataDirectory, 'keys'), { recursive: true, mode: 0o700 });
  writeFileSync(join(dataDirectory, 'keys', 'journal.key'), 'key', { mode: 0o600 });
  chmodSync(directory, 0o755);
  const socket = join(directory, 'extproc.sock');
  const hosts = { endpoints: [{ lb_endpoints: [{ endpoint: { address: { pipe: { path: socket } } } }] }] };
  put(parts.processorCluster, { load_assignment: hosts });
  const config: Part = {
    dataDirectory,
    listen: { socket },
    workers: 1,
    connections: { claude: { identityProviders: ['idp'] } },
    identityProviders: { idp: { issuer: 'https://idp.example.com' } },
    coverage: { accessLogFile: parts.log.path },
  };
  const volume: { usedShare: number | null } = { usedShare: 0.7 };
  change(config, parts, directory, volume);
  const text = stringify(config);
  const reading = parseConfig(text, directory);
  assert.ok(reading.ok, JSON.stringify(reading));
  const envoySource = parseSource(stringify(root), 'envoy.yaml');
  const configSource = parseSource(text, 'skilltape.yaml');
  const gateway = gatewayOf(envoySource.root);
  return examineSetup({
    config: reading.config,
    configSource,
    envoySource,
    gateway,
    volumeUsedShare: volume.usedShare,
  });
}

const streaming: Part = {
  connections: { claude: { streamHolds: true } },
  approvals: { streamed: { releaseSocket } },
};

type Change = Parameters<typeof findingsOf>[1];

/** For each trap a change that makes it, and a near one that does not. */
const examples: Record<string, [bad: Change, good: Change]> = {
  'connection-unknown': [
    (config) => put(config, { connections: { claude: undefined, research: { identityProviders: ['idp'] } } }),
    (config) => put(config, { connections: { claude: { rewriteResultsUrl: false } } }),
  ],
  'connection-without-route': [
    (config) => put(config, { connections: { research: { identityProviders: ['idp'] } } }),
    () => {},
  ],
  'provider-not-verified': [
    (_, { provider }) => put(provider, { issuer: 'https://other.example.com' }),
    (config, { provider }) => {
      put(config, { identityProviders: { idp: { issuer: 'https://other.example.com' } } });
      put(provider, { issuer: 'https://other.example.com' });
    },
  ],
  'processor-elsewhere': [
    (config) => put(config, { listen: { socket: 'other.sock' } }),
    (config, _, directory) => put(config, { listen: { socket: join(directory, '.', 'extproc.sock') } }),
  ],
  'workers-not-reached': [(config) => put(config, { workers: 2 }), (config) => put(config, { workers: 1 })],
  'coverage-off': [
    (config) => put(config, { coverage: { accessLogFile: '/var/log/other.log' } }),
    (config) => put(config, { coverage: { lagMaxMs: 5_000 } }),
  ],
  'decisions-outlive-requests': [
    (config, { manager }) => {
      put(config, { decisionTimeoutMs: 400_000 });
      put(manager, { stream_idle_timeout: '300s' });
    },
    (config) => put(config, { decisionTimeoutMs: 400_000 }),
  ],
  'release-elsewhere': [
    (config, parts) => {
      put(config, streaming);
      withRelease(parts, ({ listener }) => put(listener, { address: { pipe: { path: '/run/other.sock' } } }));
    },
    (config, parts, directory) => {
      put(config, streaming);
      withRelease(parts, ({ listener }) =>
        put(listener, { address: { pipe: { path: join(directory, releaseSocket) } } }),
      );
    },
  ],
  'hold-outlives-stream': [
    (config, parts) => {
      put(config, streaming);
      put(parts.manager, { common_http_protocol_options: { max_stream_duration: '3600s' } });
    },
    (config) => put(config, streaming),
  ],
  'data-open-to-others': [
    (config) => chmodSync(join(String(config.dataDirectory), 'keys', 'journal.key'), 0o640),
    (config) => chmodSync(join(String(config.dataDirectory), 'keys', 'journal.key'), 0o400),
  ],
  'socket-open-to-others': [
    (_, __, directory) => chmodSync(directory, 0o777),
    (_, __, directory) => chmodSync(directory, 0o775),
  ],
  'volume-nearly-full': [
    (_, __, ___, volume) => {
      volume.usedShare = 0.71;
    },
    (_, __, ___, volume) => {
      volume.usedShare = null;
    },
  ],
  'one-process': [
    () => {},
    (config, parts) => {
      put(config, { workers: 2 });
      const assignment = parts.processorCluster.load_assignment as { endpoints: { lb_endpoints: Part[] }[] };
      assignment.endpoints[0]?.lb_endpoints.push({ endpoint: { address: { pipe: { path: '/run/2.sock' } } } });
    },
  ],
  'figures-on-network': [
    (config) => put(config, { operations: { address: '0.0.0.0' } }),
    (config) => put(config, { operations: { address: '0.0.0.0', enabled: false } }),
  ],
};

test('every trap between the two files has an example', () => {
  assert.deepEqual(Object.keys(examples).sort(), setupRules.map(({ id }) => id).sort());
});

for (const [id, [bad, good]] of Object.entries(examples)) {
  test(`${id} is found, with its line, and not beside it`, (t) => {
    const found = findingsOf(t, bad).filter((finding) => finding.id === id);
    assert.ok(found.length > 0);
    for (const { line, file } of found) assert.ok(line > 0 && /^(envoy|skilltape)\.yaml$/.test(file));
    const near = findingsOf(t, good).map((finding) => finding.id);
    assert.ok(!near.includes(id), `${near}`);
  });
}

test('the example of skilltape.yaml fits the shipped configuration of Envoy', () => {
  const read = (path: string) => readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8');
  const [text, envoy] = [read('deploy/skilltape.yaml'), read('envoy/envoy.yaml')];
  const reading = parseConfig(text, '/etc/skilltape');
  assert.ok(reading.ok);
  const [configSource, envoySource] = [parseSource(text, 'skilltape.yaml'), parseSource(envoy, 'envoy.yaml')];
  const found = examineSetup({
    config: reading.config,
    configSource,
    envoySource,
    gateway: gatewayOf(envoySource.root),
    volumeUsedShare: null,
  });
  assert.deepEqual(
    found.filter(({ severity }) => severity !== 'note'),
    [],
  );
});
