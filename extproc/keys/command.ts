/**
 * The master kept by a service for keys that a program of the operator's speaks to, as one of a cloud or an HSM: the
 * program is given the file of the private halves, or what it made of it, on standard input and answers on standard output.
 * It is started as it is named, never by a shell. Writers never start it.
 */
import { spawn } from 'node:child_process';
import { stat } from 'node:fs/promises';
import { z } from 'zod';
import { SkilltapeError } from '../errors.ts';
import { invalid, jsonOf } from './key-file.ts';
import type { MasterWrap } from './wrapped-master.ts';

/**
 * @property argv an absolute path and arguments
 * @property env all that the program has of an environment
 * @property timeoutMs from its start to its end; it and all that it started are killed then
 */
export type CommandOptions = { argv: readonly string[]; env: NodeJS.ProcessEnv; timeoutMs: number };

const answerMaxBytes = 65_536;
const wordsMaxBytes = 4_096;
const wordsMaxChars = 300;
const wrapped = z.object({ ciphertext: z.string().min(1).max(answerMaxBytes) });
const unwrapped = z.object({ plaintext: z.base64() });

export function commandWrap(options: CommandOptions): MasterWrap {
  const name = options.argv[0] ?? '';
  const ask = async <T>(request: object, schema: z.ZodType<T>): Promise<T> => {
    await checkProgram(name);
    const read = schema.safeParse(jsonOf(await answerOf(options, JSON.stringify({ version: 1, ...request }))));
    if (read.success) return read.data;
    throw failed(name, 'answers with something else than it has to', 'docs/keys.md has what it is asked and answers.');
  };
  return {
    name,
    async wrap(plain) {
      const plaintext = Buffer.from(plain).toString('base64');
      return (await ask({ action: 'wrap', plaintext }, wrapped)).ciphertext;
    },
    async unwrap(ciphertext) {
      return Buffer.from((await ask({ action: 'unwrap', ciphertext }, unwrapped)).plaintext, 'base64');
    },
  };
}

/** Whoever can change the program is given the master. */
async function checkProgram(path: string): Promise<void> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined || !found.isFile())
    throw invalid(`there is no program ${path}`, 'Put it there, or mend keys.command.argv.');
  if ((found.mode & 0o022) !== 0) throw invalid(`others may change the program ${path}`, `chmod go-w ${path}`);
}

function answerOf({ argv, env, timeoutMs }: CommandOptions, request: string): Promise<Uint8Array> {
  const [name = '', ...args] = argv;
  return new Promise((resolve, reject) => {
    // A group of its own, so that what it started ends with it.
    const child = spawn(name, args, { env, stdio: 'pipe', detached: true, shell: false });
    const chunks: Buffer[] = [];
    let [bytes, words] = [0, ''];
    let isOver = false;
    const fail = (why: string, remedy = remedyOfFailure, cause?: unknown) => {
      if (isOver) return;
      isOver = true;
      clearTimeout(deadline);
      killGroup(child.pid);
      for (const stream of child.stdio) stream?.destroy();
      reject(failed(name, why, remedy, cause));
    };
    const deadline = setTimeout(() => fail(`did not end within ${timeoutMs} ms`), timeoutMs);
    child.once('error', (error) => fail('cannot be started', 'See that it is executable.', error));
    // It may end without having read: its status says what that means.
    child.stdin.on('error', () => {});
    child.stdout.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      bytes += chunk.length;
      if (bytes > answerMaxBytes) fail(`answers with more than ${answerMaxBytes} bytes`);
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      words = (words + text).slice(-wordsMaxBytes);
    });
    child.once('close', (status, signal) => {
      clearTimeout(deadline);
      if (status === 0) return resolve(Buffer.concat(chunks));
      const ended = signal === null ? `ended with status ${status}` : `was ended by ${signal}`;
      const last = words.trim().split('\n').at(-1)?.slice(0, wordsMaxChars) ?? '';
      fail(last === '' ? ended : `${ended}: ${last}`);
    });
    child.stdin.end(`${request}\n`);
  });
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // All of it is over.
  }
}

const remedyOfFailure = 'Run it by hand as docs/keys.md says, and see whether the service answers it.';

function failed(name: string, why: string, remedy: string, cause?: unknown): SkilltapeError {
  return new SkilltapeError('key_invalid', `the program ${name} of the service for keys ${why}`, { remedy, cause });
}
