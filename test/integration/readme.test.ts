import assert from 'node:assert/strict';
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, before, test } from 'node:test';

const root = resolve(import.meta.dirname, '../..');
const main = `'${process.execPath}' '${join(root, 'extproc/main.ts')}'`;

type Step = { command: string; output: string };

/** The tour's commands, each with the output block that follows it. */
function tour(): Step[] {
  const readme = readFileSync(join(root, 'README.md'), 'utf8');
  const section = readme.slice(readme.indexOf('## A tour in five minutes'), readme.indexOf('## Settings of Claude'));
  const blocks = section.matchAll(/```sh\n([\s\S]*?)```\s*```text\n([\s\S]*?)```/g);
  return [...blocks].map(([, command = '', output = '']) => ({ command, output }));
}

/** A line of the README as a pattern: `…` stands for anything within a line. */
function pattern(line: string): RegExp {
  const literal = line.trim().split('…');
  return new RegExp(literal.map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('.*'));
}

function shell(command: string, cwd: string): Promise<string> {
  return new Promise((done, fail) => {
    execFile(
      'bash',
      ['-euo', 'pipefail', '-c', command],
      { cwd, env: { ...process.env, COLUMNS: '200' } },
      (error, out, err) => {
        if (error === null) done(out);
        else fail(new Error(`${command}\n${out}\n${err}`, { cause: error }));
      },
    );
  });
}

let folder = '';
let gateway: ChildProcess;
let printed = '';

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'skilltape-readme-'));
  gateway = spawn(process.execPath, [join(root, 'extproc/main.ts'), 'up', '--port', '0', '--console-port', '0'], {
    cwd: folder,
  });
  gateway.stderr?.resume();
  await new Promise<void>((done, fail) => {
    gateway.stdout?.on('data', (chunk: Buffer) => {
      printed += chunk.toString();
      if (printed.includes('ANTHROPIC_AUTH_TOKEN')) done();
    });
    gateway.once('exit', (code) => fail(new Error(`up ended with ${code}\n${printed}`)));
  });
});

after(async () => {
  const ended = new Promise((done) => gateway.once('exit', done));
  gateway.kill('SIGINT');
  await ended;
  rmSync(folder, { recursive: true, force: true });
});

test('npm start prints the four transcripts that the README announces', () => {
  for (const title of ['a plain question', 'streamed, with a tool use', 'a model of the deny list', 'with a secret']) {
    assert.match(printed, new RegExp(`=== \\d\\. .*${title}`));
  }
  assert.match(printed, /\[SECRET:[0-9a-f]{16}\]/);
});

test('each command of the tour prints what the README shows', async () => {
  const url = /gateway is up at (https:\S+)/.exec(printed)?.[1] ?? '';
  const steps = tour();
  assert.ok(steps.length >= 5);
  for (const { command, output } of steps) {
    const real = command.replaceAll('npx skilltape', main).replaceAll('https://localhost:8443', url);
    const shown = await shell(real, folder);
    for (const line of output.trim().split('\n')) assert.match(shown, pattern(line), command);
  }
});

test('every file that the README links to is there', () => {
  const readme = readFileSync(join(root, 'README.md'), 'utf8');
  for (const [, link = ''] of readme.matchAll(/\]\(((?!https?:)[^)]+)\)/g)) {
    const [file = '', anchor] = link.split('#');
    const text = readFileSync(join(root, file), 'utf8');
    if (anchor === undefined) continue;
    const headings = [...text.matchAll(/^#+ (.+)$/gm)].map(([, words = '']) =>
      words.toLowerCase().replaceAll(' ', '-'),
    );
    assert.ok(headings.includes(anchor), link);
  }
});
