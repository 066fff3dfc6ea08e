import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stringify } from 'yaml';
import { parseConfig } from '../../../extproc/config/parse.ts';

const usual = { publicUrl: 'https://console.example.com', identityProvider: 'idp', clientId: 'console' };

function read(console: object, providers: object = {}) {
  return parseConfig(
    stringify({
      ...{ dataDirectory: 'data', listen: { socket: 'x.sock' }, console },
      connections: { claude: { identityProviders: ['idp'] } },
      identityProviders: {
        idp: { issuer: 'https://idp.example.com' },
        ci: { issuer: 'https://ci.example.com', kind: 'workload', audiences: ['ci'] },
        ...providers,
      },
    }),
    '/etc/skilltape',
  );
}

function faultsOf(console: object, providers: object = {}): string[] {
  const reading = read(console, providers);
  return reading.ok ? [] : reading.faults.map(({ key, message }) => `${key} ${message}`);
}

test('a console has its defaults, and its files stand beside the configuration', () => {
  const reading = read({ ...usual, clientSecretFile: 'console.secret', caFile: 'ca.pem' });
  assert.ok(reading.ok);
  const { console } = reading.config;
  assert.deepEqual(console?.listen, { address: '127.0.0.1', port: 8480 });
  assert.deepEqual(
    [console?.clientSecretFile, console?.caFile],
    ['/etc/skilltape/console.secret', '/etc/skilltape/ca.pem'],
  );
  const without = parseConfig(
    stringify({
      ...{
        dataDirectory: 'data',
        listen: { socket: 'x.sock' },
        identityProviders: { idp: { issuer: 'https://i.example' } },
      },
      connections: { claude: { identityProviders: ['idp'] } },
    }),
  );
  assert.ok(without.ok && without.config.console === undefined, 'none unless it is configured');
});

test('people log in to the console at a provider of people that there is', () => {
  assert.match(faultsOf({ ...usual, identityProvider: 'none' }).join(), /console\.identityProvider names "none"/);
  assert.match(faultsOf({ ...usual, identityProvider: 'constructor' }).join(), /names "constructor"/);
  assert.match(faultsOf({ ...usual, identityProvider: 'ci' }).join(), /a provider of workloads/);
});

test('proxies are addresses or networks', () => {
  for (const proxy of ['10.0.0.0/8', '192.0.2.7', '2001:db8::/32', '::1']) {
    assert.deepEqual(faultsOf({ ...usual, trustedProxies: [proxy] }), [], proxy);
  }
  for (const proxy of ['10.0.0.0/33', '999.1.1.1', 'proxy.example', '10.0.0.0/8/8', '10.0.0.0/', '']) {
    assert.match(faultsOf({ ...usual, trustedProxies: [proxy] }).join(), /console\.trustedProxies/, proxy);
  }
});

test('a token for requests is none for decisions', () => {
  assert.match(faultsOf({ ...usual, apiAudiences: ['skilltape'] }).join(), /an audience of the gateway/);
  const providers = { other: { issuer: 'https://other.example.com', audiences: ['skilltape-console'] } };
  assert.match(faultsOf(usual, providers).join(), /an audience of the gateway/);
  assert.deepEqual(faultsOf({ ...usual, apiAudiences: [] }), []);
});

test('people reach the console by https, at a host of its own', () => {
  for (const publicUrl of [
    'http://console.example.com',
    'https://example.com/console',
    'https://example.com/',
    'console',
  ]) {
    assert.match(faultsOf({ ...usual, publicUrl }).join(), /console\.publicUrl/, publicUrl);
  }
  assert.deepEqual(faultsOf({ ...usual, publicUrl: 'http://localhost:8480' }), []);
});
