import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Registry } from 'prom-client';
import { startSweeping } from '../../../extproc/cli/sweeping.ts';
import { loadConfig } from '../../../extproc/config/load.ts';
import { nodeFileSystem } from '../../../extproc/journal/node-fs.ts';
import { SqliteLookLog } from '../../../extproc/looks/sqlite-look-log.ts';
import { waitUntil } from '../../environment/wait.ts';
import { dayMs, RetentionRig } from '../retention/rig.ts';

const policies = fileURLToPath(new URL('../../../policies', import.meta.url));

/** A data directory with an exchange that is due, and its gateway's timer. */
async function gateway(t: TestContext, retention: Record<string, unknown> = {}) {
  const rig = await RetentionRig.open(t, { startMs: Date.now(), fileSystem: nodeFileSystem });
  await rig.record({ number: 1, atMs: Date.now() - 40 * dayMs });
  await rig.archive.close();
  const { dataDirectory } = rig;
  writeFileSync(join(dataDirectory, 'keys', 'hash.key'), Buffer.alloc(32, 7), { mode: 0o600 });
  const configFile = join(dataDirectory, 'skilltape.yaml');
  const settings = {
    ...{ dataDirectory, listen: { socket: 'skilltape.sock' }, policies: { directory: policies }, retention },
    connections: { claude: { identityProviders: ['idp'] } },
    identityProviders: { idp: { issuer: 'https://login.example.org' } },
  };
  writeFileSync(configFile, JSON.stringify(settings));
  const registry = new Registry();
  const said: string[] = [];
  const say = (level: string) => (fields: unknown, message?: string) =>
    void said.push(`${level} ${message ?? fields} ${message === undefined ? '' : JSON.stringify(fields)}`.trim());
  const log = { info: say('info'), warn: say('warn'), error: say('error') } as never;
  const config = loadConfig(configFile, {});
  const start = () => {
    const timing = { quietMs: 0, checkIntervalMs: 20 };
    const stop = startSweeping({ config, configFile, log, registry, env: process.env, timing });
    t.after(stop);
    return stop;
  };
  const figure = async (name: string) =>
    Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(await registry.metrics())?.[1] ?? Number.NaN);
  return { rig, start, said, figure };
}

test('a gateway sweeps by itself, in a process of its own: with a receipt, a look, and figures', async (t) => {
  const { rig, start, said, figure } = await gateway(t);
  start();
  await waitUntil('a sweep', async () => said.length > 0);
  assert.deepEqual(said, ['info a sweep was made']);
  assert.deepEqual(
    (await rig.indexDays()).map(({ documents, withContent }) => [documents, withContent]),
    [[1, 0]],
  );
  assert.deepEqual(rig.revealDays(), []);
  const lines = readFileSync(join(rig.dataDirectory, 'retention', 'receipts.signed'), 'utf8')
    .trim()
    .split('\n');
  const [begun, ended] = lines.map((line) => JSON.parse(line.split('\t')[0] ?? ''));
  assert.deepEqual([begun.kind, ended.kind, lines.length], ['sweep_begun', 'sweep_ended', 2]);
  assert.equal(begun.reason, 'by the timer (retention.sweepIntervalHours)');
  const looks = new SqliteLookLog(rig.dataDirectory);
  assert.deepEqual(
    looks.list(10).map(({ what, subject }) => [what, subject]),
    [['retention', 'sweep']],
  );
  assert.ok((await figure('skilltape_retention_sweep_age_seconds')) < 300);
  assert.equal(await figure('skilltape_retention_to_do'), 0);
});

test('a sweep that cannot be made is said with its reason, and the figure that an alert looks at goes on growing', async (t) => {
  const { rig, start, said, figure } = await gateway(t);
  await rig.parts.holds.add({ session: 'one' }, 'ops', 'a case');
  // Signed by a key that is not the one of this configuration.
  start();
  await waitUntil('a sweep', async () => said.length > 0);
  assert.match(said[0] ?? '', /^error a sweep failed .*(holds\.signed|put back a copy)/);
  assert.ok((await figure('skilltape_retention_sweep_age_seconds')) >= 0);
  assert.equal((await rig.indexDays())[0]?.withContent, 1);
});

test('with an interval of 0 nothing sweeps by itself, and the figures tell of the sweeps of others', async (t) => {
  const { start, said, figure } = await gateway(t, { sweepIntervalHours: 0 });
  await start()();
  assert.deepEqual(said, []);
  assert.ok((await figure('skilltape_retention_sweep_age_seconds')) >= 0);
});
