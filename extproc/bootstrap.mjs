// Runs a script of skilltape under the runtime that package-lock.json pins, installing first what is missing.
// Plain JavaScript for Node 18 or newer and nothing but built-in modules: it runs before anything is installed.
// Usage: node extproc/bootstrap.mjs <script.ts> [arguments…]

import { spawn, spawnSync } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { constants, homedir } from 'node:os';
import { delimiter, dirname, isAbsolute, join, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { withInstallLock } from './tools/install-lock.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const modules = join(root, 'node_modules');
const stamp = join(modules, '.skilltape-install');
const lock = join(root, '.install.lock');
const runtimeMajor = 24;

/** A fault that one sentence explains, and the status to end with. */
class Refusal extends Error {
  constructor(message, status = 1) {
    super(message);
    this.status = status;
  }
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof Refusal)) throw error;
  say(error.message);
  process.exitCode = error.status;
}

async function main([script, ...args]) {
  if (script === undefined) {
    say('usage: node extproc/bootstrap.mjs <script.ts> [arguments…]');
    return 2;
  }
  await install();
  const runtime = await findRuntime();
  const own = script.startsWith('extproc/') ? runtimeOptions() : { arguments: [], environment: {} };
  return await run(runtime, [...own.arguments, resolve(root, script), ...args], {
    stdio: 'inherit',
    env: { ...own.environment, ...process.env },
  });
}

/**
 * How skilltape itself is run. A heap is collected when it is 1.3 times what was in use, instead of four
 * times on a machine with much memory, large buffers go back to the system when they are freed, and all
 * threads share two arenas of malloc: without, a few large bodies double the memory for good. Compiled policies are
 * optimised when they are loaded, beside their first evaluations, and not one by one as they are called often enough.
 * What was compiled of a module is kept beside the packages: what takes types out of one takes 7 MB of each thread that
 * needs it.
 */
function runtimeOptions() {
  const own = JSON.parse(readFileSync(join(root, 'extproc', 'tools', 'runtime.json'), 'utf8'));
  const environment = { ...own.environment, NODE_COMPILE_CACHE: join(root, own.compiled) };
  return { arguments: own.arguments, environment };
}

function say(line) {
  process.stderr.write(`skilltape: ${line}\n`);
}

async function install() {
  if (reasonToInstall() === null) return;
  try {
    await withInstallLock(lock, say, runInstall);
  } catch (error) {
    if (error instanceof Refusal || error.code === undefined) throw error;
    throw new Refusal(`the dependencies cannot be installed in ${root}: ${error.message}.`);
  }
}

async function runInstall() {
  const reason = reasonToInstall();
  if (reason === null) return;
  say(`installing the dependencies with npm ci, because ${reason}`);
  const digest = lockDigest();
  const status = await npm(['ci', '--include=dev', '--no-audit', '--no-fund']);
  if (status === 0) {
    writeFileSync(stamp, `${digest}\n`);
    return;
  }
  if (status > 128) throw new Refusal('the installation was interrupted; start again to finish it.', status);
  const remedy = 'see that this machine reaches the npm registry, then start again';
  throw new Refusal(
    `the dependencies are not installed, npm ci ended with status ${status} (its own words are above): ${remedy}.`,
  );
}

function lockDigest() {
  return createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex');
}

function reasonToInstall() {
  if (!existsSync(modules)) return 'node_modules is missing';
  if (!existsSync(stamp)) return 'node_modules was not installed by a finished start';
  return readFileSync(stamp, 'utf8').trim() === lockDigest() ? null : 'package-lock.json has changed';
}

async function npm(args) {
  try {
    // What npm prints is progress: standard output belongs to the script.
    return await run('npm', args, {
      cwd: root,
      env: npmEnvironment(),
      stdio: ['inherit', 2, 'inherit'],
    });
  } catch (error) {
    if (error.code !== 'ENOENT') throw error;
    throw new Refusal(
      'npm is missing, which is needed to install the dependencies: install Node.js with npm, then start again.',
    );
  }
}

