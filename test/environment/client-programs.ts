import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { cacheDirectory, placeInCache } from '../../extproc/tools/cache.ts';
import { runChild } from '../../extproc/tools/child.ts';

const installMaxMs = 5 * 60_000;

/** A client program that tests drive, or why it cannot be had; with `CI=true` that is a failure and no skip. */
export type ClientProgram = { path: string } | { missing: string };

const claudeCodeVersion = '2.1.330';
const pythonSdkVersion = '2.14.0';

/** Claude Code: `CLAUDE_CODE_BIN`, else from npm into the tool cache. */
export async function claudeCode(): Promise<ClientProgram> {
  const named = process.env.CLAUDE_CODE_BIN;
  if (named !== undefined && named !== '') return { path: named };
  const folder = join(cacheDirectory(process.env), `claude-code-${claudeCodeVersion}`);
  const packages = [`@anthropic-ai/claude-code@${claudeCodeVersion}`];
  const installed = await install(folder, (target) => [
    'npm',
    ['install', '--no-audit', '--no-fund', '--prefix', target, ...packages],
  ]);
  return installed ?? { path: join(folder, 'node_modules', '.bin', 'claude') };
}

/** The folder for `PYTHONPATH` in which Claude's Python SDK is. */
export async function pythonSdk(): Promise<ClientProgram> {
  const folder = join(cacheDirectory(process.env), `python-sdk-${pythonSdkVersion}`);
  const options = ['--disable-pip-version-check', '--no-input', '--quiet', '--target'];
  const installed = await install(folder, (target) => [
    'python3',
    ['-m', 'pip', 'install', ...options, target, `anthropic==${pythonSdkVersion}`],
  ]);
  return installed ?? { path: folder };
}

async function install(
  folder: string,
  command: (target: string) => [string, string[]],
): Promise<{ missing: string } | null> {
  if (existsSync(folder)) return null;
  try {
    await placeInCache(process.env, folder, async (made) => {
      const target = join(made, 'tool');
      const [program, args] = command(target);
      const result = await runChild(program, args, { env: process.env, timeoutMs: installMaxMs, cwd: made });
      if (result.kind === 'ended' && result.status === 0) return target;
      throw new Error(result.kind === 'ended' ? result.output.slice(-300) : `${program} cannot be run`);
    });
    return null;
  } catch (error) {
    if (process.env.CI === 'true') throw error;
    return { missing: `it could not be installed: ${error instanceof Error ? error.message : String(error)}` };
  }
}
