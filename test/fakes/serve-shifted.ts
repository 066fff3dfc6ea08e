/**
 * `skilltape serve` whose wall clock a test sets: the file `clock` beside the configuration (`--config FILE`) holds how
 * many milliseconds it is ahead. The monotonic clock goes on, as it does when somebody sets a real one.
 */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { serve } from '../../extproc/cli/serve.ts';
import { loadConfig } from '../../extproc/config/load.ts';
import { nodeFileSystem } from '../../extproc/journal/node-fs.ts';

const { values } = parseArgs({ options: { config: { type: 'string' } }, strict: true });
const configFile = values.config ?? '';
const clockFile = join(dirname(configFile), 'clock');
const realNow = Date.now;
Date.now = () => realNow() + (existsSync(clockFile) ? Number(readFileSync(clockFile, 'utf8')) : 0);

await serve(loadConfig(configFile, process.env), nodeFileSystem, configFile);
