import { isUtf8 } from 'node:buffer';
import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { SkilltapeError } from '../errors.ts';
import type { Config } from './config.ts';
import { type Fault, formatFaults } from './fault.ts';
import { type ConfigReading, parseConfig } from './parse.ts';

/** The variables skilltape reads; any other `SKILLTAPE_…` is a fault, so that a misspelt one is not passed over. */
const knownVariables: ReadonlySet<string> = new Set(['SKILLTAPE_CONFIG', 'SKILLTAPE_ISSUER', 'SKILLTAPE_CLIENT_ID']);

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Reads the configuration file with all its faults and those of the environment.
 * @param path the file; undefined: `SKILLTAPE_CONFIG`, else `skilltape.yaml` in the working directory
 */
export function readConfig(path: string | undefined, env: Environment): ConfigReading {
  const file = resolve(path ?? (env.SKILLTAPE_CONFIG || 'skilltape.yaml'));
  const strangers = unknownVariables(env);
  const reading = readFile(file);
  if (reading.ok && strangers.length === 0) return reading;
  return {
    ok: false,
    faults: [...strangers, ...(reading.ok ? [] : reading.faults)],
  };
}

/**
 * The configuration, or an error that lists every fault.
 * @throws SkilltapeError `config_invalid`
 */
export function loadConfig(path: string | undefined, env: Environment): Config {
  const reading = readConfig(path, env);
  if (!reading.ok) throw new SkilltapeError('config_invalid', formatFaults(reading.faults));
  return reading.config;
}

function readFile(file: string): ConfigReading {
  let bytes: Buffer;
  try {
    bytes = readFileSync(file);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const remedy = 'name the file on the command line or in SKILLTAPE_CONFIG; deploy/skilltape.yaml is an example';
    return {
      ok: false,
      faults: [{ key: '', message: `${file} cannot be read: ${why}`, remedy }],
    };
  }
  if (!isUtf8(bytes))
    return {
      ok: false,
      faults: [{ key: '', message: `${file} is not UTF-8 text` }],
    };
  return parseConfig(bytes.toString('utf8'), dirname(file));
}

function unknownVariables(env: Environment): Fault[] {
  return Object.keys(env)
    .filter((name) => name.startsWith('SKILLTAPE_') && !knownVariables.has(name))
    .toSorted()
    .map((key) => ({
      key,
      message: 'is not a variable that skilltape reads',
      remedy: `unset it; known: ${[...knownVariables].join(', ')}`,
    }));
}
