/** Not above any UUIDv7 made at this time or later: those begin with 48 bits of milliseconds (RFC 9562, 5.7). */
export function uuidFloor(timeMs: number): string {
  const hex = Math.max(0, timeMs).toString(16).padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}`;
}
