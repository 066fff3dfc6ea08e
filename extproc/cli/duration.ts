import { SkilltapeError } from '../errors.ts';

const unitMs: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 };

export const durationHelp = 'such as 30m, 2h or 7d; a plain number is minutes';

/** How long a flag says, in milliseconds. Throws SkilltapeError `usage`. */
export function durationMs(flag: string, text: string): number {
  const [, count = '', unit = 'm'] = /^(\d{1,6})([mhd])?$/.exec(text) ?? [];
  const ms = count === '' ? 0 : Number(count) * (unitMs[unit] ?? 0);
  if (ms > 0) return ms;
  throw new SkilltapeError('usage', `${flag} "${text}" is not a length of time`, { remedy: `write ${durationHelp}` });
}
