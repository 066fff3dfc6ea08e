import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import tls from 'node:tls';
import { createAuthority, writeCertificate } from './certificates.ts';

test('a certificate is signed by its authority, names its hosts and is valid for 30 days', async () => {
  const authority = await createAuthority('Test, O=authority');
  const issued = await authority.issue({
    commonName: 'api',
    dnsNames: ['api.test'],
    ipAddresses: ['127.0.0.1', '::1'],
  });
  const root = new X509Certificate(authority.certificatePem);
  const leaf = new X509Certificate(issued.certificatePem);
  assert.equal(root.ca, true);
  assert.equal(leaf.ca, false);
  assert.equal(leaf.verify(root.publicKey), true);
  assert.equal(leaf.checkIssued(root), true);
  assert.equal(leaf.checkHost('api.test'), 'api.test');
  assert.equal(leaf.checkHost('other.test'), undefined);
  assert.equal(leaf.checkIP('127.0.0.1'), '127.0.0.1');
  assert.equal(leaf.checkIP('::1'), '::1');
  assert.equal(leaf.checkIP('10.0.0.1'), undefined);
  assert.equal(Date.parse(leaf.validTo) - Date.parse(leaf.validFrom), 30 * 24 * 3600 * 1000);
  assert.equal(leaf.publicKey.asymmetricKeyDetails?.namedCurve, 'prime256v1');
});

/** One TLS connection between two ends: what the server saw, or why one of them refused. */
async function handshake(server: tls.TlsOptions, client: tls.ConnectionOptions): Promise<string> {
  const listener = tls.createServer(server);
  const outcome = new Promise<string>((resolve) => {
    listener.on('secureConnection', (socket) => {
      socket.on('error', () => undefined).resume();
      resolve(`connected as ${socket.getPeerX509Certificate()?.subject ?? 'nobody'}`);
    });
    listener.on('tlsClientError', (error) => resolve(`refused: ${error.message}`));
  });
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  const address = listener.address();
  assert.ok(address !== null && typeof address === 'object');
  const socket = tls.connect({
    ...client,
    host: '127.0.0.1',
    port: address.port,
  });
  const distrust = new Promise<string>((resolve) => {
    socket.on('error', (error) => resolve(`distrusted: ${Reflect.get(error, 'code')}`));
  });
  const seen = await (server.requestCert ? outcome : Promise.race([distrust, outcome]));
  socket.destroy();
  await new Promise((resolve) => listener.close(resolve));
  return seen;
}

test('mutual TLS takes a client of the authority and refuses a stranger, a client without and a server certificate', async () => {
  const authority = await createAuthority('authority');
  const stranger = await createAuthority('stranger');
  const server = await authority.issue({
    commonName: 'server',
    ipAddresses: ['127.0.0.1'],
  });
  const client = await authority.issue({
    commonName: 'client',
    purpose: 'client',
  });
  const other = await stranger.issue({
    commonName: 'client',
    purpose: 'client',
  });
  const listen = {
    cert: server.certificatePem,
    key: server.privateKeyPem,
    ca: authority.certificatePem,
    requestCert: true,
  };
  const ca = authority.certificatePem;
  const connect = (issued: typeof client) =>
    handshake(listen, {
      ca,
      cert: issued.certificatePem,
      key: issued.privateKeyPem,
    });
  assert.equal(await connect(client), 'connected as CN=client');
  assert.match(await connect(other), /^refused: /);
  assert.match(await connect(server), /^refused: /);
  assert.match(await handshake(listen, { ca }), /^refused: /);
});

test('a client that does not trust the authority does not connect', async () => {
  const authority = await createAuthority('authority');
  const stranger = await createAuthority('stranger');
  const server = await authority.issue({
    commonName: 'server',
    ipAddresses: ['127.0.0.1'],
  });
  const listen = { cert: server.certificatePem, key: server.privateKeyPem };
  assert.match(
    await handshake(listen, { ca: stranger.certificatePem }),
    /^distrusted: UNABLE_TO_VERIFY_LEAF_SIGNATURE/,
  );
  assert.equal(await handshake(listen, { ca: authority.certificatePem }), 'connected as nobody');
});

test('a written key can be read by its owner alone, also where a wider file stood', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'certificates-'));
  try {
    const authority = await createAuthority('authority');
    const issued = await authority.issue({
      commonName: 'server',
      dnsNames: ['localhost'],
    });
    await writeFile(join(directory, 'server.key'), 'old', { mode: 0o644 });
    const files = await writeCertificate(directory, 'server', issued);
    assert.equal((await stat(files.privateKeyFile)).mode & 0o777, 0o600);
    assert.equal(await readFile(files.privateKeyFile, 'utf8'), issued.privateKeyPem);
    assert.equal(await readFile(files.certificateFile, 'utf8'), issued.certificatePem);
    await assert.rejects(writeCertificate(directory, '../server', issued), /not a plain file name/);
  } finally {
    await rm(directory, { recursive: true });
  }
});
