/** A certificate authority in memory, for TLS between the parts of a test or of the demo. */
import './certificates/reflect-metadata.ts';
import type { webcrypto } from 'node:crypto';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import * as x509 from '@peculiar/x509';

const KEY_ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const VALID_MS = 30 * 24 * 3600 * 1000;
/** Certificates start a little in the past, so that a peer whose clock is behind takes them. */
const CLOCK_SKEW_MS = 5 * 60 * 1000;
const EXTENDED_KEY_USAGE = {
  server: x509.ExtendedKeyUsage.serverAuth,
  client: x509.ExtendedKeyUsage.clientAuth,
};

/** A PEM certificate and its PKCS #8 private key, also PEM. */
export type IssuedCertificate = {
  readonly certificatePem: string;
  readonly privateKeyPem: string;
};

/** Who the certificate is for. `purpose` is what it may do in TLS: `server` unless told, `client` for mutual TLS. */
export type CertificateRequest = {
  readonly commonName: string;
  readonly dnsNames?: readonly string[];
  readonly ipAddresses?: readonly string[];
  readonly purpose?: 'server' | 'client';
};

export type CertificateAuthority = {
  /** What the peers must trust. The private key of the authority never leaves memory. */
  readonly certificatePem: string;
  readonly issue: (request: CertificateRequest) => Promise<IssuedCertificate>;
};

/** Makes a new authority (EC P-256). It and everything it issues are valid for 30 days. */
export async function createAuthority(commonName: string): Promise<CertificateAuthority> {
  const keys = await crypto.subtle.generateKey(KEY_ALGORITHM, false, ['sign', 'verify']);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: distinguishedName(commonName),
    ...validity(),
    signingAlgorithm: KEY_ALGORITHM,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return {
    certificatePem: certificate.toString('pem'),
    issue: (request) => issue(request, certificate, keys),
  };
}

async function issue(
  request: CertificateRequest,
  authority: x509.X509Certificate,
  authorityKeys: webcrypto.CryptoKeyPair,
): Promise<IssuedCertificate> {
  const keys = await crypto.subtle.generateKey(KEY_ALGORITHM, true, ['sign', 'verify']);
  const names = [
    ...(request.dnsNames ?? []).map((value) => ({
      type: 'dns' as const,
      value,
    })),
    ...(request.ipAddresses ?? []).map((value) => ({
      type: 'ip' as const,
      value,
    })),
  ];
  const certificate = await x509.X509CertificateGenerator.create({
    subject: distinguishedName(request.commonName),
    issuer: authority.subjectName,
    ...validity(),
    signingAlgorithm: KEY_ALGORITHM,
    publicKey: keys.publicKey,
    signingKey: authorityKeys.privateKey,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([EXTENDED_KEY_USAGE[request.purpose ?? 'server']]),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      await x509.AuthorityKeyIdentifierExtension.create(authorityKeys.publicKey),
      ...(names.length > 0 ? [new x509.SubjectAlternativeNameExtension(names)] : []),
    ],
  });
  const privateKey = await crypto.subtle.exportKey('pkcs8', keys.privateKey);
  return {
    certificatePem: certificate.toString('pem'),
    privateKeyPem: x509.PemConverter.encode(privateKey, 'PRIVATE KEY'),
  };
}

/**
 * Writes `<name>.crt` and, when there is a key, `<name>.key` (mode 600) into the directory, which is made when missing.
 * Older files of that name are replaced, never reused: their mode might be wider.
 */
export async function writeCertificate(
  directory: string,
  name: string,
  certificate: {
    readonly certificatePem: string;
    readonly privateKeyPem?: string;
  },
): Promise<{ certificateFile: string; privateKeyFile: string }> {
  if (name !== basename(name) || name === '') throw new TypeError(`not a plain file name: ${name}`);
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const certificateFile = join(directory, `${name}.crt`);
  const privateKeyFile = join(directory, `${name}.key`);
  await rm(privateKeyFile, { force: true });
  if (certificate.privateKeyPem !== undefined) {
    await writeFile(privateKeyFile, certificate.privateKeyPem, {
      mode: 0o600,
      flag: 'wx',
    });
  }
  await rm(certificateFile, { force: true });
  await writeFile(certificateFile, certificate.certificatePem, {
    mode: 0o644,
    flag: 'wx',
  });
  return { certificateFile, privateKeyFile };
}

/** A name given as parts, so that commas and equal signs in it cannot become other attributes. */
function distinguishedName(commonName: string): x509.JsonName {
  return [{ CN: [commonName] }];
}

function validity(): { notBefore: Date; notAfter: Date } {
  const start = Date.now() - CLOCK_SKEW_MS;
  return { notBefore: new Date(start), notAfter: new Date(start + VALID_MS) };
}
