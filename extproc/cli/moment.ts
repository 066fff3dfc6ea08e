import { SkilltapeError } from '../errors.ts';

const unitMs: Record<string, number> = {
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};

const dayMs = 86_400_000;

/** What the help of a command says about times. */
export const momentHelp = '2026-01-31, 2026-01-31T09:30Z or -30m, -2h, -7d, -4w; UTC unless an offset is given';

/** The moment where a range begins: a plain date is the start of that day. Throws SkilltapeError `usage`. */
export function rangeStart(flag: string, text: string, now: Date): Date {
  return parse(flag, text, now).moment;
}

/** The moment before which a range ends: a plain date belongs to the range whole. Throws SkilltapeError `usage`. */
export function rangeEnd(flag: string, text: string, now: Date): Date {
  const { moment, isWholeDay } = parse(flag, text, now);
  return isWholeDay ? new Date(moment.getTime() + dayMs) : moment;
}

function parse(flag: string, text: string, now: Date): { moment: Date; isWholeDay: boolean } {
  const relative = /^-(\d{1,6})([mhdw])$/.exec(text);
  if (relative?.[1] !== undefined && relative[2] !== undefined) {
    const ago = Number(relative[1]) * (unitMs[relative[2]] ?? 0);
    return { moment: new Date(now.getTime() - ago), isWholeDay: false };
  }
  const absolute = /^(\d{4}-\d{2}-\d{2})(T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?)?(Z|[+-]\d{2}:\d{2})?$/.exec(text);
  const [, date = '', time, offset] = absolute ?? [];
  const moment = new Date(`${date}${time ?? 'T00:00'}${offset ?? 'Z'}`);
  // Date rolls 31 February over into March instead of refusing it.
  const isRealDate = !Number.isNaN(moment.getTime()) && isCalendarDate(date);
  if (!isRealDate || (time === undefined && offset !== undefined))
    throw new SkilltapeError('usage', `${flag} "${text}" is not a time`, {
      remedy: `write ${momentHelp}`,
    });
  return { moment, isWholeDay: time === undefined };
}

function isCalendarDate(date: string): boolean {
  const midnight = new Date(`${date}T00:00Z`);
  return !Number.isNaN(midnight.getTime()) && midnight.toISOString().startsWith(date);
}
