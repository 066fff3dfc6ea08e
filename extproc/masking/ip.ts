import { isIPv6 } from 'node:net';
import { codeAt, isAlnum, isDigit, isHex } from './characters.ts';
import type { Detector } from './detector.ts';
import { type DigitCluster, separatorBefore } from './digit-groups.ts';
import { charKind } from './trigger.ts';

/** Addresses that belong to every machine and so name none. */
const namesNobody = new Set(['0.0.0.0', '127.0.0.1']);
/** Masks of networks and broadcast; no machine has such an address (RFC 1112, RFC 919). */
const maskStart = '255.';
/** Directly before four small numbers these make a version of them. */
const versionWord = /(?:version|release|ver|build|section|sec\.|chapter|clause|§)["']?[ :=]{0,3}["']?$/i;
const versionPartMax = 99;

function isOctet(text: string, start: number, end: number): boolean {
  if (end - start > 3 || (end - start > 1 && text[start] === '0')) return false;
  return Number(text.slice(start, end)) <= 255;
}

/** Number of groups from `index` that are an IPv4 address (always 4), or 0. A fifth part or a version word speaks against. */
export function ipv4At(text: string, cluster: DigitCluster, index: number): number {
  const first = cluster.groups[index];
  const last = cluster.groups[index + 3];
  if (first === undefined || last === undefined || text[first.end] !== '.') return 0;
  const groups = cluster.groups.slice(index, index + 4);
  for (let i = 0; i < 4; i++) {
    const group = groups[i];
    if (group === undefined || !isOctet(text, group.start, group.end)) return 0;
    if (i > 0 && separatorBefore(text, cluster, index + i) !== '.') return 0;
  }
  if (text[first.start - 1] === '.' && isAlnum(codeAt(text, first.start - 2))) return 0;
  if (text[last.end] === '.' && isDigit(codeAt(text, last.end + 1))) return 0;
  if (isAlnum(codeAt(text, last.end)) || text[last.end] === '_') return 0;
  const address = text.slice(first.start, last.end);
  if (namesNobody.has(address) || address.startsWith(maskStart)) return 0;
  const isSmall = groups.every((group) => Number(text.slice(group.start, group.end)) <= versionPartMax);
  return isSmall && versionWord.test(text.slice(Math.max(0, first.start - 14), first.start)) ? 0 : 4;
}

const addressMax = 45;

/** First groups of addresses that are given out (RFC 4291 and its successors); keeps C++ names such as `ab::cd` clean. */
function isAssigned(address: string): boolean {
  if (address.startsWith('::')) return address.includes('.');
  const groups = address.split(':');
  if (!address.includes('::')) return groups.some((group) => group.length >= 3);
  const first = Number.parseInt(groups[0] ?? '', 16);
  return (first >= 0x2000 && first <= 0x3fff) || (first >= 0xfc00 && first <= 0xffff) || first === 0x64;
}

/** IPv6 in all its written forms; the loopback and the unspecified address are left. */
export const ipv6Detector: Detector = {
  id: 'ipv6',
  needs: charKind.colon,
  detect({ text }, out) {
    let floor = 0;
    for (let at = text.indexOf(':'); at !== -1; at = text.indexOf(':', Math.max(at + 1, floor))) {
      let start = at;
      while (start > floor && at - start < 4 && isHex(codeAt(text, start - 1))) start--;
      if (start === at && text[at + 1] !== ':') continue;
      let end = at;
      while (end < text.length && (isHex(codeAt(text, end)) || text[end] === ':' || text[end] === '.')) end++;
      floor = end;
      while (end > at && text[end - 1] === '.') end--;
      if (text[end - 1] === ':' && text[end - 2] !== ':') end--;
      const before = codeAt(text, start - 1);
      if (end - start > addressMax || isAlnum(before) || isAlnum(codeAt(text, end)) || before === 58) continue;
      const address = text.slice(start, end);
      if (address.length < 4 || !isIPv6(address) || !isAssigned(address)) continue;
      out.push({ type: 'IP', rule: 'ipv6', rank: 'validated', start, end, score: 0.9 });
    }
  },
};
