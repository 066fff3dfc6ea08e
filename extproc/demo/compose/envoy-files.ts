import { stringify } from 'yaml';
import { renderEnvoy, type TlsTarget } from '../../envoy/render.ts';
import { audience, issuerOf, type Places } from './places.ts';
import type { SetupFiles } from './secrets.ts';

/** @property realKey key of the Claude API; null: the fake one answers, which takes `fakeKey` alone */
export type Upstream = { readonly realKey: string | null; readonly fakeKey: string };

const systemAuthorities = '/etc/ssl/certs/ca-certificates.crt';
const realHost = 'api.anthropic.com';

/** Envoy's configuration and its secrets, which no other service sees. */
export function envoyFiles(places: Places, { realKey, fakeKey }: Upstream): SetupFiles {
  const { root, identityProvider, claude, gateway } = places;
  const caFile = `${root}/envoy/ca.crt`;
  const fake = { ...claude, serverName: claude.host, caFile };
  const real = { host: realHost, port: 443, serverName: realHost, caFile: systemAuthorities };
  const issuer = issuerOf(places);
  const configuration = renderEnvoy({
    listener: { address: places.listenAddress, port: gateway.port },
    adminSocket: `${places.runDirectory}/envoy-admin.sock`,
    accessLogFile: `${places.logDirectory}/access.log`,
    sdsDirectory: `${root}/envoy/sds`,
    processors: [{ socket: `${places.runDirectory}/extproc.sock` }],
    identityProvider: {
      ...{ ...identityProvider, serverName: identityProvider.host, caFile },
      ...{ issuer, audience, jwksUri: `${issuer}/jwks` },
    },
    connections: realKey === null ? named(fake, 'claude', 'sandbox') : named(real, 'claude'),
  });
  const certificate = {
    certificate_chain: { filename: `${root}/envoy/gateway.crt` },
    private_key: { filename: `${root}/envoy/gateway.key` },
  };
  return {
    'envoy/envoy.yaml': configuration,
    'envoy/sds/gateway_certificate.yaml': secret('gateway_certificate', { tls_certificate: certificate }),
    'envoy/sds/claude_credential.yaml': secret('claude_credential', {
      generic_secret: { secret: { inline_string: realKey ?? fakeKey } },
    }),
  };
}

function named(target: TlsTarget, ...names: readonly string[]): (TlsTarget & { name: string })[] {
  return names.map((name) => ({ ...target, name }));
}

function secret(name: string, content: object): string {
  const type = 'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret';
  return stringify({ resources: [{ '@type': type, name, ...content }] });
}
