import type { Fault } from './fault.ts';
import { isSection, valueAt } from './section.ts';

const needed: Record<string, readonly string[]> = {
  slack: ['urlFile'],
  teams: ['urlFile'],
  webhook: ['urlFile', 'secretFile'],
  email: ['smtpHost', 'from', 'to'],
};

const webKeys = ['urlFile', 'allowPlainHttp'];
const mailKeys = ['smtpHost', 'smtpPort', 'smtpTls', 'smtpUserFile', 'smtpPasswordFile', 'from', 'to'];
const foreign: Record<string, readonly string[]> = {
  slack: ['secretFile', ...mailKeys],
  teams: ['secretFile', ...mailKeys],
  webhook: mailKeys,
  email: ['secretFile', ...webKeys],
};

/** Each has its own copy of what happened waiting, and all of them together have to leave room for more (inv. 10). */
const targetsMax = 20;

/** What must fit together in `approvals.notify.targets`: each kind has keys of its own. */
export function checkNotify(data: unknown): Fault[] {
  const targets = valueAt(data, 'approvals.notify.targets');
  if (!isSection(targets)) return [];
  const entries: [string, unknown][] = Object.entries(targets);
  return [
    ...(entries.length > targetsMax ? [tooMany(entries.length)] : []),
    ...entries.flatMap(([name, target]) =>
      isSection(target) ? checkTarget(`approvals.notify.targets.${name}`, target) : [],
    ),
  ];
}

function tooMany(count: number): Fault {
  return {
    key: 'approvals.notify.targets',
    message: `has ${count} entries, more than ${targetsMax}`,
    remedy: 'have one of them tell the others',
  };
}

function checkTarget(key: string, target: object): Fault[] {
  const kind = valueAt(target, 'kind');
  if (typeof kind !== 'string' || !Object.hasOwn(needed, kind)) return [];
  const has = (name: string): boolean => valueAt(target, name) !== undefined;
  const missing = (needed[kind] ?? []).filter((name) => !has(name));
  const unused = (foreign[kind] ?? []).filter(has);
  const halfLogin = kind === 'email' && has('smtpUserFile') !== has('smtpPasswordFile');
  return [
    ...missing.map((name) => ({ key: `${key}.${name}`, message: `is missing, but kind is ${kind}` })),
    ...unused.map((name) => ({
      key: `${key}.${name}`,
      message: `is given, but has no meaning where kind is ${kind}`,
      remedy: 'take it out',
    })),
    ...(halfLogin
      ? [{ key: `${key}.smtpUserFile`, message: 'and smtpPasswordFile must be given together, or neither of them' }]
      : []),
  ];
}
