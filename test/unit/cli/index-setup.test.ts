import assert from 'node:assert/strict';
import { test } from 'node:test';
import { indexCommand } from '../../../extproc/cli/index-setup.ts';
import type { Config } from '../../../extproc/config/config.ts';
import { SkilltapeError } from '../../../extproc/errors.ts';
import { SqliteIndex } from '../../../extproc/index/sqlite/writer.ts';
import { temporaryDirectory } from '../../builders/directory.ts';

type Ran = { out: string; error: string; exitCode: number };

async function run(config: () => Config, ...args: string[]): Promise<Ran> {
  const ran: Ran = { out: '', error: '', exitCode: 0 };
  const command = indexCommand(config, {
    write: (text) => {
      ran.out += text;
    },
    writeError: (text) => {
      ran.error += text;
    },
    setExitCode: (code) => {
      ran.exitCode = code;
    },
  });
  await command.parseAsync(args, { from: 'user' });
  return ran;
}

function embedded(dataDirectory: string): () => Config {
  return () => ({ index: { kind: 'sqlite' }, dataDirectory }) as unknown as Config;
}

function cluster(): Config {
  // Nothing listens on port 1.
  const section = { nodes: ['http://127.0.0.1:1'], prefix: 'p', requestTimeoutMs: 5_000 };
  const index = { kind: 'elasticsearch', elasticsearch: { ...section, numberOfReplicas: 0, refreshIntervalMs: 5_000 } };
  return { index, dataDirectory: '' } as unknown as Config;
}

test('the embedded index needs no setup, which is said', async (t) => {
  const config = embedded(temporaryDirectory(t));
  assert.deepEqual(await run(config, 'setup'), {
    out: 'Nothing to set up: the embedded index is made by itself.\n',
    error: '',
    exitCode: 0,
  });
  assert.equal((await run(config, 'setup', '--json')).out, '{"kind":"sqlite"}\n');
});

test('the embedded index is ready when there is one to search', async (t) => {
  const directory = temporaryDirectory(t);
  const before = await run(embedded(directory), 'check');
  assert.match(before.out, /^searching: there is no database at /);
  assert.equal(before.exitCode, 1);
  await SqliteIndex.open(directory).close();
  assert.deepEqual(await run(embedded(directory), 'check'), { out: 'searching: ready\n', error: '', exitCode: 0 });
});

test('a credential that is not whole, or two of them, is a mistake, before anything is read', async () => {
  const never = (): Config => assert.fail('the configuration was read');
  for (const flags of [
    ['--username-file', 'u'],
    ['--password-file', 'p'],
    ['--api-key-file', 'k', '--username-file', 'u', '--password-file', 'p'],
  ])
    await assert.rejects(
      run(never, 'setup', ...flags),
      (thrown) => thrown instanceof SkilltapeError && thrown.code === 'usage',
    );
});

test('a cluster that is away is an error of setup, and what check says', async () => {
  await assert.rejects(
    run(cluster, 'setup'),
    (thrown) =>
      thrown instanceof SkilltapeError &&
      thrown.code === 'index_failed' &&
      /cannot be put in place: Elasticsearch cannot be reached/.test(thrown.message),
  );
  const { out, exitCode } = await run(cluster, 'check', '--json');
  const standings = JSON.parse(out) as { use: string; problem: string }[];
  assert.equal(exitCode, 1);
  assert.deepEqual(
    standings.map(({ use, problem }) => [use, /cannot be reached/.test(problem)]),
    [
      ['shipping', true],
      ['searching', true],
    ],
  );
});
