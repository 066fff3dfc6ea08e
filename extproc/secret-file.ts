import { readFileSync, statSync } from 'node:fs';
import { SkilltapeError } from './errors.ts';

const secretMaxBytes = 8_192;
const readableByOthers = 0o007;

/**
 * One line out of a file. A group may read it (so mounted secrets of Kubernetes come), others may not.
 * Throws SkilltapeError `config_invalid`; no message holds the content.
 */
export function readSecret(file: string): string {
  const { size, mode } = orInvalid(file, () => statSync(file));
  if ((mode & readableByOthers) !== 0)
    throw new SkilltapeError('config_invalid', `every user of this machine may read ${file}`, {
      remedy: `chmod 600 ${file}`,
    });
  if (size > secretMaxBytes)
    throw new SkilltapeError('config_invalid', `${file} has more than ${secretMaxBytes} bytes`);
  const text = orInvalid(file, () => readFileSync(file, 'utf8')).trim();
  // It becomes part of a header.
  if (!/^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/.test(text))
    throw new SkilltapeError('config_invalid', `${file} does not hold one line of printable ASCII`);
  return text;
}

/** Throws SkilltapeError `config_invalid`. */
export function readCertificates(file: string): string {
  const text = orInvalid(file, () => readFileSync(file, 'utf8'));
  if (text.includes('-----BEGIN CERTIFICATE-----')) return text;
  throw new SkilltapeError('config_invalid', `${file} holds no certificate in PEM form`);
}

function orInvalid<T>(file: string, read: () => T): T {
  try {
    return read();
  } catch (thrown) {
    throw new SkilltapeError('config_invalid', `${file} cannot be read: ${SkilltapeError.from(thrown).message}`, {
      cause: thrown,
    });
  }
}
