import { createHash } from 'node:crypto';
import { codeAt, isAlnum } from './characters.ts';
import type { Detector } from './detector.ts';
import { matchEnd, sticky } from './pattern.ts';

const base58 = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz';
const bech32 = 'qpzry9x8gf2tvdw0s3jn54khce6mua7l';
/** First byte (Base58Check) of addresses: Bitcoin 0 and 5, Litecoin 48 and 50, Dogecoin 30 and 22, Dash 76, Tron 65. */
const versions = new Set([0, 5, 48, 50, 30, 22, 76, 65]);
const candidate = sticky(
  '(?:' +
    '[13LMDAX9T][1-9A-HJ-NP-Za-km-z]{25,34}|' +
    '(?:bc1|tb1|ltc1)[02-9ac-hj-np-z]{25,87}|(?:BC1|LTC1)[02-9AC-HJ-NP-Z]{25,87}|' +
    '0x[0-9a-fA-F]{40}|' +
    '4[0-9AB][1-9A-HJ-NP-Za-km-z]{93}' +
    ')(?![0-9A-Za-z])',
);
/** An address is a whole run of letters and digits, of these lengths. */
const runMin = 26;
const runMax = 95;

function decodeBase58(text: string): Buffer | undefined {
  let value = 0n;
  for (const char of text) {
    const digit = base58.indexOf(char);
    if (digit === -1) return undefined;
    value = value * 58n + BigInt(digit);
  }
  const hex = value.toString(16).padStart(50, '0');
  return hex.length === 50 ? Buffer.from(hex, 'hex') : undefined;
}

/** Base58Check: 21 bytes, and the first four of their double SHA-256. */
function isBase58Check(text: string): boolean {
  const bytes = decodeBase58(text);
  if (bytes === undefined || !versions.has(bytes[0] ?? -1)) return false;
  const sha256 = (data: Uint8Array): Buffer => createHash('sha256').update(data).digest();
  return sha256(sha256(bytes.subarray(0, 21)))
    .subarray(0, 4)
    .equals(bytes.subarray(21));
}

const generators = [0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3];

/** BIP 173 and BIP 350: the rest of the polynomial is 1 or the constant of bech32m. */
function isBech32(text: string): boolean {
  const lower = text.toLowerCase();
  const mark = lower.lastIndexOf('1');
  const prefix = [...lower.slice(0, mark)].map((char) => char.charCodeAt(0));
  const values = [...prefix.map((code) => code >> 5), 0, ...prefix.map((code) => code & 31)];
  for (const char of lower.slice(mark + 1)) values.push(bech32.indexOf(char));
  let rest = 1;
  for (const value of values) {
    const top = rest >>> 25;
    rest = ((rest & 0x1ffffff) << 5) ^ value;
    for (const [bit, generator] of generators.entries()) if ((top >> bit) & 1) rest ^= generator;
  }
  return rest === 1 || rest === 0x2bc830a3;
}

function isAddress(text: string): boolean {
  if (text.startsWith('0x')) return !/^0x(.)\1*$/.test(text);
  if (/^(?:bc1|tb1|ltc1)/i.test(text)) return isBech32(text);
  return text.length > 90 || isBase58Check(text);
}

/** Addresses of crypto currencies, by their check sums where they have one. */
export const walletDetector: Detector = {
  id: 'wallet',
  detect({ text }, out) {
    // a run that is long enough has one of every so many characters
    for (let probe = runMin - 1; probe < text.length; probe += runMin) {
      if (!isAlnum(text.charCodeAt(probe))) continue;
      let start = probe;
      while (isAlnum(codeAt(text, start - 1))) start--;
      let end = probe + 1;
      while (isAlnum(codeAt(text, end))) end++;
      probe = end;
      if (end - start < runMin || end - start > runMax || matchEnd(candidate, text, start) === -1) continue;
      if (!isAddress(text.slice(start, end))) continue;
      out.push({ type: 'WALLET', rule: 'wallet', rank: 'validated', start, end, score: 0.9 });
    }
  },
};
