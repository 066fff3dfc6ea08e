import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join, resolve } from 'node:path';
import { type TestContext, test } from 'node:test';
import { emptyMachine, findCommand, type Machine } from './tools/machine.ts';

const source = resolve(import.meta.dirname, '../../extproc');
/** The Node of the machine, as a user without ours has it; any version from 18 on. */
const systemNode = findCommand('node');
const systemMajor = Number.parseInt(execFileSync(systemNode, ['--version'], { encoding: 'utf8' }).slice(1), 10);
const ownNode = process.execPath;

type Checkout = Machine & { test: TestContext; checkout: string; npmCalls: () => string[] };

/** What npm ci leaves behind: the pinned runtime. */
const installRuntime = `mkdir -p node_modules/node/bin; ln -s ${ownNode} node_modules/node/bin/node`;

/** A checkout with the bootstrap, a script and a lock file, on a machine whose npm does what `npmBody` says. */
function checkout(t: TestContext, npmBody: string | null): Checkout {
  const machine = emptyMachine(t);
  const folder = join(machine.root, 'checkout');
  mkdirSync(join(folder, 'extproc', 'tools'), { recursive: true });
  for (const file of ['bootstrap.mjs', 'tools/install-lock.mjs', 'tools/runtime.json']) {
    cpSync(join(source, file), join(folder, 'extproc', file));
  }
  writeLock(folder, '24.21.0');
  writeFileSync(
    join(folder, 'script.ts'),
    'const args: string[] = process.argv.slice(2);\nconsole.log(JSON.stringify(args));\nprocess.exitCode = Number(args[0]);\n',
  );
  for (const name of ['mkdir', 'ln', 'rm', 'cat']) machine.borrow(name);
  const log = join(machine.root, 'npm.log');
  if (npmBody !== null) machine.command('npm', `echo "$*" >> ${log}\necho "npm is talking"\n${npmBody}`);
  const npmCalls = (): string[] => (existsSync(log) ? readFileSync(log, 'utf8').trim().split('\n') : []);
  return { ...machine, test: t, checkout: folder, npmCalls };
}

function writeLock(folder: string, version: string): void {
  const lock = { packages: { 'node_modules/node': { version } } };
  writeFileSync(join(folder, 'package-lock.json'), JSON.stringify(lock));
}

/** A failed test must not leave its processes behind. */
function endGroup(child: ChildProcess): void {
  try {
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
  } catch {
    // The group is empty: everything ended.
  }
}

type Ended = { status: number | null; signal: string | null; stdout: string; stderr: string };

