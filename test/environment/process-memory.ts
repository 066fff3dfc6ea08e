import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';

/** What a process holds in memory (Linux): `resident` now, `peak` the most since its start or `forgetPeak`, in bytes. */
export function processMemory(pid: number): { residentBytes: number; peakBytes: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const bytes = (field: string) => Number(new RegExp(`${field}:\\s+(\\d+) kB`).exec(status)?.[1]) * 1024;
  return { residentBytes: bytes('VmRSS'), peakBytes: bytes('VmHWM') };
}

/** proc(5): 5 written to clear_refs begins the peak anew with what is held now. */
export function forgetPeak(pid: number): void {
  writeFileSync(`/proc/${pid}/clear_refs`, '5');
}

type Report = { diagnostic(line: string): void };

/** Puts what the process holds, and held at most, into the report of a test. */
export function tellMemory(report: Report, when: string, pid: number): void {
  const { residentBytes, peakBytes } = processMemory(pid);
  report.diagnostic(`${when}: ${Math.round(residentBytes / 1e6)} MB, at most ${Math.round(peakBytes / 1e6)} MB`);
}

export function assertPeakBelow(maxBytes: number, report: Report, pid: number): void {
  tellMemory(report, 'at the end', pid);
  const { peakBytes } = processMemory(pid);
  assert.ok(peakBytes < maxBytes, `${peakBytes} bytes; less than ${maxBytes} are allowed`);
}
