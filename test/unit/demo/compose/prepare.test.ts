import assert from 'node:assert/strict';
import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { parse } from 'yaml';
import { composePlaces } from '../../../../extproc/demo/compose/places.ts';
import { prepare } from '../../../../extproc/demo/compose/prepare.ts';
import { SkilltapeError } from '../../../../extproc/errors.ts';
import { temporaryDirectory } from '../../../builders/directory.ts';

function setup(test: TestContext) {
  const root = temporaryDirectory(test);
  const claudeKeyFile = join(temporaryDirectory(test), 'claude.key');
  const run = () => prepare({ places: { ...composePlaces, root }, claudeKeyFile });
  const content = () => {
    const names = readdirSync(root, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    const paths = names.map(({ parentPath, name }) => join(parentPath, name));
    return Object.fromEntries(paths.map((path) => [path.slice(root.length + 1), readFileSync(path, 'utf8')]));
  };
  return { root, claudeKeyFile, run, content };
}

type Endpoint = { endpoint: { address: { socket_address: { address: string } } } };
type EnvoyConfiguration = {
  static_resources: { clusters: { name: string; load_assignment: { endpoints: { lb_endpoints: Endpoint[] }[] } }[] };
};

const isUsageFault = (error: unknown) => error instanceof SkilltapeError && error.code === 'usage';

test('what was made once is kept, so that a second start fits what the services hold', async (t) => {
  const { run, content } = setup(t);
  assert.deepEqual(await run(), { secrets: 'made', upstream: 'fake' });
  const first = content();
  assert.deepEqual(await run(), { secrets: 'kept', upstream: 'fake' });
  assert.deepEqual(content(), first);
});

test('two installations have no secret in common', async (t) => {
  const [one, two] = [setup(t), setup(t)];
  await Promise.all([one.run(), two.run()]);
  const [first, second] = [one.content(), two.content()];
  const secrets = Object.keys(first).filter((name) => /\.(key|crt|password|secret|api-key)$|secrets\.yml$/.test(name));
  assert.ok(secrets.length > 15);
  for (const name of secrets) assert.notEqual(first[name], second[name], name);
});

test('when one file is lost, all are made anew: those that are left would not fit it', async (t) => {
  const { root, run, content } = setup(t);
  await run();
  const first = content();
  rmSync(join(root, 'skilltape/writer.password'));
  assert.equal((await run()).secrets, 'made');
  const second = content();
  assert.notEqual(second['skilltape/writer.password'], first['skilltape/writer.password']);
  assert.notEqual(second['elasticsearch/users'], first['elasticsearch/users']);
});

test('what an earlier version made is made anew, with what it did not know', async (t) => {
  const { root, run, content } = setup(t);
  await run();
  const { files } = JSON.parse(readFileSync(join(root, 'people/made.json'), 'utf8'));
  rmSync(join(root, 'console'), { recursive: true });
  const known = files.filter((name: string) => !name.startsWith('console/'));
  writeFileSync(join(root, 'people/made.json'), JSON.stringify({ files: known }));
  assert.equal((await run()).secrets, 'made');
  assert.ok('console/client.secret' in content());
});

test('what was left half made by a stop is made anew', async (t) => {
  const { root, run } = setup(t);
  await run();
  rmSync(join(root, 'people/made.json'));
  assert.equal((await run()).secrets, 'made');
});

test('certificates that end within a week are made anew', async (t) => {
  const { run } = setup(t);
  await run();
  const day = 24 * 3600 * 1000;
  t.mock.timers.enable({ apis: ['Date'], now: Date.now() + 20 * day });
  assert.equal((await run()).secrets, 'kept');
  t.mock.timers.setTime(Date.now() + 4 * day);
  assert.equal((await run()).secrets, 'made');
});

test('nobody but the owner may read a file', async (t) => {
  const { root, run, content } = setup(t);
  await run();
  for (const name of Object.keys(content())) assert.equal(statSync(join(root, name)).mode & 0o777, 0o600, name);
});

test('the key of Claude is in the folder of Envoy alone', async (t) => {
  const { claudeKeyFile, run, content } = setup(t);
  writeFileSync(claudeKeyFile, 'sk-ant-real-key\n');
  assert.deepEqual(await run(), { secrets: 'made', upstream: 'real' });
  const holders = Object.entries(content()).filter(([, text]) => text.includes('sk-ant-real-key'));
  assert.deepEqual(
    holders.map(([name]) => name),
    ['envoy/sds/claude_credential.yaml'],
  );
});

test('Envoy goes to the real Claude when there is a key, and back to the fake one when there is none', async (t) => {
  const { claudeKeyFile, run, content } = setup(t);
  const configuration = () => parse(content()['envoy/envoy.yaml'] ?? '', { merge: true }) as EnvoyConfiguration;
  const upstream = () => {
    const cluster = configuration().static_resources.clusters.find(({ name }) => name === 'upstream_claude');
    return cluster?.load_assignment.endpoints[0]?.lb_endpoints[0]?.endpoint.address.socket_address.address;
  };
  writeFileSync(claudeKeyFile, 'sk-ant-real-key');
  await run();
  assert.equal(upstream(), 'api.anthropic.com');
  rmSync(claudeKeyFile);
  await run();
  assert.equal(upstream(), 'claude');
  assert.ok(!content()['envoy/sds/claude_credential.yaml']?.includes('real'));
});

test('a key file that holds no key is told before anything is made', async (t) => {
  const { claudeKeyFile, run, content } = setup(t);
  for (const text of ['', 'two words', 'a\nb', 'clé']) {
    writeFileSync(claudeKeyFile, text);
    await assert.rejects(run(), isUsageFault, text);
  }
  assert.deepEqual(content(), {});
});
