import type { AccessInput } from '../policy/input.ts';

type Clock = AccessInput['clock'];
type Weekday = Clock[string]['weekday'];

/** Policies bring few time zones; a formatter costs as much as some thousand uses of it. */
const formatters = new Map<string, Intl.DateTimeFormat>();

const minuteMs = 60_000;
/** What each clock showed in the minute that was asked for last: every request asks, and a calendar takes 15 µs. */
const shown = new Map<string, { minute: number; clock: Clock[string] }>();

/**
 * What the clocks on the wall show at this time, in UTC and in each time zone (an IANA name that the runtime knows):
 * the evaluator has no calendar of its own.
 */
export function wallClocks(timeMs: number, timeZones: readonly string[]): Clock {
  return Object.fromEntries(['UTC', ...timeZones].map((zone) => [zone, wallClock(timeMs, zone)]));
}

/** Since 1972 every zone is ahead of UTC or behind it by whole minutes. */
function wallClock(timeMs: number, timeZone: string): Clock[string] {
  const minute = Math.floor(timeMs / minuteMs);
  const last = shown.get(timeZone);
  if (last?.minute === minute) return last.clock;
  const clock = Object.freeze(readCalendar(timeMs, timeZone));
  shown.set(timeZone, { minute, clock });
  return clock;
}

function readCalendar(timeMs: number, timeZone: string): Clock[string] {
  const parts: Partial<Record<Intl.DateTimeFormatPartTypes, string>> = {};
  for (const { type, value } of formatterOf(timeZone).formatToParts(timeMs)) parts[type] = value;
  const hour = Number(parts.hour);
  const minute = Number(parts.minute);
  return {
    date: `${parts.year}-${parts.month}-${parts.day}`,
    weekday: (parts.weekday ?? '').toLowerCase() as Weekday,
    hour,
    minute,
    minute_of_day: hour * 60 + minute,
  };
}

function formatterOf(timeZone: string): Intl.DateTimeFormat {
  let formatter = formatters.get(timeZone);
  if (formatter === undefined) {
    const digits = { year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit' } as const;
    formatter = new Intl.DateTimeFormat('en-US', { timeZone, hourCycle: 'h23', weekday: 'short', ...digits });
    formatters.set(timeZone, formatter);
  }
  return formatter;
}
