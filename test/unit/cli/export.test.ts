import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { type ExportDependencies, exportCommand } from '../../../extproc/cli/export.ts';
import { SkilltapeError } from '../../../extproc/errors.ts';
import type { ConsoleInput } from '../../../extproc/policy/console.ts';
import { temporaryDirectory } from '../../builders/directory.ts';
import { CommandRunner, newRun } from './looking-fixture.ts';

const guide = readFileSync(new URL('../../../docs/export.md', import.meta.url), 'utf8');

type Setting = Partial<ExportDependencies> & { verdict?: 'allow' | 'deny' };

function exportingWith({ verdict = 'allow', ...changed }: Setting = {}) {
  const asked: ConsoleInput[] = [];
  let streamed = '';
  const dependencies: ExportDependencies = {
    version: () => '0.1.0',
    groups: () => ['training'],
    policy: async () => ({
      revision: 'sha256:allowed',
      console: (input) => {
        asked.push(input);
        const reasons = verdict === 'allow' ? [] : [{ rule: 'console/operator_listed', message: 'You are not.' }];
        return { verdict, reasons, limits: { values_per_operator_per_hour: 0, values_per_person_per_hour: 0 } };
      },
    }),
    erased: async () => () => false,
    writeOut: async (text) => {
      streamed += text;
    },
    ...changed,
  };
  return { dependencies, asked, streamed: () => streamed };
}

const skill = [{ name: 'pdf', version: '', source: 'container' }];
const use = { type: 'tool_use', id: 'toolu_1', name: 'read', input: { path: 'form.pdf' } };
const result = { type: 'tool_result', tool_use_id: 'toolu_1', content: 'Name: ____' };
const answerOf = (content: object) => ({ type: 'message', role: 'assistant', content: [content] }) as never;
/** The conversation of the guide, and one that no filter of its example takes. */
const recorded = [
  {
    ...{ id: 'exchange-1', connection: 'sandbox', time: '2026-01-15T10:00:00.000Z' },
    skilltape: {
      skill,
      new_messages: [{ role: 'user', content: 'Fill in the form for [EMAIL:1].' }],
      answer: answerOf(use),
    },
  },
  {
    ...{ id: 'exchange-2', connection: 'sandbox', time: '2026-01-15T10:00:09.000Z' },
    skilltape: {
      ...{ skill, history: { message_count: 2, prefix_hash: '' } },
      new_messages: [{ role: 'user', content: [result] }],
      answer: answerOf({ type: 'text', text: 'Done.' }),
    },
  },
  { id: 'other', session: 'session-2' },
];

test('the example of the guide makes the line of the guide, and a manifest that says who, why, what and from which policy', async (t) => {
  const directory = temporaryDirectory(t);
  const runner = new CommandRunner(directory);
  await runner.fill(recorded);
  const { dependencies, asked } = exportingWith();
  const out = join(directory, 'pdf-chats');
  const run = await runner.run((looking) => exportCommand(looking, dependencies), exampleFlags(out));
  assert.equal(run.exitCode, 0, run.error);
  assert.equal(run.out, '1 conversations of 2 exchanges and 4 messages\n');
  assert.deepEqual(readdirSync(out), ['conversations-00001.jsonl', 'manifest.json']);
  const content = readFileSync(join(out, 'conversations-00001.jsonl'), 'utf8');
  const [, line = ''] = /<!-- a test makes this line -->\n+```json\n([\s\S]*?)\n```/.exec(guide) ?? [];
  assert.deepEqual(
    content
      .trimEnd()
      .split('\n')
      .map((one) => JSON.parse(one)),
    [JSON.parse(line)],
  );
  assert.deepEqual(JSON.parse(readFileSync(join(out, 'manifest.json'), 'utf8')), {
    ...{ schema: 'skilltape.export/1', line_schema: 'skilltape.chat/1' },
    tool: { name: 'skilltape', version: '0.1.0' },
    exported_at: '2026-01-20T12:00:00.000Z',
    exported_by: { os_user: 'ada', uid: 1000 },
    reason: 'tune the pdf helper, ticket 41',
    query: {
      ...{ from: '2025-12-21T12:00:00.000Z', to: '2026-01-20T12:00:00.000Z' },
      ...{ outcome: 'complete', skill: 'pdf' },
    },
    policy: { allowed_by: 'sha256:allowed', masked_by: ['rev-1'] },
    counts: {
      ...{ conversations: 1, exchanges: 2, messages: 4 },
      left_out: { erased: 0, masking_failed: 0, metadata_only: 0, no_messages: 0, gone: 0 },
    },
    files: [
      {
        ...{ name: 'conversations-00001.jsonl', bytes: Buffer.byteLength(content), lines: 1 },
        sha256: createHash('sha256').update(content).digest('hex'),
      },
    ],
  });
  assert.deepEqual(
    run.looks.map(({ what, subject, why }) => [what, subject.split('\n').at(-1), why]),
    [['export', `out: ${out}`, 'tune the pdf helper, ticket 41']],
  );
  assert.deepEqual(
    asked.map(({ action, connection, reason, operator }) => [action, connection, reason, operator.groups]),
    [['export', '', 'tune the pdf helper, ticket 41', ['training']]],
  );
});