/** Without our own node_modules/.bin on PATH: npm must not run on a Node that it is about to delete. */
function npmEnvironment() {
  const folders = (process.env.PATH ?? '').split(delimiter).filter((folder) => !folder.startsWith(modules + sep));
  return { ...process.env, PATH: folders.join(delimiter) };
}

/** The pinned Node, else the Node we run on if it is new enough, else the pinned one fetched into the tool cache. */
async function findRuntime() {
  const pinned = join(modules, 'node', 'bin', 'node');
  if (isRuntime(pinned)) return pinned;
  if (Number.parseInt(process.versions.node, 10) >= runtimeMajor) return process.execPath;
  const { version } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages['node_modules/node'];
  const cached = join(cacheDirectory(), `node-${version}`);
  const binary = join('node_modules', runtimePackage(), 'bin', 'node');
  if (!isRuntime(join(cached, binary))) await fetchRuntime(version, cached, binary);
  return join(cached, binary);
}

function isRuntime(path) {
  if (!existsSync(path)) return false;
  const { status, stdout } = spawnSync(path, ['--version'], {
    encoding: 'utf8',
  });
  return status === 0 && Number.parseInt(stdout.slice(1), 10) >= runtimeMajor;
}

function runtimePackage() {
  const prefix = process.platform === 'darwin' && process.arch === 'arm64' ? 'node-bin' : 'node';
  return `${prefix}-${process.platform}-${process.arch}`;
}

function cacheDirectory() {
  const base = process.env.XDG_CACHE_HOME;
  const parent = base !== undefined && isAbsolute(base) ? base : join(process.env.HOME || homedir(), '.cache');
  return join(parent, 'skilltape');
}

async function fetchRuntime(version, target, binary) {
  const wanted = `${runtimePackage()}@${version}`;
  say(
    `fetching ${wanted} with npm, because the installed package "node" has no binary (npm may block install scripts)`,
  );
  const folder = `${target}.${randomUUID()}`;
  try {
    mkdirSync(folder, { recursive: true });
    const options = ['--no-save', '--ignore-scripts', '--no-audit', '--no-fund', '--prefix', folder];
    const status = await npm(['install', ...options, wanted]);
    if (status !== 0 || !isRuntime(join(folder, binary))) {
      const ways = `install Node.js ${runtimeMajor} or newer and start with it`;
      throw new Refusal(`Node.js ${version} is missing, which skilltape runs on, and npm could not fetch it: ${ways}.`);
    }
    placeRuntime(folder, target, binary);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Another start may put the same there at any time: then its copy is as good. A leftover that does not run is replaced. */
function placeRuntime(folder, target, binary) {
  if (isRuntime(join(target, binary))) return;
  rmSync(target, { recursive: true, force: true });
  try {
    renameSync(folder, target);
  } catch (error) {
    if (!isRuntime(join(target, binary))) throw error;
  }
}

/** Runs a command to its end and gives its status, 128 + n after signal n. */
function run(command, args, options) {
  return new Promise((settle, fail) => {
    let child;
    const forward = (signal) => {
      // A terminal sends Ctrl-C to the child as well, and a second one may mean "at once" to it.
      if (signal === 'SIGINT' && process.stdin.isTTY) return;
      child?.kill(signal);
    };
    const signals = ['SIGINT', 'SIGTERM'];
    // Before the child runs: a signal in between would end us and leave it alone.
    for (const signal of signals) process.on(signal, forward);
    const done = () => {
      for (const signal of signals) process.off(signal, forward);
    };
    child = spawn(command, args, options);
    child.once('error', (error) => {
      done();
      fail(error);
    });
    child.once('exit', (status, signal) => {
      done();
      settle(status ?? 128 + constants.signals[signal]);
    });
  });
}