/** Starts the bootstrap; `seen` settles when its standard error or output holds a text. */
function start(place: Checkout, args: readonly string[], node = systemNode) {
  const child: ChildProcess = spawn(node, [join(place.checkout, 'extproc/bootstrap.mjs'), ...args], {
    cwd: place.root,
    env: place.env,
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  place.test.after(() => endGroup(child));
  const said = { stdout: '', stderr: '' };
  const waiting: { text: string; found: () => void }[] = [];
  for (const name of ['stdout', 'stderr'] as const) {
    child[name]?.setEncoding('utf8').on('data', (text: string) => {
      said[name] += text;
      for (const wait of waiting) if (said[name].includes(wait.text)) wait.found();
    });
  }
  const ended = new Promise<Ended>((settle) => {
    child.once('close', (status, signal) => settle({ status, signal, ...said }));
  });
  const seen = (text: string): Promise<void> =>
    new Promise((found, fail) => {
      waiting.push({ text, found });
      if (said.stdout.includes(text) || said.stderr.includes(text)) found();
      void ended.then((end) => fail(new Error(`it ended without saying "${text}": ${JSON.stringify(end)}`)));
    });
  return { child, ended, seen };
}

test('a fresh checkout is installed once, and the script gets its arguments and gives its status', async (t) => {
  const place = checkout(t, installRuntime);
  const first = await start(place, ['script.ts', '7', '--once', 'a b']).ended;
  assert.equal(first.status, 7, first.stderr);
  assert.equal(first.stdout, '["7","--once","a b"]\n', 'only the script writes to standard output');
  assert.match(first.stderr, /^skilltape: installing the dependencies with npm ci, because node_modules is missing\n/);
  const second = await start(place, ['script.ts', '0']).ended;
  assert.deepEqual([second.status, second.stderr], [0, '']);
  assert.deepEqual(place.npmCalls(), ['ci --include=dev --no-audit --no-fund']);
  assert.deepEqual(readdirSync(place.checkout).toSorted(), [
    'extproc',
    'node_modules',
    'package-lock.json',
    'script.ts',
  ]);
});

test('a changed lock file, and modules of an unfinished install, are installed anew', async (t) => {
  const place = checkout(t, `rm -rf node_modules; ${installRuntime}`);
  await start(place, ['script.ts', '0']).ended;
  writeLock(place.checkout, '24.99.0');
  assert.match((await start(place, ['script.ts', '0']).ended).stderr, /because package-lock\.json has changed/);
  rmSync(join(place.checkout, 'node_modules', '.skilltape-install'));
  assert.match((await start(place, ['script.ts', '0']).ended).stderr, /because node_modules was not installed by/);
  assert.equal(place.npmCalls().length, 3);
});

test('without npm, one sentence says so', async (t) => {
  const { status, stderr } = await start(checkout(t, null), ['script.ts', '0']).ended;
  assert.equal(status, 1);
  assert.match(
    stderr,
    /\nskilltape: npm is missing, which is needed .*: install Node\.js with npm, then start again\.\n$/,
  );
});

test('when npm fails, as it does offline, one sentence says so and the next start tries again', async (t) => {
  const place = checkout(t, 'mkdir -p node_modules; echo "npm error network" >&2; exit 9');
  for (const _ of [1, 2]) {
    const { status, stdout, stderr } = await start(place, ['script.ts', '0']).ended;
    assert.deepEqual([status, stdout], [1, '']);
    assert.match(
      stderr,
      /npm error network\nskilltape: the dependencies are not installed, .* status 9 .*registry, then start again\.\n$/,
    );
    assert.ok(!existsSync(join(place.checkout, '.install.lock')));
  }
  assert.equal(place.npmCalls().length, 2);
});

test('a signal during the installation ends it, and the lock is given back', async (t) => {
  const place = checkout(t, '');
  const pipe = join(place.root, 'pipe');
  execFileSync(findCommand('mkfifo'), [pipe]);
  place.command('npm', `echo installing; read line < ${pipe}`);
  const started = start(place, ['script.ts', '0']);
  await started.seen('installing\n');
  started.child.kill('SIGTERM');
  const { status, stderr } = await started.ended;
  assert.equal(status, 143);
  assert.match(stderr, /the installation was interrupted; start again to finish it\.\n$/);
  assert.ok(!existsSync(join(place.checkout, '.install.lock')));
});

test('two starts at once install once', async (t) => {
  const place = checkout(t, '');
  const pipe = join(place.root, 'pipe');
  execFileSync(findCommand('mkfifo'), [pipe]);
  place.command('npm', `echo ci >> ${join(place.root, 'npm.log')}; echo begun; read line < ${pipe}; ${installRuntime}`);
  const first = start(place, ['script.ts', '1']);
  await first.seen('begun');
  const second = start(place, ['script.ts', '2']);
  await second.seen('another start is installing the dependencies; waiting for it');
  writeFileSync(pipe, 'go on\n');
  assert.deepEqual([(await first.ended).status, (await second.ended).status], [1, 2]);
  assert.deepEqual(place.npmCalls(), ['ci']);
});

test('the lock of a start that was killed is taken over', async (t) => {
  const place = checkout(t, installRuntime);
  const dead = spawn(systemNode, ['-e', '']);
  await new Promise((ended) => dead.once('close', ended));
  mkdirSync(join(place.checkout, '.install.lock'));
  writeFileSync(join(place.checkout, '.install.lock', 'owner'), `${hostname()} ${dead.pid} token`);
  const { status, stderr } = await start(place, ['script.ts', '0']).ended;
  assert.equal(status, 0, stderr);
  assert.match(stderr, /taking over from a start that died/);
  assert.ok(!readdirSync(place.checkout).some((name) => name.startsWith('.install.lock')));
});

test('SIGINT and SIGTERM reach the script, and its own ending decides the status', async (t) => {
  const place = checkout(t, installRuntime);
  const patient = `for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.on(signal, () => { console.log(signal); process.exit(signal === 'SIGINT' ? 5 : 6); });
console.log('ready'); setInterval(() => {}, 1000);`;
  writeFileSync(join(place.checkout, 'patient.ts'), patient);
  for (const [signal, status] of [
    ['SIGINT', 5],
    ['SIGTERM', 6],
  ] as const) {
    const started = start(place, ['patient.ts']);
    await started.seen('ready');
    started.child.kill(signal);
    const end = await started.ended;
    assert.deepEqual([end.status, end.stdout], [status, `ready\n${signal}\n`]);
  }
});

test('a script that a signal ends gives 128 and the number of the signal', async (t) => {
  const place = checkout(t, installRuntime);
  writeFileSync(join(place.checkout, 'suicide.ts'), "process.kill(process.pid, 'SIGKILL');");
  assert.equal((await start(place, ['suicide.ts']).ended).status, 137);
});

test('where npm blocked the install script, a Node that is new enough runs the script itself', async (t) => {
  const place = checkout(t, 'mkdir -p node_modules');
  const { status, stderr } = await start(place, ['script.ts', '3'], ownNode).ended;
  assert.equal(status, 3, stderr);
  assert.deepEqual(place.npmCalls(), ['ci --include=dev --no-audit --no-fund']);
});

const tooOld = systemMajor < 24 ? {} : { skip: `needs a Node older than 24 on PATH; found ${systemMajor}` };

test(
  'where npm blocked the install script, an older Node has the pinned one fetched into the tool cache',
  tooOld,
  async (t) => {
    const place = checkout(
      t,
      `if [ "$1" = ci ]; then mkdir -p node_modules; exit; fi
while [ $# -gt 1 ]; do [ "$1" = --prefix ] && prefix=$2; shift; done
bin="$prefix/node_modules/\${1%@*}/bin"; mkdir -p "$bin"; ln -s ${ownNode} "$bin/node"`,
    );
    for (const status of [3, 4]) {
      const end = await start(place, ['script.ts', String(status)]).ended;
      assert.equal(end.status, status, end.stderr);
    }
    const calls = place.npmCalls();
    assert.equal(calls.length, 2);
    assert.match(calls[1] ?? '', /^install --no-save --ignore-scripts .* node(-bin)?-\w+-\w+@24\.21\.0$/);
    assert.deepEqual(readdirSync(place.cache), ['node-24.21.0']);
  },
);

test('where the pinned Node cannot be fetched either, one sentence names the way out', tooOld, async (t) => {
  const place = checkout(t, 'if [ "$1" = ci ]; then mkdir -p node_modules; else exit 1; fi');
  const { status, stderr } = await start(place, ['script.ts', '0']).ended;
  assert.equal(status, 1);
  assert.match(
    stderr,
    /skilltape: Node\.js 24\.21\.0 is missing, .*: install Node\.js 24 or newer and start with it\.\n$/,
  );
  assert.deepEqual(readdirSync(place.cache), []);
});

test('npm does not run on the Node that it is about to delete', async (t) => {
  const place = checkout(t, `echo "PATH=$PATH"; ${installRuntime}`);
  const own = join(place.checkout, 'node_modules', '.bin');
  const end = await start({ ...place, env: { ...place.env, PATH: `${own}:${place.bin}` } }, ['script.ts', '0']).ended;
  assert.ok(end.stderr.includes(`PATH=${place.bin}\n`), end.stderr);
});

test('without a script the usage is printed', async (t) => {
  const { status, stderr } = await start(checkout(t, null), []).ended;
  assert.equal(status, 2);
  assert.match(stderr, /usage: node extproc\/bootstrap\.mjs/);
});

test("skilltape's own programs get the runtime options, and other scripts do not", async (t) => {
  const place = checkout(t, installRuntime);
  const names = ['MALLOC_TRIM_THRESHOLD_', 'NODE_COMPILE_CACHE'];
  const script = `console.log(JSON.stringify([process.execArgv, ...${JSON.stringify(names)}.map((name) => process.env[name] ?? null)]));\n`;
  for (const name of ['script.ts', 'extproc/own.ts']) writeFileSync(join(place.checkout, name), script);
  const options = JSON.parse(readFileSync(join(source, 'tools/runtime.json'), 'utf8')) as { arguments: string[] };
  const own = JSON.parse((await start(place, ['extproc/own.ts']).ended).stdout) as unknown;
  const compiled = join(place.checkout, 'node_modules/.skilltape-compiled');
  assert.deepEqual(own, [options.arguments, '131072', compiled]);
  // What was stripped of its types is found there by the next start.
  assert.ok(existsSync(compiled));
  const other = JSON.parse((await start(place, ['script.ts']).ended).stdout) as unknown;
  assert.deepEqual(other, [[], null, null]);
});
