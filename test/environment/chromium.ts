/** A real Chromium without a window: `CHROMIUM_BIN`, else on PATH, else where Debian puts it. */
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { type Browser, chromium } from 'playwright-core';

const names = ['chromium', 'chromium-browser', 'google-chrome'];

/** Where it is; null where there is none. What `CHROMIUM_BIN` names is taken or refused, never passed over. */
export function chromiumPath(env: NodeJS.ProcessEnv = process.env): string | null {
  const named = env.CHROMIUM_BIN;
  if (named !== undefined && named !== '') return named;
  const folders = [...(env.PATH ?? '').split(delimiter), '/usr/bin'].filter((folder) => folder !== '');
  return folders.flatMap((folder) => names.map((name) => join(folder, name))).find(isExecutable) ?? null;
}

/**
 * Why tests in a browser cannot run here; null where they can. In CI that is a failure and no reason to skip: the test
 * then fails at its start.
 */
export function withoutChromium(env: NodeJS.ProcessEnv = process.env): string | null {
  if (chromiumPath(env) !== null || env.CI === 'true') return null;
  return 'there is no Chromium here: install the Debian package chromium, or name one in CHROMIUM_BIN';
}

export async function startChromium(): Promise<Browser> {
  const executablePath = chromiumPath();
  if (executablePath === null) throw new Error('Chromium is missing: install chromium, or name one in CHROMIUM_BIN');
  return chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu'] });
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
