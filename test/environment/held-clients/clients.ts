/** The clients that a held prompt has to be lived through by, each as a process of its own. */
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { type ClientProgram, claudeCode, pythonSdk } from '../client-programs.ts';
import type { TestGateway } from '../gateway.ts';
import { type Asked, environmentOf, type Told } from './told.ts';

/** What a client's user has in the end; `attempts` is null where the client does not say. */
export type Ended = { attempts: number | null; answer: string | null; error: string | null };

export type HeldClient = {
  name: string;
  streams: boolean;
  /** Sends one prompt by this connection. */
  ask(gateway: TestGateway, connection: string, prompt: string): Promise<Ended>;
};

const file = (name: string) => fileURLToPath(new URL(name, import.meta.url));

/** Those that can be had here, and why others cannot. */
export async function heldClients(): Promise<{ clients: HeldClient[]; missing: string[] }> {
  const programs = { python: await pythonSdk(), code: await claudeCode() };
  const missing = Object.values(programs).flatMap((program) => ('missing' in program ? [program.missing] : []));
  const both = (name: string, variant: string, command: string[], more: NodeJS.ProcessEnv = {}): HeldClient[] =>
    [true, false].map((streams) => ({
      name: `${name}${streams ? ', streaming' : ''}`,
      streams,
      ask: (gateway, connection, prompt) =>
        askProgram(gateway, connection, { prompt, streams, variant, command, more }),
    }));
  const node = (name: string) => [process.execPath, file(name)];
  const retrying = both('a client that retries like Claude Code', '', node('retrying.ts'));
  return {
    missing,
    clients: [
      ...both('the TypeScript SDK 1.x', '1', node('sdk.ts')),
      ...both('the TypeScript SDK 0.x', '0', node('sdk.ts')),
      ...pythonOf(programs.python, (path) =>
        both('the Python SDK', '', ['python3', file('sdk.py')], { PYTHONPATH: path }),
      ),
      ...retrying.filter(({ streams }) => streams),
      ...codeOf(programs.code),
    ],
  };
}

function pythonOf(program: ClientProgram, clients: (path: string) => HeldClient[]): HeldClient[] {
  return 'missing' in program ? [] : clients(program.path);
}

function codeOf(program: ClientProgram): HeldClient[] {
  if ('missing' in program) return [];
  const { path } = program;
  return [
    {
      name: 'Claude Code',
      streams: true,
      ask: (gateway, connection, prompt) => askCode(path, gateway, connection, prompt),
    },
  ];
}

type Program = Pick<Asked, 'prompt' | 'streams' | 'variant'> & { command: string[]; more: NodeJS.ProcessEnv };

async function askProgram(gateway: TestGateway, connection: string, program: Program): Promise<Ended> {
  const { command, more, ...asked } = program;
  const given = { ...asked, baseUrl: baseUrlOf(gateway, connection), token: await gateway.token() };
  const { output } = await run(command, { ...more, ...trusting(gateway), ...environmentOf(given) });
  const { attempts, message, error } = JSON.parse(output.slice(output.lastIndexOf('{"attempts"'))) as Told;
  const isWhole = message?.stop_reason === 'end_turn';
  const answer = isWhole ? message.content.map((block) => block.text ?? '').join('') : null;
  return { attempts, answer, error: error ?? (isWhole ? null : JSON.stringify(message)) };
}

async function askCode(path: string, gateway: TestGateway, connection: string, prompt: string): Promise<Ended> {
  mkdirSync(join(gateway.directory, 'homes'), { recursive: true });
  const home = mkdtempSync(join(gateway.directory, 'homes', 'code-'));
  const env = {
    HOME: home,
    ANTHROPIC_BASE_URL: baseUrlOf(gateway, connection),
    ANTHROPIC_AUTH_TOKEN: await gateway.token(),
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
    ...trusting(gateway),
  };
  const { status, output } = await run([path, '-p', prompt], env, home);
  return {
    attempts: null,
    ...(status === 0 ? { answer: output.trim(), error: null } : { answer: null, error: output.trim() }),
  };
}

/** The demo's routes: `claude` has no prefix. */
function baseUrlOf({ url }: TestGateway, connection: string): string {
  return connection === 'claude' ? url : `${url}/${connection}`;
}

function trusting({ caFile }: TestGateway): NodeJS.ProcessEnv {
  return { NODE_EXTRA_CA_CERTS: caFile, SSL_CERT_FILE: caFile };
}

async function run([command = '', ...args]: string[], env: NodeJS.ProcessEnv, cwd?: string) {
  const child = spawn(command, args, {
    env: { PATH: process.env.PATH, ...env },
    cwd,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const status = new Promise((resolve) => child.once('close', resolve));
  const [output, errors] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { status: await status, output: `${errors}${output}` };
}
