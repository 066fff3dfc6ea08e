/** Days in UTC, and when what belongs to one is too old. */
export const dayMs = 86_400_000;

export function dayAt(timeMs: number): string {
  return new Date(timeMs).toISOString().slice(0, 10);
}

export function daysBefore(day: string, days: number): string {
  return dayAt(Date.parse(day) - days * dayMs);
}

/** Counted from the end of the day, so that nothing of it goes early. Milliseconds since the epoch. */
export function dueAtMs(day: string, keptDays: number): number {
  return Date.parse(day) + (1 + keptDays) * dayMs;
}
