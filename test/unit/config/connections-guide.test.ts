import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { parse } from 'yaml';
import { parseConfig } from '../../../extproc/config/parse.ts';
import { envoyPlanOf } from '../../../extproc/envoy/plan.ts';
import { renderEnvoy } from '../../../extproc/envoy/render.ts';

const guide = readFileSync(new URL('../../../docs/connections.md', import.meta.url), 'utf8');
const [example = '', secret = ''] = [...guide.matchAll(/```yaml\n(.*?)```/gs)].map(([, text = '']) => text);

function settled() {
  const reading = parseConfig(`dataDirectory: data\nlisten: { socket: extproc.sock }\n${example}`, '/etc/skilltape');
  assert.ok(reading.ok, JSON.stringify(reading));
  return reading.config;
}

test('the example of the guide is a configuration, and renders to what the guide says of it', () => {
  const plan = envoyPlanOf(settled());
  assert.deepEqual(
    plan.connections.map(({ name, routePrefix, credential }) => [name, routePrefix, credential]),
    [
      ['claude', '/', { file: '/etc/skilltape/sds/claude_credential.yaml', header: 'x-api-key' }],
      ['research', '/research', { file: '/etc/skilltape/sds/research_credential.yaml', header: 'x-api-key' }],
      ['builds', '/team/builds', { file: '/etc/skilltape/sds/builds_credential.yaml', header: 'authorization' }],
    ],
  );
  assert.deepEqual(plan.connections[1]?.pinnedHeaders, { 'anthropic-workspace-id': 'wrkspc_01Research' });
  assert.deepEqual(plan.connections[2]?.upstream, {
    ...{ host: 'claude.eu.example.com', port: 8443, serverName: 'claude.internal' },
    caFile: '/etc/skilltape/tls/internal-ca.pem',
  });
  assert.ok(parse(renderEnvoy(plan), { merge: false, maxAliasCount: -1 }).static_resources);
});

test('the secret of the guide has the name that Envoy is told to look for', () => {
  const [{ name, generic_secret: generic }] = parse(secret).resources;
  assert.equal(name, 'research_credential');
  assert.ok(generic.secret.inline_string);
  const text = renderEnvoy(envoyPlanOf(settled()));
  assert.match(text, /name: research_credential\n\s+sds_config:/);
});

test('the guide speaks of every key of a connection and a provider that render reads', () => {
  for (const key of ['upstream', 'routePrefix', 'dialect', 'credentialFile', 'workspaceId', 'userProfileId']) {
    assert.ok(guide.includes(`\`${key}\``), key);
  }
  for (const key of ['recording', 'limits', 'policyData', 'jwksUri', 'jwksCacheMs'])
    assert.ok(guide.includes(key), key);
});