function exampleFlags(out: string): string[] {
  const [, command = ''] = /```sh\nnpx skilltape export (.*)\n```/.exec(guide) ?? [];
  const words = [...command.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '');
  assert.equal(words[1], './pdf-chats');
  return words.map((word) => (word === './pdf-chats' ? out : word));
}

test('to standard output come the lines alone; the manifest goes to the other, masked', async (t) => {
  const runner = new CommandRunner(temporaryDirectory(t));
  await runner.fill([
    { id: 'a', user: { email: 'eve@example.org' } },
    { id: 'b', user: { email: 'bob@example.org' } },
  ]);
  const { dependencies, streamed, asked } = exportingWith();
  const flags = [
    '--out',
    '-',
    '--user',
    'eve@example.org',
    '--connection',
    'claude',
    '--reason',
    'for eve@example.org',
  ];
  const run = await runner.run((looking) => exportCommand(looking, dependencies), flags);
  assert.deepEqual(
    streamed()
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line).id),
    ['a'],
  );
  assert.deepEqual([run.out, run.exitCode, asked[0]?.connection], ['', 0, 'claude']);
  const manifest = JSON.parse(run.error);
  assert.deepEqual([manifest.query.user, manifest.reason], ['[EMAIL:1]', 'for [EMAIL:1]']);
  assert.deepEqual(
    manifest.files.map(({ name, sha256 }: { name: string; sha256: string }) => [name, sha256]),
    [['-', createHash('sha256').update(streamed()).digest('hex')]],
  );
});

test('nobody exports whom policy does not let; the attempt is recorded, and nothing is read or written', async (t) => {
  const directory = temporaryDirectory(t);
  const runner = new CommandRunner(directory);
  await runner.fill(recorded);
  const { dependencies } = exportingWith({ verdict: 'deny' });
  const out = join(directory, 'out');
  const flags = ['--out', out, '--reason', 'because'];
  const run = await runner.run((looking) => exportCommand(looking, dependencies), flags);
  assert.deepEqual([run.exitCode, run.opened, existsSync(out)], [3, 0, false]);
  assert.match(run.error, /You are not\. \(console\/operator_listed\)/);
  assert.deepEqual(
    run.looks.map(({ what }) => what),
    ['export'],
  );
});

test('a look that cannot be recorded ends it before policy is asked or anything is read', async (t) => {
  const directory = temporaryDirectory(t);
  const runner = new CommandRunner(directory, { failingLookLog: true });
  const { dependencies, asked } = exportingWith();
  const run = newRun();
  const flags = ['--out', join(directory, 'out'), '--reason', 'because'];
  await assert.rejects(
    runner.run((looking) => exportCommand(looking, dependencies), flags, run),
    /could not be recorded/,
  );
  assert.deepEqual([asked.length, run.opened, existsSync(join(directory, 'out'))], [0, 0, false]);
});

test('a mistake on the command line is told with its remedy; where nothing matches no folder is made', async (t) => {
  const directory = temporaryDirectory(t);
  const runner = new CommandRunner(directory);
  await runner.fill(recorded);
  const run = async (...flags: string[]) =>
    runner.run((looking) => exportCommand(looking, exportingWith().dependencies), [...flags, '--reason', 'because']);
  const out = join(directory, 'out');
  assert.deepEqual([(await run('--out', directory)).exitCode, (await run()).exitCode], [2, 2]);
  assert.match((await run('--out', out, '--format', 'csv')).error, /--format "csv" is not known\nwrite jsonl/);
  const nothing = await run('--out', out, '--skill', 'none');
  assert.deepEqual([nothing.exitCode, existsSync(out)], [1, false]);
  assert.match(nothing.error, /Nothing was written/);
  assert.deepEqual(
    readdirSync(directory).filter((name) => name.endsWith('.partial')),
    [],
  );
});

test('what fails in the middle leaves nothing behind', async (t) => {
  const directory = temporaryDirectory(t);
  const runner = new CommandRunner(directory);
  await runner.fill(recorded);
  const failing = async () => () => {
    throw new SkilltapeError('index_failed', 'away');
  };
  const { dependencies } = exportingWith({ erased: failing });
  const flags = ['--out', join(directory, 'out'), '--reason', 'because'];
  await assert.rejects(
    runner.run((looking) => exportCommand(looking, dependencies), flags),
    /away/,
  );
  assert.deepEqual(
    readdirSync(directory).filter((name) => name.includes('out')),
    [],
  );
});
