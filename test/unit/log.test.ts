import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { createLog } from '../../extproc/log.ts';

const logModule = fileURLToPath(new URL('../../extproc/log.ts', import.meta.url));
const errorsModule = fileURLToPath(new URL('../../extproc/errors.ts', import.meta.url));

/** Runs a program that logs, and gives what it wrote, line by line. */
function logged(level: string, body: string): { lines: Record<string, unknown>[]; stdout: string } {
  const program = `
    import { createLog, endOnFault } from ${JSON.stringify(logModule)};
    import { SkilltapeError } from ${JSON.stringify(errorsModule)};
    const log = createLog(${JSON.stringify(level)});
    ${body}`;
  const { stderr, stdout } = spawnSync(process.execPath, ['--input-type=module', '--eval', program], {
    encoding: 'utf8',
  });
  const lines = stderr.split('\n').filter((line) => line !== '');
  return { lines: lines.map((line) => JSON.parse(line)), stdout };
}

test('a line is one JSON object on standard error, and standard output stays free for data', () => {
  const { lines, stdout } = logged('info', "log.info({ exchange: 'e-1' }, 'recording');");
  assert.equal(stdout, '');
  const [line] = lines;
  assert.deepEqual([line?.service, line?.exchange, line?.msg], ['skilltape', 'e-1', 'recording']);
  assert.ok(!('hostname' in (line ?? {})));
});

test('below its level nothing is written', () => {
  assert.deepEqual(logged('warn', "log.info('x'); log.debug('y');").lines, []);
  assert.equal(logged('warn', "log.warn('x');").lines.length, 1);
});

test('an error of ours is written with code, message and remedy', () => {
  const { lines } = logged('info', "log.error({ err: new SkilltapeError('usage', 'm', { remedy: 'r' }) }, 'failed');");
  const [error] = lines.map(({ err }) => err as Record<string, unknown>);
  assert.deepEqual([error?.code, error?.message, error?.remedy], ['usage', 'm', 'r']);
});

test('what a caller wrote comes into no log by way of the error that it caused', () => {
  const { lines } = logged(
    'info',
    `try { JSON.parse('{"said": SAID}'); } catch (thrown) {
      log.error({ err: new SkilltapeError('internal', 'could not read', { cause: thrown }) }, 'failed');
      log.error({ err: SkilltapeError.from(thrown) }, 'failed');
      log.error({ err: thrown }, 'failed');
      log.error(thrown);
    }`,
  );
  assert.equal(lines.length, 4);
  for (const line of lines) assert.ok(!JSON.stringify(line).includes('SAID'), JSON.stringify(line));
});

test('what a library throws that is no error, and what nobody catches, is logged without its words', () => {
  const { lines } = logged(
    'info',
    `endOnFault(log, () => process.exit(7));
    log.error({ err: SkilltapeError.from('said SAID', 'policy_failed') }, 'failed');
    log.error({ err: SkilltapeError.from({ said: 'SAID' }, 'policy_failed') }, 'failed');
    setTimeout(() => JSON.parse('{"said": SAID}'), 1);`,
  );
  assert.equal(lines.length, 3);
  for (const line of lines) assert.ok(!JSON.stringify(line).includes('SAID'), JSON.stringify(line));
  // A fatal line is written at once, before those that wait for their turn.
  const last = lines.find(({ level }) => level === 60);
  assert.equal(last?.msg, 'a fault that nobody caught: ending');
});

test('a line that asks for somebody says where it is explained', () => {
  const { lines } = logged('info', "log.info('a'); log.warn('b'); log.error({ x: 1 }, 'c'); log.fatal('d');");
  const guides = Object.fromEntries(lines.map(({ msg, guide }) => [msg, guide]));
  const guide = 'docs/operations.md#log-lines';
  assert.deepEqual(guides, { a: undefined, b: guide, c: guide, d: guide });
});

test('the system says itself why it failed, also as the cause of an error of ours', () => {
  const { lines } = logged(
    'info',
    `const { readFileSync } = await import('node:fs');
    try { readFileSync('/absent'); } catch (thrown) {
      log.error({ err: thrown }, 'failed');
      log.error({ err: new SkilltapeError('journal_poisoned', 'no write', { cause: thrown }) }, 'failed');
    }`,
  );
  const [first, second] = lines.map(
    ({ err }) => err as { message: string; frames: string[]; cause: { message: string } },
  );
  assert.match(first?.message ?? '', /ENOENT/);
  assert.ok((first?.frames.length ?? 0) > 0);
  assert.deepEqual([second?.message, second?.cause.message], ['no write', first?.message]);
});

test('line ends in a value make no second line', () => {
  assert.equal(logged('info', "log.info({ reason: 'a\\nb' }, 'c\\n{}');").lines.length, 1);
});

test('a level that does not exist is refused when the log is made', () => {
  assert.throws(() => createLog('loud'), /level/);
});
