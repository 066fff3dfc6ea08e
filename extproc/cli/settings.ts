import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Config } from '../config/config.ts';
import { loadConfig } from '../config/load.ts';
import { demoDirectory } from '../demo/facts.ts';

/** The configuration that a command means: `--config`, `SKILLTAPE_CONFIG`, `./skilltape.yaml`, else the demo's. */
export function configOf(path: string | undefined, env: NodeJS.ProcessEnv): Config {
  const demo = resolve(demoDirectory, 'skilltape.yaml');
  const named = path ?? env.SKILLTAPE_CONFIG;
  if (named === undefined && !existsSync('skilltape.yaml') && existsSync(demo)) return loadConfig(demo, env);
  return loadConfig(path, env);
}
