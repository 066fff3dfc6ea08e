import { findIncoherence } from './coherence.ts';
import { type Config, settle } from './config.ts';
import { explainIssues } from './explain.ts';
import { dottedKey, type Fault } from './fault.ts';
import { configSchema } from './schema.ts';
import { readYaml } from './yaml.ts';

export type ConfigReading = { ok: true; config: Config } | { ok: false; faults: Fault[] };

/** YAML gives a key `__proto__` like any other, and zod's records pass over it in silence. */
const prototypeKey = '__proto__';

/**
 * Reads the text of a configuration file and reports every fault at once; only a text that is no YAML is reported alone.
 * @param directory the folder that relative paths start from
 */
export function parseConfig(text: string, directory: string = process.cwd()): ConfigReading {
  const yaml = readYaml(text);
  if (!yaml.ok) return yaml;
  const data = yaml.data ?? {};
  const parsed = configSchema.safeParse(data);
  const faults = [
    ...yaml.faults,
    ...(parsed.success ? [] : explainIssues(parsed.error.issues, data, yaml.lineOf)),
    ...[...findPrototypeKeys(data), ...findIncoherence(data, directory)].map((fault) => {
      const line = yaml.lineOf(fault.key.split('.'));
      return line === undefined ? fault : { ...fault, line };
    }),
  ];
  if (parsed.success && faults.length === 0) return { ok: true, config: settle(parsed.data, directory) };
  return { ok: false, faults: inOrder(faults) };
}

function findPrototypeKeys(data: unknown): Fault[] {
  if (typeof data !== 'object' || data === null) return [];
  return ['connections', 'identityProviders'].flatMap((section) => {
    const entries: unknown = Object.hasOwn(data, section) ? Reflect.get(data, section) : undefined;
    if (typeof entries !== 'object' || entries === null || !Object.hasOwn(entries, prototypeKey)) return [];
    return [
      {
        key: dottedKey([section, prototypeKey]),
        message: 'is not a name: 1 to 63 of the characters a-z, 0-9 and -',
      },
    ];
  });
}

/** By line, faults without one last; each said once. */
function inOrder(faults: readonly Fault[]): Fault[] {
  const said = new Set<string>();
  return faults
    .filter((fault) => {
      const sentence = `${fault.key}\n${fault.message}`;
      return !said.has(sentence) && said.add(sentence);
    })
    .toSorted((a, b) => (a.line ?? Number.MAX_SAFE_INTEGER) - (b.line ?? Number.MAX_SAFE_INTEGER));
}
